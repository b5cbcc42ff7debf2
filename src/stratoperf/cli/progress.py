"""What a run shows while it goes on.

Everything is drawn between two measurements, on the thread that measures; `Display` says why.
"""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import TYPE_CHECKING

from stratoperf.cli.display import Display, end_text
from stratoperf.cli.screen import Screen
from stratoperf.report.units import duration, parameters, quantity, size
from stratoperf.running.listener import Listener
from stratoperf.safe_text import one_line

if TYPE_CHECKING:
    from stratoperf.results import Result
    from stratoperf.running.planner import Case, Plan


class RunProgress(Listener):
    """Prints the plan and then the progress of a run.

    Parameters
    ----------
    screen
        Where to; the standard error stream, so that results can be piped.

    Attributes
    ----------
    path
        The run file, once it is saved.
    """

    def __init__(self, screen: Screen) -> None:
        self.path: Path | None = None
        self._screen = screen
        self._plan: Plan | None = None
        self._started = 0.0
        self._planned_so_far = 0.0
        self._count = 0
        self._done = 0
        self._display = Display(screen)

    def planned(self, plan: Plan) -> None:
        """Print what will be measured, for how long and how much it writes."""
        self._plan = plan
        self._started = time.monotonic()
        self._display.guard(lambda: self._show_plan(plan))
        # Cases that cannot run here would make the rest look unmeasured.
        self._count = sum(case.skip_reason is None for case in plan.cases)
        if plan.open_cases:
            self._display.start(self._count)

    def case_started(self, index: int, case: Case) -> None:
        """Show which case is measured now and when all will be done."""
        del index  # It counts cases that cannot run here, too.
        if self._plan is None or case.skip_reason is not None:
            return
        name = f"{case.benchmark.name} {parameters(case.params.items())}".strip()
        seconds = self._seconds_left()
        left = f"{duration(seconds)} left"
        facts = (f"{left}{end_text(seconds)}", left, "")
        self._display.show(self._done, f"{self._done}/{self._count}", name, facts)

    def case_finished(self, index: int, case: Case, result: Result) -> None:
        """Count the case, and print its outcome where there is no live display."""
        del index
        if self._plan is None or case.skip_reason is not None:
            return
        self._done += 1
        if case.key not in self._plan.finished:
            self._planned_so_far += case.seconds
        if self._display.is_live:
            self._display.advance(self._done)
        else:
            text = f"[{self._done:{len(str(self._count))}}/{self._count}] {outcome(result)}"
            self._display.guard(lambda: self._screen.line(text))

    def saved(self, path: Path) -> None:
        """Remember where the run file is, as its user would write it."""
        with contextlib.suppress(ValueError, OSError):
            path = path.relative_to(Path.cwd())
        self.path = path
        self.close()

    def close(self) -> None:
        """Remove the live display."""
        self._display.close()

    def _show_plan(self, plan: Plan) -> None:
        for warning in plan.warnings:
            self._screen.paragraph(f"warning: {warning}", "yellow", indent="  ")
        self._screen.paragraph(describe_plan(plan), "bold", indent="  ")
        if plan.finished:
            count = len(plan.finished)
            cases = "1 case was" if count == 1 else f"{count} cases were"
            self._screen.paragraph(f"{cases} measured before", "dim", indent="  ")

    def _seconds_left(self) -> float:
        """Return the plan's remaining time, corrected by how fast it went so far."""
        if self._plan is None:
            return 0.0
        remaining = max(self._plan.seconds - self._planned_so_far, 0.0)
        if self._planned_so_far <= 0:
            return remaining
        # Cases that are precise early end early; never promise less than half the plan's time.
        pace = (time.monotonic() - self._started) / self._planned_so_far
        return remaining * min(max(pace, 0.5), 1.5)


def describe_plan(plan: Plan) -> str:
    """Return the size of a plan in one line: cases, time and bytes."""
    count = len(plan.open_cases)
    skipped = sum(case.skip_reason is not None for case in plan.open_cases)
    cases = f"{count - skipped} case{'' if count - skipped == 1 else 's'}"
    if skipped:
        cases += f" ({skipped} more cannot run here)"
    # Of results no more than an estimate is known before.
    bound = "up to about" if plan.saves else "at most"
    written = f", {bound} {size(plan.bytes)} on disk" if plan.bytes else ""
    return f"plan: {cases}, at most {duration(plan.seconds)}{written}"


def outcome(result: Result) -> str:
    """Return the outcome of a case in one line."""
    if result.status != "ok":
        return f"{result.key}: {result.status}: {one_line(result.reason or 'no reason given')}"
    latency = result.metrics.get("latency")
    p50 = latency.statistic("p50") if latency is not None else None
    return f"{result.key}: p50 {quantity(p50.value, 'ns')}" if p50 else f"{result.key}: done"
