"""What a run shows while it goes on.

Everything is drawn between two measurements, on the thread that measures. A display that
refreshes itself needs a second thread, which would take the GIL, the cache and at times the very
CPU from the work being timed: the instrument would disturb what it measures. So the display
names the time of the end, which stays true while it stands still.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn

from stratoperf.cli.screen import Screen
from stratoperf.report.units import format_time
from stratoperf.suite.listener import Listener

if TYPE_CHECKING:
    from stratoperf.results import Result
    from stratoperf.suite.planner import Case, Plan

BAR_WIDTH = 10
AROUND_NAME = 40
"""Columns of the count of cases, the time left and the gaps, at their longest."""


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
        self._broken = False
        self._started = 0.0
        self._planned_so_far = 0.0
        self._display: Progress | None = None
        self._task = TaskID(0)

    def planned(self, plan: Plan) -> None:
        """Print what will be measured, for how long and how much it writes."""
        self._plan = plan
        self._started = time.monotonic()
        self._guard(self._show_plan, plan)

    def case_started(self, index: int, case: Case) -> None:
        """Show which case is measured now and when all will be done."""
        self._guard(self._show_start, index, case)

    def case_finished(self, index: int, case: Case, result: Result) -> None:
        """Count the case, and print its outcome where there is no live display."""
        self._planned_so_far += case.seconds
        self._guard(self._show_end, index, case, result)

    def saved(self, path: Path) -> None:
        """Remember where the run file is."""
        self.path = path
        self.close()

    def close(self) -> None:
        """Remove the live display."""
        if self._display is not None:
            self._guard(self._display.stop)
            self._display = None

    def _guard(self, show: object, *arguments: object) -> None:
        """Draw, unless nobody watches any more: the measurement goes on without a reader."""
        if self._broken or not callable(show):
            return
        try:
            show(*arguments)
        except OSError:
            self._broken = True

    def _show_plan(self, plan: Plan) -> None:
        for warning in plan.warnings:
            self._screen.paragraph(f"warning: {warning}", "yellow")
        self._screen.line(describe_plan(plan), "bold")
        if plan.finished:
            self._screen.line(f"{len(plan.finished)} cases were measured before", "dim")
        if self._screen.fancy and plan.open_cases:
            self._display = Progress(
                BarColumn(bar_width=BAR_WIDTH),
                MofNCompleteColumn(),
                TextColumn("{task.description}", markup=False),
                console=self._screen.console,
                auto_refresh=False,
                transient=True,
                # What another package prints to stdout belongs to the results' stream.
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._task = self._display.add_task("", total=len(plan.cases))
            self._display.start()

    def _show_start(self, index: int, case: Case) -> None:
        if self._display is None or case.skip_reason is not None:
            return
        name = case.benchmark.name
        values = " ".join(f"{key}={value}" for key, value in case.params.items())
        room = max(self._screen.width - BAR_WIDTH - AROUND_NAME, 12)
        text = f"{name} {values}".strip()
        text = text if len(text) <= room else f"{text[: room - 1]}…"
        end = datetime.now() + timedelta(seconds=self._seconds_left())
        left = duration_text(self._seconds_left())
        self._display.update(
            self._task,
            completed=index,
            description=self._screen.shown(f"{text}  {left} left, done by {end:%H:%M:%S}"),
        )
        self._display.refresh()

    def _show_end(self, index: int, case: Case, result: Result) -> None:
        if self._display is not None:
            self._display.update(self._task, completed=index + 1)
            self._display.refresh()
        elif case.skip_reason is None and self._plan is not None:
            count = len(self._plan.cases)
            self._screen.line(f"[{index + 1:{len(str(count))}}/{count}] {outcome(result)}")

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
    size = f", at most {bytes_text(plan.bytes)} on disk" if plan.bytes else ""
    return f"plan: {cases}, at most {duration_text(plan.seconds)}{size}"


def outcome(result: Result) -> str:
    """Return the outcome of a case in one line."""
    if result.status != "ok":
        return f"{result.key}: {result.status}: {result.reason or 'no reason given'}"
    latency = result.metrics.get("latency")
    p50 = latency.statistic("p50") if latency is not None else None
    return f"{result.key}: p50 {format_time(p50.value)}" if p50 else f"{result.key}: done"


def duration_text(seconds: float) -> str:
    """Return a length of time such as ``45 s``, ``3:20 min`` or ``2:05 h``."""
    whole = round(seconds)
    if whole < 100:
        return f"{max(whole, 1)} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 100:
        return f"{minutes}:{rest:02} min"
    return f"{minutes // 60}:{minutes % 60:02} h"


def bytes_text(count: float) -> str:
    """Return a size such as ``12 MB``."""
    for factor, unit in ((1e9, "GB"), (1e6, "MB"), (1e3, "kB")):
        if count >= factor:
            return f"{count / factor:.3g} {unit}"
    return f"{count:.0f} B"
