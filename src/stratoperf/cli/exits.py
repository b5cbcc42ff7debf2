"""Exit codes, and the errors that they stand for."""

from __future__ import annotations

import enum

import click

from stratoperf.errors import (
    BackendUnavailable,
    InvalidParameter,
    PrerequisiteMissing,
    SchemaError,
)


class ExitCode(enum.IntEnum):
    """The meaning of the exit status of every command."""

    FINE = 0
    FAILED = 1
    """A benchmark failed, a regression was found, a target was missed under
    ``--enforce-targets``, a disk was full, or the results could not be printed."""
    USAGE = 2
    """Wrong usage, or input that cannot be read."""
    MISSING = 3
    """A required prerequisite is missing."""
    INCONCLUSIVE = 4
    """A check without a verdict, under ``--inconclusive fail``."""
    HANGUP = 129
    """SIGHUP: the terminal or the connection was closed; what was measured is saved."""
    INTERRUPTED = 130
    """Ctrl-C; what was measured is saved."""
    QUIT = 131
    r"""SIGQUIT, Ctrl-\; what was measured is saved."""
    BROKEN_PIPE = 141
    """The reader of the output went away: what a filter killed by SIGPIPE returns."""
    TERMINATED = 143
    """SIGTERM; what was measured is saved."""


def exit_code(error: Exception) -> ExitCode:
    """Return the exit code for an error of the package."""
    if isinstance(error, InvalidParameter | SchemaError):
        return ExitCode.USAGE
    if isinstance(error, BackendUnavailable | PrerequisiteMissing):
        return ExitCode.MISSING
    return ExitCode.FAILED


def interrupted() -> ExitCode:
    """Return the exit code of a command that a signal interrupted: 128 and the first's number."""
    context = click.get_current_context(silent=True)
    # The entry point hands over what knows which signals came.
    numbers = context.obj.numbers if context and context.obj else ()
    return ExitCode(128 + numbers[0]) if numbers else ExitCode.INTERRUPTED
