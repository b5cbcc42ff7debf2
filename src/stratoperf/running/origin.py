"""Where a benchmark is declared, so that a fresh process can declare it again."""

from __future__ import annotations

import inspect
import os
import sys
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NamedTuple

MAIN = "__main__"
"""The module that Python was started with."""


class Origin(NamedTuple):
    """The module whose import declares a benchmark.

    Attributes
    ----------
    module
        Its name; `MAIN` for a script.
    file
        Its source.
    stamp
        When the file was last changed, in nanoseconds, as of the declaration: a process that
        imports it later may read another text.
    """

    module: str
    file: str
    stamp: int


def origin_of(function: Callable[..., Any]) -> Origin | None:
    """Return what a fresh process must import to get a benchmark that is being declared.

    Parameters
    ----------
    function
        What is declared.

    Returns
    -------
    Origin or None
        ``None`` where no import declares it: it is declared by a function that somebody calls
        later, in a notebook, at a prompt, or in code that has no file.
    """
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    if frame is None:
        return None
    name, file = frame.f_globals.get("__name__"), frame.f_globals.get("__file__")
    if not isinstance(name, str) or not isinstance(file, str):
        return None
    file = os.path.realpath(file)
    # A notebook's cell or the example of a docstring runs in the name of a module, not of its file.
    if os.path.realpath(frame.f_code.co_filename) != file:
        return None
    if name == MAIN:
        code = _code(function)
        # Every function that a script calls runs below it, those of pytest for one.
        if code is None or os.path.realpath(code.co_filename) != file:
            return None
        specification = frame.f_globals.get("__spec__")
        if isinstance(specification, ModuleSpec):
            # Of ``python -m``: imported under that name, it is not a script.
            name = specification.name
    try:
        return Origin(name, file, Path(file).stat().st_mtime_ns)
    except OSError:
        return None


def place_of(function: Callable[..., Any]) -> str:
    """Return what identifies a function in its file: its name and first line."""
    code = _code(function)
    name = getattr(function, "__qualname__", type(function).__qualname__)
    return f"{name}:{0 if code is None else code.co_firstlineno}"


def _code(function: Callable[..., Any]) -> CodeType | None:
    code = getattr(inspect.unwrap(function), "__code__", None)
    return code if isinstance(code, CodeType) else None
