"""The entry point: runs a command and turns every ending into an exit code."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

import click

from stratoperf.cli.application import application
from stratoperf.cli.exits import ExitCode, exit_code
from stratoperf.errors import StratoperfError
from stratoperf.safe_text import log_line

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
        _log_verbosely()
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
        return ExitCode.BROKEN_PIPE
    except KeyboardInterrupt:
        _say("interrupted")
        return ExitCode.TERMINATED if terminated else ExitCode.INTERRUPTED
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
        _say(*_usage(error))
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
        return f"cannot use {os.fsdecode(error.filename)}: {why}; check the path and who may use it"
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
        return f"{kind}, which cannot be shown: its text raises an error itself"


def _say(*messages: str) -> None:
    # Here, so that help comes at once.
    from stratoperf.cli.screen import Screen

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
