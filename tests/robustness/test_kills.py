"""Commands that are killed lose nothing, leave nothing and touch nothing else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HARNESS = Path(__file__).with_name("kill_harness.py")


@pytest.mark.slow("kills 42 commands, and waits for all of their processes")
@pytest.mark.timeout(900)
def test_kills_of_all_commands_do_no_harm() -> None:
    # Of the processes it is known that they end; on a busy machine not within a second.
    command = [sys.executable, str(HARNESS), "--kills", "42", "--patience", "20"]
    harness = subprocess.run(command, stdout=subprocess.PIPE, text=True, timeout=850)
    assert harness.returncode == 0, harness.stdout
