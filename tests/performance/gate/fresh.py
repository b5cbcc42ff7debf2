"""Fresh processes, as a build starts them."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

TIMEOUT_S = 300.0
"""Of one process; a machine under load takes its time, but it never takes that long."""

HERE = Path(__file__).parent


def run_script(name: str, *arguments: object) -> float:
    """Run a script of this folder in a process of its own.

    Returns
    -------
    float
        Wall-clock seconds, the start of the interpreter included.

    Raises
    ------
    RuntimeError
        When it fails; with the end of what it said.
    """
    begin = time.monotonic()
    run_python(str(HERE / name), *arguments)
    return time.monotonic() - begin


def run_python(*arguments: object) -> str:
    """Run the interpreter and return what it printed; errors as in `run_script`."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    if done.returncode:
        said = (done.stderr or done.stdout)[-2000:]
        raise RuntimeError(f"{arguments[0]} ended with {done.returncode}:\n{said}")
    return done.stdout
