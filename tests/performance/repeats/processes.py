"""Fresh processes of which nothing is left behind, however their time ends."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

TIMEOUT_S = 600.0
"""Of one re-run; none takes that long, even under load."""

PERFORMANCE = Path(__file__).parents[1]

_GRACE_S = 10.0


def output_of(command: Sequence[object], timeout_s: float = TIMEOUT_S) -> str:
    """Run a command to its end and return what it printed.

    Its process group ends with it, also when it takes too long or Ctrl-C is pressed.

    Raises
    ------
    RuntimeError
        When it fails or takes too long; with the end of what it said.
    """
    words = [str(word) for word in command]
    # By this path fresh processes of our own find the module of the benchmarks.
    paths = [str(PERFORMANCE), *filter(None, [os.environ.get("PYTHONPATH")])]
    with subprocess.Popen(
        words,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        start_new_session=True,
    ) as process:
        try:
            printed, said = process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            raise RuntimeError(f"{words[0]} took longer than {timeout_s:g} s") from None
        finally:
            if process.returncode is None:
                _end(process)
    if process.returncode:
        raise RuntimeError(
            f"{' '.join(words[:3])} ended with {process.returncode}: {(said or printed)[-1000:]}"
        )
    return printed


def _end(process: subprocess.Popen[str]) -> None:
    """End the group: gently, then at once."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(_GRACE_S)
            return
