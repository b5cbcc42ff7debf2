"""The progress of a run.

Everything is drawn between two measurements, on the thread that measures; `Display` says why.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from stratoperf.presentation.terminal.display import WORTH_A_BAR, end_text
from stratoperf.presentation.terminal.progress import CaseProgress
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.presentation.variation_words import scope_of
from stratoperf.running.listener import Listener
from stratoperf.text.safety import one_line
from stratoperf.text.units import duration, parameters, quantity, size

if TYPE_CHECKING:
    from stratoperf.results import Result
    from stratoperf.running.cases import Case, Plan


class RunProgress(CaseProgress["Plan", "Case", "Result"], Listener):
    """Prints the plan and then the progress of a run; see `CaseProgress`."""

    def __init__(self, screen: Screen) -> None:
        super().__init__(screen)
        self._started = 0.0
        self._pass = 0
        # The cases to measure by index: in a plan, all that are not finished.
        self._open: dict[int, Case] = {}
        # By the index of an open case, the share of its processes that have ended, and of those the
        # share that an earlier part of the run had.
        self._ended: dict[int, float] = {}
        self._earlier: dict[int, float] = {}

    def planned(self, plan: Plan) -> None:
        """Print what is to be measured, its time and the bytes it writes."""
        self._started = time.monotonic()
        self._open = {
            index: case for index, case in enumerate(plan.cases) if case.key not in plan.finished
        }
        self.warned(plan.warnings)
        self._print(describe_plan(plan), "bold")
        if plan.finished:
            count = len(plan.finished)
            cases = "1 case was" if count == 1 else f"{count} cases were"
            self._print(f"{cases} measured before", "dim")
        # Cases that cannot run here would make the rest look unmeasured.
        self._count = sum(case.skip_reason is None for case in plan.cases)
        if self._open:
            self._display.start(1.0)

    def case_started(self, index: int, case: Case) -> None:
        """Show the current case, and when all will be done."""
        del index  # It counts cases that cannot run here, too.
        if case.skip_reason is not None:
            return
        self._show(f"{self._done}/{self._count}", case)

    def process_started(self, index: int, case: Case, number: int, planned: int) -> None:
        """Show the number of the pass over the cases."""
        share = (number - 1) / max(number, planned)
        self._earlier.setdefault(index, share)
        self._ended[index] = share
        passes = max(number, self._passes)
        narrow = self._screen.width < WORTH_A_BAR
        self._show(f"{number}/{passes}" if narrow else f"pass {number} of {passes},", case)
        # Of a single case all passes are alike.
        is_news = len(self._open) > 1 and passes > 1 and number > self._pass
        if is_news:
            self._print_line(f"pass {number} of {passes}")
        self._pass = max(number, self._pass)

    def process_finished(self, index: int, case: Case, number: int, planned: int) -> None:
        """Count the process."""
        del case
        self._ended[index] = number / max(number, planned)
        self._display.advance(self._share_done)

    def case_finished(self, index: int, case: Case, outcome: Result) -> None:
        """Count the case, and print its outcome where there is no live display."""
        if case.skip_reason is not None:
            return
        self._done += 1
        self._ended[index] = 1.0
        self._display.advance(self._share_done)
        number = f"[{self._done:{len(str(self._count))}}/{self._count}]"
        self._print_line(f"{number} {outcome_text(outcome)}")

    def _show(self, number: str, case: Case) -> None:
        name = f"{case.benchmark.name} {parameters(case.params.items())}".strip()
        seconds = self._seconds_left()
        left = f"{duration(seconds)} left"
        self._display.show(self._share_done, number, name, (f"{left}{end_text(seconds)}", left, ""))

    @property
    def _passes(self) -> int:
        """How many processes a case has at most."""
        return max((case.most for case in self._open.values() if case.is_measured), default=1)

    @property
    def _share_done(self) -> float:
        """The part of the planned time that has been measured."""
        total = self._planned(dict.fromkeys(self._open, 1.0))
        return self._planned(self._ended) / total if total > 0 else 0.0

    def _planned(self, shares: Mapping[int, float]) -> float:
        """Return the seconds that were planned for so large shares of the open cases."""
        return sum(case.seconds * shares.get(index, 0.0) for index, case in self._open.items())

    def _seconds_left(self) -> float:
        """Return the plan's remaining time, corrected by how fast it went so far."""
        ended, earlier = self._planned(self._ended), self._planned(self._earlier)
        remaining = max(self._planned(dict.fromkeys(self._open, 1.0)) - ended, 0.0)
        if ended <= earlier:
            return remaining
        # Cases that are precise early end early; never promise less than half the plan's time.
        pace = (time.monotonic() - self._started) / (ended - earlier)
        return remaining * min(max(pace, 0.5), 1.5)


def describe_plan(plan: Plan) -> str:
    """Return the size of a plan in one line: cases, time and bytes."""
    count = len(plan.open_cases)
    skipped = sum(case.skip_reason is not None for case in plan.open_cases)
    cases = f"{count - skipped} case{'' if count - skipped == 1 else 's'}"
    if skipped:
        cases += f" ({skipped} more cannot run here)"
    # The size of results is an estimate.
    numbers = sorted({case.most for case in plan.open_cases if case.is_measured})
    if numbers[-1:] > [1]:
        least = f"{numbers[0]} to " if len(numbers) > 1 else ""
        exactly = "" if plan.request.processes is not None else "up to "
        cases += f" in {exactly}{least}{numbers[-1]} processes each"
    bound = "up to about" if plan.saves else "at most"
    written = f", {bound} {size(plan.bytes)} on disk" if plan.bytes else ""
    return f"plan: {cases}, at most {duration(plan.seconds)}{written}"


def outcome_text(result: Result) -> str:
    """Return the outcome of a case in one line."""
    if result.status != "ok":
        return f"{result.key}: {result.status}: {one_line(result.reason or 'no reason given')}"
    latency = result.metrics.get("latency")
    p50 = latency.statistic("p50") if latency is not None else None
    if p50 is None:
        return f"{result.key}: done"
    scope = scope_of(result)
    return f"{result.key}: p50 {quantity(p50.value, 'ns')}{f', {scope}' if scope else ''}"
