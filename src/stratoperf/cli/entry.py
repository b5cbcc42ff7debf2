"""The entry point: runs a command and turns every ending into an exit code."""

from __future__ import annotations

import contextlib
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from typing import TextIO

import click

from stratoperf.cli.application import application
from stratoperf.cli.exits import ExitCode, exit_code
from stratoperf.errors import StratoperfError
from stratoperf.suite.interrupts import PATIENCE, StopSignals

DEBUG = "STRATOSWARM_BENCH_DEBUG"

PRESS_AGAIN_S = 0.01
"""Long enough for a destructor to end, too short to be noticed."""

_PRESSED_AGAIN = b"\nsaving what was measured; press Ctrl-C once more to give up\n"

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
        logging.basicConfig(
            level=logging.DEBUG,
            stream=sys.stderr,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
    try:
        with warnings.catch_warnings():
            if not debug:
                # What a user must know is part of the output; the rest is for developers.
                warnings.simplefilter("ignore")
            code = _invoke(list(arguments), stop)
        sys.stdout.flush()
        return code
    except BrokenPipeError:
        _silence(sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except StratoperfError as error:
        logger.debug("the error in full", exc_info=True)
        _say(f"error: {error}")
        return exit_code(error)
    except Exception as error:
        logger.debug("the error in full", exc_info=True)
        hint = "" if debug else f"\nset {DEBUG}=1 to see where it comes from"
        _say(f"error: {type(error).__name__}: {error}{hint}")
        return ExitCode.FAILED


def _invoke(arguments: list[str], stop: StopSignals) -> int:
    try:
        result = application.main(
            arguments, prog_name="stratoperf", standalone_mode=False, obj=stop
        )
    except click.exceptions.Exit as ending:
        return ending.exit_code
    except click.ClickException as error:
        error.show(sys.stderr)
        return ExitCode.USAGE
    except click.Abort:
        # What click makes of Ctrl-C.
        raise KeyboardInterrupt from None
    return int(result or ExitCode.FINE)


class _Terminal:
    """The standard outputs that were a terminal at the start, which may be closed at any time."""

    def __init__(self) -> None:
        self._descriptors = [
            stream.fileno() for stream in (sys.stdout, sys.stderr) if _is_terminal(stream)
        ]

    def signal_came(self, number: int, count: int) -> None:
        """Send text nowhere once the terminal is gone; tell who presses again what that does."""
        for descriptor in self._descriptors:
            # Else every line written while results are saved would fail.
            if not os.isatty(descriptor):
                _silence(descriptor)
        if number == signal.SIGINT and count == PATIENCE - 1:
            with contextlib.suppress(OSError):
                # Not through the stream, which may be in the middle of a line.
                os.write(2, _PRESSED_AGAIN)


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


def _say(text: str) -> None:
    try:
        click.echo(text, err=True)
    except OSError:
        _silence(sys.stderr.fileno())


def _silence(descriptor: int) -> None:
    """Send what is still buffered nowhere, so that the interpreter's end stays quiet."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, descriptor)
    os.close(null)
