"""The command that a run was started with, as its file keeps it."""

from __future__ import annotations

import sys
from pathlib import Path


def invocation() -> list[str]:
    r"""Return the command of this process.

    Where the program lies says nothing about a run. Bytes that are not valid UTF-8, which a run
    file cannot hold, become escapes such as ``\udcff``.
    """
    program, *arguments = sys.argv or [""]
    words = [Path(program).name, *arguments]
    return [word.encode("utf-8", "backslashreplace").decode() for word in words]
