"""Saving is struck at each of its calls to the file system: nothing finished is lost."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from strikes import MODES, SCENARIOS

pytestmark = [
    pytest.mark.slow("strikes each moment of a run, and resumes it"),
    pytest.mark.timeout(600),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_no_strike_loses_a_result_or_leaves_a_file(
    tmp_path: Path, scenario: str, mode: str
) -> None:
    program = [sys.executable, str(Path(__file__).with_name("strikes.py"))]
    ended = subprocess.run(
        [*program, scenario, mode, str(tmp_path)], capture_output=True, text=True, timeout=590
    )
    assert ended.returncode == 0, ended.stderr
    *problems, calls = ended.stdout.splitlines()
    assert problems == []
    assert int(calls) > 30
