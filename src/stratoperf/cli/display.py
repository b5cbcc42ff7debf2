"""A line that shows how far a measurement is, in a terminal.

It is redrawn on request and never by itself. A display that refreshes itself needs a second
thread, which would take the GIL, the cache and at times the very CPU from the work being timed:
the instrument would disturb what it measures. So the line names the time of the end, which stays
true while it stands still.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from rich.progress import BarColumn, Progress, TaskID, TextColumn

from stratoperf.cli.screen import Screen

BAR_WIDTH = 10
AROUND_NAME = 40
"""Columns of counts, the time left and the gaps, at their longest."""

LEAST_NAME = 12

_LONGEST_DAY_S = 86_400.0


class Display:
    """A bar with a text. Once nobody watches any more it stays quiet: the measurement goes on.

    Parameters
    ----------
    screen
        Where to; the standard error stream, so that results can be piped.
    """

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self._broken = False
        self._progress: Progress | None = None
        self._task = TaskID(0)

    @property
    def is_live(self) -> bool:
        """Whether there is a line to redraw; elsewhere lines are printed one below the other."""
        return self._progress is not None

    def guard(self, draw: Callable[[], None]) -> None:
        """Draw, unless the reader has gone away."""
        if self._broken:
            return
        try:
            draw()
        except OSError:
            self._broken = True

    def start(self, total: float) -> None:
        """Begin to show, where the output is a terminal that can move its cursor."""
        if not self.screen.fancy:
            return
        self._progress = Progress(
            BarColumn(bar_width=BAR_WIDTH),
            TextColumn("{task.description}", markup=False),
            console=self.screen.console,
            auto_refresh=False,
            transient=True,
            # What another package prints to stdout belongs to the results' stream.
            redirect_stdout=False,
            redirect_stderr=False,
        )
        self._task = self._progress.add_task("", total=total)
        self.guard(self._progress.start)

    def show(self, completed: float, text: str | None = None) -> None:
        """Redraw the line; ``None`` leaves its text."""
        progress = self._progress
        if progress is None:
            return
        progress.update(self._task, completed=completed)
        if text is not None:
            progress.update(self._task, description=self.screen.shown(text))
        self.guard(progress.refresh)

    def close(self) -> None:
        """Remove the line."""
        if self._progress is not None:
            self.guard(self._progress.stop)
            self._progress = None

    def shortened(self, name: str, around: int = AROUND_NAME) -> str:
        """Return a name that leaves room for so many columns around it."""
        room = max(self.screen.width - BAR_WIDTH - around, LEAST_NAME)
        return name if len(name) <= room else f"{name[: room - 1]}…"


def left_text(seconds: float) -> str:
    """Return how much time is left and when that ends: ``45 s left, done by 12:34:56``."""
    if seconds > _LONGEST_DAY_S:
        return f"{duration_text(seconds)} left"
    end = datetime.now() + timedelta(seconds=seconds)
    return f"{duration_text(seconds)} left, done by {end:%H:%M:%S}"


def duration_text(seconds: float) -> str:
    """Return a length of time such as ``45 s``, ``3:20 min`` or ``2:05 h``."""
    whole = round(seconds)
    if whole < 100:
        return f"{max(whole, 1)} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 100:
        return f"{minutes}:{rest:02} min"
    return f"{minutes // 60}:{minutes % 60:02} h"
