"""Ctrl-C at a moment when something must be finished first."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType


@contextlib.contextmanager
def deferred_interrupt() -> Iterator[list[int]]:
    """Let a block run to its end although Ctrl-C is pressed.

    Yields
    ------
    list
        Not empty, after the block, when it was pressed.
    """
    pressed: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        # Python runs signal handlers on the main thread alone: nothing can interrupt this one.
        yield pressed
        return

    def remember(number: int, frame: FrameType | None) -> None:
        del frame
        pressed.append(number)

    previous = signal.signal(signal.SIGINT, remember)
    try:
        yield pressed
    finally:
        signal.signal(signal.SIGINT, previous if previous is not None else signal.SIG_DFL)
