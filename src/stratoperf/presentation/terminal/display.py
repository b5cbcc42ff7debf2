"""A line in the terminal that shows the progress of a measurement.

It is redrawn on request and never by itself. A display that refreshes itself needs a second
thread, which would take the GIL, the cache and at times the very CPU from the work being timed:
the instrument would disturb what it measures. So the line names the time of the end, which stays
true while it stands still.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from rich.cells import cell_len
from rich.progress import BarColumn, Progress, TaskID, TextColumn

from stratoperf.presentation.terminal.fitting import MARK, fitted_name
from stratoperf.presentation.terminal.screen import Screen

BAR_WIDTH = 10
WORTH_A_BAR = 60
"""Columns from which a terminal has room for the bar."""

LEAST_NAME = 12
"""Columns that a name keeps while there is something else to leave out."""

_LONGEST_DAY_S = 86_400.0


class Display:
    """A bar with a text. When its terminal is gone it stays quiet, and the measurement goes on.

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
        """Whether there is a line to redraw; otherwise each line is printed below the last."""
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
        """Start the display if the output is a terminal that can move its cursor."""
        if not self.screen.fancy:
            return
        self._progress = Progress(
            *([BarColumn(bar_width=BAR_WIDTH)] if self._bar else []),
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

    def advance(self, completed: float) -> None:
        """Redraw the line with the same text."""
        if self._progress is not None:
            self._progress.update(self._task, completed=completed)
            self.guard(self._progress.refresh)

    def show(self, completed: float, number: str, name: str, facts: Sequence[str]) -> None:
        """Redraw the line.

        Parameters
        ----------
        completed
            How much of the total is done.
        number
            What stands before the name.
        name
            What is measured; it is shortened where the line is too narrow.
        facts
            What stands behind the name, from the longest form to the shortest.
        """
        if self._progress is not None:
            text = self._fitted(number, *map(self.screen.shown, (name, *facts)))
            self._progress.update(self._task, description=text)
            self.advance(completed)

    def _fitted(self, number: str, name: str, *facts: str) -> str:
        around = cell_len(f"{number}   ") + (BAR_WIDTH + 1 if self._bar else 0)
        least = min(cell_len(name), LEAST_NAME)
        room = [self.screen.width - around - cell_len(fact) for fact in facts]
        fitting = next((place for place, columns in enumerate(room) if columns >= least), -1)
        short = fitted_name(name, max(room[fitting], 1), self.screen.shown(MARK))
        return f"{number} {short}  {facts[fitting]}".rstrip()

    @property
    def _bar(self) -> bool:
        return self.screen.width >= WORTH_A_BAR

    def close(self) -> None:
        """Remove the line."""
        if self._progress is not None:
            self.guard(self._progress.stop)
            self._progress = None


def end_text(seconds: float) -> str:
    """Return when these seconds will have passed: ``, done by 12:34:56``.

    Nothing where that is not today or tomorrow: the time of day would not tell.
    """
    if not seconds <= _LONGEST_DAY_S:
        return ""
    end = datetime.now() + timedelta(seconds=seconds)
    return f", done by {end:%H:%M:%S}"
