"""What a live comparison shows while it goes on, drawn between two pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stratoperf.analysis.live.listener import LiveListener
from stratoperf.cli.display import Display, duration_text
from stratoperf.cli.screen import Screen
from stratoperf.report.comparison_words import basis_text, ratio_text

if TYPE_CHECKING:
    from stratoperf.analysis.comparison import ComparedMetric
    from stratoperf.analysis.paired import Look

AROUND_KEY = 60
"""Columns of the counts, the interval and the time left."""


class LiveProgress(LiveListener):
    """Shows the pairs done, the interval so far and the time left.

    Parameters
    ----------
    screen
        Where to; the standard error stream, so that results can be piped.
    beside
        What else takes how long, for the plan.
    """

    def __init__(self, screen: Screen, beside: str = "") -> None:
        self._screen = screen
        self._beside = beside
        self._display = Display(screen)
        self._count = 0
        self._budget = 0.0
        self._done = 0
        self._ratio = ""

    def planned(self, keys: Sequence[str], seconds: float) -> None:
        """Print how many results are compared and how long measuring them takes."""
        self._count = len(keys)
        self._budget = seconds / len(keys)
        results = "1 result" if self._count == 1 else f"{self._count} results"
        text = f"plan: {results} to compare, about {duration_text(seconds)} of measuring or less"
        text += self._beside
        self._display.guard(lambda: self._screen.line(text, "bold"))
        self._display.start(seconds)
        self._display.show(0, f"{self._numbered(keys[0])}  {duration_text(seconds)} left")

    def warned(self, warnings: Sequence[str]) -> None:
        """Print each, also where the comparison repeats it: now one can still stop."""
        text = "\n".join(f"warning: {warning}" for warning in warnings)
        self._display.guard(lambda: self._screen.line(text))

    def pair(self, key: str, look: Look | None, pairs: int, seconds: float) -> None:
        """Show what all pairs say; where lines cannot be redrawn, only when it was looked at."""
        if look is not None:
            self._ratio = f"ratio {ratio_text(look.ratio)}"
        done = "1 pair" if pairs == 1 else f"{pairs} pairs"
        if self._display.is_live:
            spent = self._done * self._budget + min(seconds, self._budget)
            left = duration_text(self._count * self._budget - spent)
            parts = [self._numbered(key), done, self._ratio, f"{left} left"]
            self._display.show(spent, "  ".join(part for part in parts if part))
        elif look is not None and look.verdict == "inconclusive":
            text = f"{self._numbered(key)}: {done} in {seconds:.1f} s, {self._ratio}"
            self._display.guard(lambda: self._screen.line(text))

    def decided(self, metric: ComparedMetric) -> None:
        """Count the case, and print its verdict where there is no live display."""
        if not self._display.is_live:
            text = (
                f"{self._numbered(metric.key)}: {metric.verdict}, ratio "
                f"{ratio_text(metric.ratio)}, {basis_text(metric)}"
            )
            self._display.guard(lambda: self._screen.line(text))
        self._done += 1
        self._ratio = ""
        self._display.show(self._done * self._budget)

    def close(self) -> None:
        """Remove the live display."""
        self._display.close()

    def _numbered(self, key: str) -> str:
        name = self._display.shortened(key, AROUND_KEY) if self._display.is_live else key
        return f"[{self._done + 1}/{self._count}] {name}"
