"""Signal handlers around foreign code: what they raise is noted, and they are restored."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any, TypeAlias

from stratoperf.running.interrupts import PATIENCE, STOP_SIGNALS

_Handler: TypeAlias = Callable[[int, FrameType | None], Any]

# Once, as numbers: the enumeration takes longer than all else here.
_SIGNALS = tuple(map(int, signal.valid_signals()))


class KeptHandlers:
    """Stands before the handlers in Python that were there, and notes what they raise.

    Off the main thread it does nothing: Python runs handlers on the main thread alone, and lets no
    other install them.

    Attributes
    ----------
    interrupts
        What the handlers raised.
    are_raising
        Whether that is raised here too. Else it is only noted, but for what the third signal that
        asks to stop raises: then a user gives up.
    """

    def __init__(self) -> None:
        self.interrupts: list[BaseException] = []
        self.are_raising = False
        self._asked = 0
        self._before: dict[int, Any] = {}
        self._ours: dict[int, _Handler] = {}
        self._changed: tuple[int, ...] = ()

    def install(self) -> None:
        """Install wrappers around the handlers."""
        if threading.current_thread() is not threading.main_thread():
            return
        self._before = {number: signal.getsignal(number) for number in _SIGNALS}
        self._ours = {
            number: self._noting(handler)
            for number, handler in self._before.items()
            if callable(handler)
        }
        for number, handler in self._ours.items():
            signal.signal(number, handler)

    def take_over(self) -> list[str]:
        """Install the wrappers again where foreign code installed handlers of its own.

        Returns
        -------
        list
            The names of the signals whose handlers it changed.
        """
        changed = {
            number: self._ours.get(number, _do_nothing)
            for number, handler in self._before.items()
            if signal.getsignal(number) is not self._ours.get(number, handler)
        }
        self._changed = tuple(changed)
        # One that Python did not install cannot be put back: there the foreign one stays.
        remaining = [item for item in changed.items() if self._before[item[0]] is not None]
        while remaining:
            # A handler of the foreign code may run until it is replaced; what it raises is past.
            with contextlib.suppress(BaseException):
                while remaining:
                    signal.signal(*remaining[-1])
                    remaining.pop()
        return [_name(number) for number in changed]

    def put_back(self) -> None:
        """Put the handlers back; what one of them raises meanwhile is noted."""
        numbers = dict.fromkeys((*self._ours, *self._changed))
        remaining = [(number, self._before[number]) for number in numbers]
        remaining = [item for item in remaining if item[1] is not None]
        # Those that raise come last, and so find little to interrupt.
        remaining.sort(key=lambda item: (item[0] != signal.SIGINT, item[0] not in STOP_SIGNALS))
        while remaining:
            try:
                while remaining:
                    signal.signal(*remaining[-1])
                    remaining.pop()
            except BaseException as interrupt:
                self.interrupts.append(interrupt)

    def _noting(self, handler: _Handler) -> _Handler:
        def noting(number: int, frame: FrameType | None) -> None:
            self._asked += number in STOP_SIGNALS
            try:
                handler(number, frame)
            except BaseException as interrupt:
                self.interrupts.append(interrupt)
                if self.are_raising or self._asked >= PATIENCE:
                    raise

        return noting


def _name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:  # a real-time signal
        return f"signal {number}"


def _do_nothing(number: int, frame: FrameType | None) -> None:
    """Take the place of a handler where there was none, until its timer is put back."""
