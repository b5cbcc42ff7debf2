"""What can stand on either side of a live comparison."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

import msgspec

from stratoperf.analysis.live.shell_words import shell_words
from stratoperf.errors import InvalidParameter

SHELL = ("/bin/sh", "-c")
"""Runs a line of text."""


class Command(msgspec.Struct, frozen=True):
    """A program, timed as a whole process from before it is started until it is reaped.

    Attributes
    ----------
    argv
        The program and its arguments; with `shell` the one line that ``/bin/sh`` runs.
    cwd
        Its working directory; by default that of the caller.
    env
        All its environment variables; by default those of the caller.
    input
        A regular file that every run reads as its standard input, from the beginning; by default
        the standard input is empty.
    shell
        Whether ``/bin/sh -c`` runs it; what that costs is in its time.

    Raises
    ------
    InvalidParameter
        When `argv` is empty or holds something else than strings, or not one line with `shell`.
    """

    argv: tuple[str, ...]
    cwd: str | None = None
    env: Mapping[str, str] | None = None
    input: str | None = None
    shell: bool = False

    def __post_init__(self) -> None:
        if self.input is not None and (not isinstance(self.input, str) or not self.input):
            raise InvalidParameter(f"input: expected the path of a file, got {self.input!r}")
        words = () if isinstance(self.argv, str) else tuple(self.argv)
        if (
            not words
            or not all(isinstance(word, str) for word in words)
            or not words[0].strip()
            or any("\0" in word for word in words)
        ):
            raise InvalidParameter(
                f"argv: expected the program and its arguments, got {self.argv!r}; "
                "Command.parse makes them of a line of text"
            )
        for word in (*words, self.input or ""):
            check_storable("argv, input", word)
        if self.shell and len(words) != 1:
            raise InvalidParameter(
                f"argv: with shell=True expected one line of text, got {len(words)} words "
                f"({self.argv!r}); join them, or leave shell out"
            )

    @classmethod
    def parse(cls, line: str, *, shell: bool = False, input: str | None = None) -> Command:
        """Return the command that a line of text means.

        Parameters
        ----------
        line
            A program and its arguments, quoted as for a shell; with `shell` anything that
            ``/bin/sh`` understands.
        shell, input
            As for the class.

        Raises
        ------
        InvalidParameter
            Without `shell`, for syntax that only a shell understands, such as ``<`` or ``$HOME``.
        """
        if not line.strip():
            raise InvalidParameter("the command is empty; give a program and its arguments")
        return cls((line,) if shell else shell_words(line), input=input, shell=shell)

    @property
    def program(self) -> tuple[str, ...]:
        """What is started."""
        return (*SHELL, *self.argv) if self.shell else tuple(self.argv)

    @property
    def label(self) -> str:
        """The command as one would type it."""
        typed = shlex.join(self.program)
        return typed if self.input is None else f"{typed} < {shlex.quote(self.input)}"


def check_storable(argument: str, text: str) -> None:
    """Raise `InvalidParameter` for text that a run file cannot hold."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise InvalidParameter(
            f"{argument}: {text!a} is not valid UTF-8, and a run file holds text alone; put it "
            "into a script, or rename the file"
        ) from None


def open_input(path: str) -> IO[bytes]:
    """Open what a command reads as its standard input.

    Raises
    ------
    InvalidParameter
        When it is not a regular file, which every run can read from the beginning, or cannot be
        read.
    """
    try:
        file = Path(path)
        if file.exists() and not file.is_file() and str(file.resolve()) != os.devnull:
            raise InvalidParameter(
                f"input: {path!r} is not a regular file, and every run must read it from the "
                "beginning; save its contents to a file first"
            )
        # Without buffering: the command must find all of it.
        return file.open("rb", buffering=0)
    except (OSError, ValueError) as error:
        why = getattr(error, "strerror", None) or error
        raise InvalidParameter(
            f"input: cannot read {path!r}: {why}; give the path of a file"
        ) from None


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
