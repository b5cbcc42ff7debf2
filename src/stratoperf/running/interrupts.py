"""Signals that ask to stop, above all Ctrl-C: what they do, and what is finished before that.

The command line stops at all of `STOP_SIGNALS` (`StopSignals`). In a script or a notebook nothing
is installed: there whatever its handlers raise is held back by `deferred_interrupt` alone.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Ctrl-C, what ``kill`` sends, a terminal or connection that closes, and Ctrl-\\."""

PATIENCE = 3
"""The signal that no longer waits for what is being saved: the third, for a user who gives up."""


class StopSignals:
    """Makes the signals that ask to stop raise ``KeyboardInterrupt``, until it is restored.

    The first raises it. The second does nothing, since what was measured is being saved: people
    press Ctrl-C twice, and a closing terminal sends SIGHUP more than once. Every later one raises
    again. A signal that this process ignores from its start (``nohup``, the background of a
    script) stays ignored.

    Parameters
    ----------
    came
        Is called with the number of each signal and how many came, before anything is raised.

    Attributes
    ----------
    numbers
        The signals that came.
    """

    def __init__(self, came: Callable[[int, int], None]) -> None:
        self.numbers: list[int] = []
        self._came = came
        self._has_ended = False
        self._previous: dict[int, Any] = {}
        for number in STOP_SIGNALS:
            # None: a handler that is not Python's, which could not be put back.
            if signal.getsignal(number) not in (signal.SIG_IGN, None):
                self._previous[number] = signal.signal(number, self)

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        del frame
        if self._has_ended:
            return
        self.numbers.append(number)
        self._came(number, len(self.numbers))
        if len(self.numbers) != PATIENCE - 1:
            raise KeyboardInterrupt

    def end(self) -> None:
        """Ignore signals that still come."""
        self._has_ended = True

    def restore(self, *, exiting: bool) -> None:
        """Put back what was there.

        Parameters
        ----------
        exiting
            The process ends now: a signal shall end it without a word, where Python's own handler
            of Ctrl-C would show a traceback.
        """
        self.end()
        for number, previous in self._previous.items():
            signal.signal(number, signal.SIG_DFL if exiting else previous)


@contextlib.contextmanager
def deferred_interrupt() -> Iterator[list[int]]:
    """Run a block to its end, even if a signal asks to stop.

    Handlers in Python run when the block has ended, and what they raise counts then;
    ``KeyboardInterrupt`` is left to the caller. The third signal ends the block at once. A signal
    that is ignored, or ends the process without a handler, is left alone.

    Yields
    ------
    list
        Not empty, after the block, when a signal asked to stop.
    """
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        # Python runs signal handlers on the main thread alone: nothing can interrupt this one.
        yield pressed
        return
    deferral = _Deferral()
    try:
        deferral.install()
        yield pressed
    finally:
        pressed += deferral.end()


class _Deferral:
    """Handlers that remember, and what they remember."""

    def __init__(self) -> None:
        self._previous: dict[int, Callable[[int, FrameType | None], Any]] = {}
        self._pending: list[int] = []
        self._is_over = False

    def install(self) -> None:
        for number in STOP_SIGNALS:
            previous = signal.getsignal(number)
            if callable(previous):
                # Known before it is replaced: a signal may come in between.
                self._previous[number] = previous
                signal.signal(number, self._remember)

    def end(self) -> list[int]:
        """Put the handlers back and run them; return the signals that asked to stop."""
        # From now on what is not yet put back passes signals on.
        self._is_over = True
        asked = []
        try:
            for number, previous in self._previous.items():
                signal.signal(number, previous)
        finally:
            while self._pending:
                number = self._pending[0]
                try:
                    self._deliver()
                except KeyboardInterrupt:
                    asked.append(number)
        return asked

    def _remember(self, number: int, frame: FrameType | None) -> None:
        if self._is_over:
            self._previous[number](number, frame)
            return
        self._pending.append(number)
        handler = self._previous[number]
        earlier = len(handler.numbers) if isinstance(handler, StopSignals) else 0
        if earlier + len(self._pending) >= PATIENCE:
            while self._pending:
                self._deliver()

    def _deliver(self) -> None:
        number = self._pending.pop(0)
        self._previous[number](number, None)
