"""What can stand on either side of a live comparison."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Mapping
from typing import Any

import msgspec

from stratoperf.errors import InvalidParameter


class Command(msgspec.Struct, frozen=True):
    """A program, timed as a whole process from before it is started until it is reaped.

    Attributes
    ----------
    argv
        The program and its arguments; no shell comes between.
    cwd
        Its working directory; by default that of the caller.
    env
        All its environment variables; by default those of the caller.

    Raises
    ------
    InvalidParameter
        When `argv` is empty or holds something else than strings.
    """

    argv: tuple[str, ...]
    cwd: str | None = None
    env: Mapping[str, str] | None = None

    def __post_init__(self) -> None:
        words = () if isinstance(self.argv, str) else tuple(self.argv)
        if not words or not all(isinstance(word, str) for word in words) or not words[0]:
            raise InvalidParameter(
                f"argv: expected the program and its arguments, got {self.argv!r}; "
                "of a line of text, shlex.split makes them"
            )

    @property
    def label(self) -> str:
        """The command as one would type it."""
        return shlex.join(self.argv)


class Environment(msgspec.Struct, frozen=True):
    """A Python interpreter that runs benchmarks of the suite, each time in a fresh worker process.

    Attributes
    ----------
    python
        The interpreter, with stratoperf and the code under test installed for it.
    params
        Values by parameter, instead of the declared ones.
    modules
        Dotted names or ``.py`` files that a worker imports so that their benchmarks are known.

    Raises
    ------
    InvalidParameter
        When `python` is no path or `modules` no sequence of strings.
    """

    python: str = sys.executable
    params: Mapping[str, Any] = {}
    modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.python, str) or not self.python:
            raise InvalidParameter(
                f"python: expected the path of a Python executable, got {self.python!r}"
            )
        if isinstance(self.modules, str) or not all(isinstance(one, str) for one in self.modules):
            raise InvalidParameter(
                "modules: expected a sequence of names and files such as ('kv_benchmarks.py',), "
                f"got {self.modules!r}"
            )

    @property
    def label(self) -> str:
        """The interpreter and its parameters."""
        chosen = ", ".join(f"{name}={value}" for name, value in self.params.items())
        return f"{self.python} ({chosen})" if chosen else self.python
