"""What a live comparison shows while it goes on, drawn between two pairs."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import TYPE_CHECKING

from stratoperf.cli.display import Display
from stratoperf.cli.screen import Screen
from stratoperf.report.comparison_words import basis_text
from stratoperf.report.units import duration, ratio_interval
from stratoperf.running.live.listener import LiveListener

if TYPE_CHECKING:
    from stratoperf.analysis.comparison import ComparedMetric
    from stratoperf.analysis.paired import Look


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
        text = f"plan: {results} to compare, about {duration(seconds)} of measuring or less"
        text += self._beside
        self._display.guard(lambda: self._screen.paragraph(text, "bold", indent="  "))
        self._display.start(seconds)
        self._display.show(0, self._number, keys[0], (f"{duration(seconds)} left", ""))

    def warned(self, warnings: Sequence[str]) -> None:
        """Print each, also where the comparison repeats it: now one can still stop."""
        for warning in warnings:
            text = f"warning: {warning}"
            self._display.guard(functools.partial(self._screen.paragraph, text, indent="  "))

    def pair(self, key: str, look: Look | None, pairs: int, seconds: float) -> None:
        """Show what all pairs say; where lines cannot be redrawn, only when it was looked at."""
        if look is not None:
            self._ratio = f"ratio {ratio_interval(look.ratio)}"
        done = "1 pair" if pairs == 1 else f"{pairs} pairs"
        if self._display.is_live:
            spent = self._done * self._budget + min(seconds, self._budget)
            left = f"{duration(self._count * self._budget - spent)} left"
            parts = [part for part in (done, self._ratio, left) if part]
            facts = ("  ".join(parts), self._ratio or left, left, "")
            self._display.show(spent, self._number, key, facts)
        elif look is not None and look.verdict == "inconclusive":
            text = f"{self._number} {key}: {done} in {seconds:.1f} s, {self._ratio}"
            self._display.guard(lambda: self._screen.line(text))

    def decided(self, metric: ComparedMetric) -> None:
        """Count the case, and print its verdict where there is no live display."""
        if not self._display.is_live:
            text = (
                f"{self._number} {metric.key}: {metric.verdict}, ratio "
                f"{ratio_interval(metric.ratio)}, {basis_text(metric)}"
            )
            self._display.guard(lambda: self._screen.line(text))
        self._done += 1
        self._ratio = ""
        self._display.advance(self._done * self._budget)

    def close(self) -> None:
        """Remove the live display."""
        self._display.close()

    @property
    def _number(self) -> str:
        return f"[{self._done + 1}/{self._count}]"
