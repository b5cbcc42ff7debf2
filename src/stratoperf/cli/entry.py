"""The entry point: runs a command and turns every ending into an exit code."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from types import FrameType

import click

from stratoperf.cli.application import application
from stratoperf.cli.exits import ExitCode, exit_code
from stratoperf.errors import StratoperfError

DEBUG = "STRATOSWARM_BENCH_DEBUG"

PRESS_AGAIN_S = 0.01
"""Long enough for a destructor to end, too short to be noticed."""

logger = logging.getLogger(__name__)


def run(arguments: Sequence[str]) -> int:
    """Run a command and return the exit code.

    Parameters
    ----------
    arguments
        Without the program's name.
    """
    debug = os.environ.get(DEBUG, "0") not in ("", "0")
    if debug:
        logging.basicConfig(
            level=logging.DEBUG,
            stream=sys.stderr,
            format="%(asctime)s %(levelname)s %(name)s: %(message)s",
        )
    terminated = _Terminated()
    lost = _LostInterrupts()
    try:
        with warnings.catch_warnings():
            if not debug:
                # What a user must know is part of the output; the rest is for developers.
                warnings.simplefilter("ignore")
            code = _invoke(list(arguments), terminated)
        sys.stdout.flush()
        return ExitCode.TERMINATED if terminated and code == ExitCode.INTERRUPTED else code
    except BrokenPipeError:
        _silence(sys.stdout.fileno())
        return ExitCode.BROKEN_PIPE
    except KeyboardInterrupt:
        _say("interrupted")
        return ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED
    except StratoperfError as error:
        logger.debug("the error in full", exc_info=True)
        _say(f"error: {error}")
        return exit_code(error)
    except Exception as error:
        logger.debug("the error in full", exc_info=True)
        hint = "" if debug else f"\nset {DEBUG}=1 to see where it comes from"
        _say(f"error: {type(error).__name__}: {error}{hint}")
        return ExitCode.FAILED
    finally:
        lost.restore()
        terminated.restore()


def _invoke(arguments: list[str], terminated: _Terminated) -> int:
    try:
        result = application.main(
            arguments, prog_name="stratoperf", standalone_mode=False, obj=terminated
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


class _Terminated:
    """Makes SIGTERM act like Ctrl-C, and remembers that it came; true once it has."""

    def __init__(self) -> None:
        self._came = False
        self._previous = signal.signal(signal.SIGTERM, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self._came = True
        # Through the handler of SIGINT, which the suite replaces while it saves a result. In the
        # background of a script SIGINT is ignored and has none.
        handler = signal.getsignal(signal.SIGINT)
        if callable(handler):
            handler(number, frame)
        else:
            raise KeyboardInterrupt

    def __bool__(self) -> bool:
        return self._came

    def restore(self) -> None:
        signal.signal(signal.SIGTERM, self._previous)


class _LostInterrupts:
    """Presses Ctrl-C again where Python lost it.

    Python prints and forgets what a destructor or the callback of a weak reference raises, which
    run whenever an object goes away: at every import, for one.
    """

    def __init__(self) -> None:
        self._previous = sys.unraisablehook
        sys.unraisablehook = self._handle

    def _handle(self, unraisable: sys.UnraisableHookArgs) -> None:
        if issubclass(unraisable.exc_type, KeyboardInterrupt):
            # A little later: what is raised in here would be lost again.
            threading.Timer(PRESS_AGAIN_S, os.kill, (os.getpid(), signal.SIGINT)).start()
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
