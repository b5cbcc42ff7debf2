"""What can stand on either side of a live comparison."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import msgspec

from stratoperf import arguments
from stratoperf.errors import InvalidParameter
from stratoperf.failures import is_storable
from stratoperf.paths import user_path
from stratoperf.running.live.shell_words import shell_words

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
        For a field of another type, text that the system or a run file cannot hold, an empty
        `argv`, and several words with `shell`.
    """

    argv: tuple[str, ...]
    cwd: str | os.PathLike[str] | None = None
    env: Mapping[str, str] | None = None
    input: str | None = None
    shell: bool = False

    def __post_init__(self) -> None:
        words = _words("argv", self.argv, "Command.parse makes them of a line of text")
        if not words or not words[0].strip():
            raise InvalidParameter(
                f"argv: expected the program and its arguments, got {arguments.shown(self.argv)}; "
                "Command.parse makes them of a line of text"
            )
        if not isinstance(self.shell, bool):
            raise InvalidParameter(
                f"shell: expected True or False, got {arguments.shown(self.shell)}"
            )
        if self.shell and len(words) != 1:
            raise InvalidParameter(
                f"argv: with shell=True expected one line of text, got {len(words)} words "
                f"({arguments.shown(self.argv)}); join them, or leave shell out"
            )
        if self.cwd is not None:
            user_path("cwd", self.cwd)
        if self.input is not None:
            _check_stored_path("input", self.input)
        if self.env is not None:
            _check_variables(self.env)

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
        if not isinstance(line, str):
            raise InvalidParameter(
                f"line: expected a command as one string, got {arguments.shown(line)}"
            )
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
    """Raise `InvalidParameter` for text that a run file cannot hold, or no command be given."""
    if not is_storable(text):
        raise InvalidParameter(
            f"{argument}: {text!a} is not valid UTF-8, and a run file holds text alone; put it "
            "into a script, or rename the file"
        )
    if "\0" in text:
        raise InvalidParameter(
            f"{argument}: {arguments.shown(text)} has a null character, which the system takes "
            "for its end; leave it out"
        )


def _words(argument: str, words: object, remedy: str) -> tuple[str, ...]:
    """Return a sequence of strings that a run file can hold."""
    if (
        isinstance(words, str)
        or not isinstance(words, Sequence)
        or not all(isinstance(word, str) for word in words)
    ):
        raise InvalidParameter(
            f"{argument}: expected a sequence of strings, got {arguments.shown(words)}; {remedy}"
        )
    for word in words:
        check_storable(argument, word)
    return tuple(words)


def _check_stored_path(argument: str, path: object) -> None:
    if not isinstance(path, str) or not path:
        raise InvalidParameter(
            f"{argument}: expected the path of a file as a string, got {arguments.shown(path)}"
        )
    check_storable(argument, path)


def _check_variables(env: object) -> None:
    if not isinstance(env, Mapping):
        raise InvalidParameter(
            f"env: expected a dictionary of variables, got {arguments.shown(env)}; leave it out "
            "for those of the caller"
        )
    for name, value in env.items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise InvalidParameter(
                f"env: expected strings as names and values, got {arguments.shown(name)}: "
                f"{arguments.shown(value)}; put the value into str()"
            )
        if not name or "=" in name or not all(map(arguments.is_for_system, (name, value))):
            raise InvalidParameter(
                f"env: no variable can be {arguments.shown(name)}: {arguments.shown(value)}; "
                "leave out empty names, '=' in names, null characters and lone surrogates"
            )


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
    except OSError as error:
        raise InvalidParameter(
            f"input: cannot read {path!r}: {error.strerror or error}; give the path of a file"
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
        For a field of another type, or text that the system or a run file cannot hold.
    """

    python: str = sys.executable
    params: Mapping[str, Any] = {}
    modules: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        _check_stored_path("python", self.python)
        remedy = "give names and files such as ('kv_benchmarks.py',)"
        if not all(_words("modules", self.modules, remedy)):
            raise InvalidParameter(
                f"modules: no module has an empty name, got {self.modules!r}; {remedy}"
            )
        if not isinstance(self.params, Mapping):
            raise InvalidParameter(
                f"params: expected a dictionary of values by parameter, got "
                f"{arguments.shown(self.params)}"
            )
        for name in self.params:
            arguments.text("params: the name of a parameter", name)

    @property
    def label(self) -> str:
        """The interpreter and its parameters."""
        chosen = ", ".join(f"{name}={_listed(value)}" for name, value in self.params.items())
        return f"{self.python} ({chosen})" if chosen else self.python


def _listed(values: object) -> str:
    """Return one value or several as ``--param`` takes them."""
    return ",".join(map(str, values)) if isinstance(values, list | tuple) else str(values)
