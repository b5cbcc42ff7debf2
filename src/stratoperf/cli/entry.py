"""The entry point: runs a command and turns every ending into an exit code."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import click

from stratoperf.cli.application import application
from stratoperf.cli.exits import ExitCode, exit_code
from stratoperf.errors import StratoperfError
from stratoperf.running.interrupts import PATIENCE, StopSignals
from stratoperf.running.kept_descriptor import KeptDescriptor
from stratoperf.text.safety import log_line

DEBUG = "STRATOSWARM_BENCH_DEBUG"

PRESS_AGAIN_S = 0.01
"""Long enough for a destructor to end, too short to be noticed."""

_PRESSED_AGAIN = b"\nsaving the results so far; press Ctrl-C again to stop at once\n"

logger = logging.getLogger(__name__)


def run(arguments: Sequence[str], *, exiting: bool) -> int:
    """Run a command and return the exit code.

    Parameters
    ----------
    arguments
        Without the program's name.
    exiting
        The process ends after the command, so that signals need not be handled any more.
    """
    terminal = _Terminal()
    stop = StopSignals(terminal.signal_came)
    lost = _LostInterrupts(stop)
    try:
        code = _code(arguments, stop)
        # Nothing that is still to do shall be interrupted; what comes now is too late.
        stop.end()
    except KeyboardInterrupt:
        stop.end()
        _say("interrupted")
        code = ExitCode.INTERRUPTED
    finally:
        lost.restore()
        stop.restore(exiting=exiting)
    if code == ExitCode.INTERRUPTED and stop.numbers:
        return 128 + stop.numbers[0]
    return code


def _code(arguments: Sequence[str], stop: StopSignals) -> int:
    debug = os.environ.get(DEBUG, "0") not in ("", "0")
    if debug:
        _log_verbosely()
    try:
        with warnings.catch_warnings():
            if not debug:
                # What a user must know is part of the output; the rest is for developers.
                warnings.simplefilter("ignore")
            code = _invoke(list(arguments), stop)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        return ExitCode.BROKEN_PIPE
    except StratoperfError as error:
        logger.debug("the error in full", exc_info=True)
        _say(f"error: {error}")
        return exit_code(error)
    except OSError as error:
        logger.debug("the error in full", exc_info=True)
        _say(f"error: {_refused(error)}")
        return ExitCode.FAILED if error.errno in _NO_ROOM else ExitCode.USAGE
    except Exception as error:
        logger.debug("the error in full", exc_info=True)
        _say(f"error: {_described(error)}")
        if not debug:
            _say(f"set {DEBUG}=1 to see where it comes from")
        return ExitCode.FAILED


def _invoke(arguments: list[str], stop: StopSignals) -> int:
    try:
        result = application.main(
            arguments, prog_name="stratoperf", standalone_mode=False, obj=stop
        )
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.ClickException as error:
        _say(*_usage(error))
        return ExitCode.USAGE
    except click.Abort:
        # What click makes of Ctrl-C.
        raise KeyboardInterrupt from None
    return int(result or ExitCode.FINE)


class _Terminal:
    """The standard outputs that were a terminal at the start, which may be closed at any time."""

    def __init__(self) -> None:
        self._descriptors = [
            KeptDescriptor(stream.fileno())
            for stream in (sys.stdout, sys.stderr)
            if _is_terminal(stream)
        ]
        self._stderr = KeptDescriptor(2)

    def signal_came(self, number: int, count: int) -> None:
        """Stop writing when the terminal is gone; explain what a second Ctrl-C does."""
        for descriptor in self._descriptors:
            # Else every line written while results are saved would fail.
            if not os.isatty(descriptor.number) and descriptor.is_ours():
                _silence(descriptor.number)
        if number == signal.SIGINT and count == PATIENCE - 1 and self._stderr.is_ours():
            with contextlib.suppress(OSError):
                # Not through the stream, which may be in the middle of a line.
                os.write(self._stderr.number, _PRESSED_AGAIN)


def _silence(descriptor: int) -> None:
    """Send what is written from now on nowhere."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)


def _is_terminal(stream: TextIO | None) -> bool:
    try:
        return stream is not None and stream.isatty()
    except ValueError:
        return False  # It is closed.


class _LostInterrupts:
    """Presses Ctrl-C again where Python lost it.

    Python prints and forgets what a destructor or the callback of a weak reference raises, which
    run whenever an object goes away: at every import, for one.
    """

    def __init__(self, stop: StopSignals) -> None:
        self._stop = stop
        self._previous = sys.unraisablehook
        sys.unraisablehook = self._handle

    def _handle(self, unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            numbers = self._stop.numbers
            number = numbers.pop() if numbers else signal.SIGINT
            # A little later: what is raised in here would be lost again.
            threading.Timer(PRESS_AGAIN_S, os.kill, (os.getpid(), number)).start()
        else:
            self._previous(unraisable)

    def restore(self) -> None:
        sys.unraisablehook = self._previous


def _usage(error: click.ClickException) -> list[str]:
    """Return what click would print about an error, as lines."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    lines = []
    if context is not None:
        lines = [
            *context.get_usage().splitlines(),
            f"Try '{context.command_path} {context.help_option_names[0]}' for help.",
            "",
        ]
    return [*lines, f"Error: {error.format_message()}"]


_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EIO, errno.ENOMEM, errno.EMFILE, errno.ENFILE)
"""What says nothing about the names that a user gave."""


def _refused(error: OSError) -> str:
    """Return in one sentence what the operating system refused."""
    why = error.strerror or _described(error)
    if error.filename is not None:
        return (
            f"cannot use {os.fsdecode(error.filename)}: {why}; check the path and its permissions"
        )
    try:
        Path.cwd()
    except OSError:
        return "the working directory was deleted; change to one that exists"
    return why


def _described(error: Exception) -> str:
    kind = type(error).__name__
    try:
        return f"{kind}: {error}"
    except Exception:
        return f"{kind}, whose message cannot be shown: formatting it raises an error"


def _say(*messages: str) -> None:
    # Here, so that help comes at once.
    from stratoperf.presentation.terminal.screen import Screen

    screen = Screen.stderr()
    for text in messages:
        screen.message(text)


def _log_verbosely() -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_SafeFormatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=logging.DEBUG, handlers=[handler])
    logging.captureWarnings(capture=True)


class _SafeFormatter(logging.Formatter):
    """Makes each line safe, also those of tracebacks."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        return "\n".join(map(log_line, super().format(record).split("\n")))
