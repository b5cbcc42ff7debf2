"""The progress of a live comparison, drawn between two pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratoperf.presentation.comparison_words import RATIO, basis_text, ratio_text
from stratoperf.presentation.terminal.progress import CaseProgress
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.running.live.listener import LiveListener
from stratoperf.text.units import duration, ratio_interval

if TYPE_CHECKING:
    from stratoperf.analysis.comparison import ComparedMetric
    from stratoperf.analysis.paired_design import Look
    from stratoperf.running.live.cases import Agenda, LiveCase


class LiveProgress(CaseProgress["Agenda", "LiveCase", "ComparedMetric"], LiveListener):
    """Shows the pairs done, the interval so far and the time left; see `CaseProgress`.

    Parameters
    ----------
    screen
        Where to.
    beside
        What else takes how long, for the plan.
    """

    def __init__(self, screen: Screen, beside: str = "") -> None:
        super().__init__(screen)
        self._beside = beside
        self._budget = 0.0
        self._ratio = ""

    def planned(self, plan: Agenda) -> None:
        """Print how many results are compared and how long measuring them takes."""
        self._count = len(plan.cases)
        self._budget = plan.seconds / self._count
        results = "1 result" if self._count == 1 else f"{self._count} results"
        text = f"plan: {results} to compare, at most about {duration(plan.seconds)} of measuring"
        self.warned(plan.warnings)
        self._print(f"{text}{self._beside}", "bold")
        self._display.start(plan.seconds)

    def case_started(self, index: int, case: LiveCase) -> None:
        """Show the current case, and how long all others take at most."""
        del index
        self._ratio = ""
        spent = self._done * self._budget
        self._display.show(spent, self._number, case.key, (self._left(spent), ""))

    def pair(
        self, index: int, case: LiveCase, look: Look | None, pairs: int, seconds: float
    ) -> None:
        """Show the ratio of all pairs; where lines cannot be redrawn, only at a planned look."""
        del index
        if look is not None:
            self._ratio = f"ratio {ratio_interval(look.ratio)}"
        done = "1 pair" if pairs == 1 else f"{pairs} pairs"
        spent = self._done * self._budget + min(seconds, self._budget)
        left = self._left(spent)
        parts = [part for part in (done, self._ratio, left) if part]
        facts = ("  ".join(parts), self._ratio or left, left, "")
        self._display.show(spent, self._number, case.key, facts)
        if look is not None and look.verdict == "inconclusive":
            self._print_line(f"{self._number} {case.key}: {done} in {seconds:.1f} s, {self._ratio}")

    def case_finished(self, index: int, case: LiveCase, outcome: ComparedMetric) -> None:
        """Count the case, and print its verdict where there is no live display."""
        del index, case
        self._print_line(
            f"{self._number} {outcome.key}: {outcome.verdict}, {RATIO} "
            f"{ratio_text(outcome)}, {basis_text(outcome)}"
        )
        self._done += 1
        self._display.advance(self._done * self._budget)

    def _left(self, spent: float) -> str:
        return f"{duration(self._count * self._budget - spent)} left"

    @property
    def _number(self) -> str:
        return f"[{self._done + 1}/{self._count}]"
