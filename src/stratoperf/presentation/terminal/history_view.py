"""A history in the terminal: a table with sparklines, then the change points in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stratoperf.presentation.history_words import (
    change_text,
    gaps_text,
    last_over_first,
    machine_text,
    params_text,
    runs_text,
    scatter_text,
    sparkline,
    trend_name,
)
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.presentation.terminal.tables import Cell, Column, Table, print_grouped
from stratoperf.text.alike_cases import cases_of
from stratoperf.text.units import quantity

if TYPE_CHECKING:
    from stratoperf.analysis.history import ChangePoint, History, Trend

WIDTHS = (30, 16, 8)
"""Columns of a sparkline: the most that the terminal has room for."""


def show_history(screen: Screen, history: History, *, remarks_only: bool = False) -> None:
    """Print the trends, machine by machine, and what a reader must know about them.

    Parameters
    ----------
    screen
        Where to.
    history
        What to show.
    remarks_only
        Leaves out the trends: what goes to stderr beside JSON.
    """
    if not remarks_only:
        machines = list(dict.fromkeys(trend.machine for trend in history.trends))
        for machine in machines:
            _show_machine(screen, [trend for trend in history.trends if trend.machine == machine])
        screen.line()
        _show_summary(screen, history)
    for warning in history.warnings:
        screen.paragraph(f"warning: {warning}", "yellow", indent="  ")
    for left in history.left_out:
        screen.paragraph(f"left out: {left.what}: {left.why}", "yellow", indent="  ")


def _show_machine(screen: Screen, trends: Sequence[Trend]) -> None:
    shown = dict.fromkeys(f"{trend.metric} {trend.statistic}" for trend in trends)
    screen.heading(f"{', '.join(shown)} on {machine_text(trends[0])}")
    measured = [trend for trend in trends if trend.values]
    if measured:
        print_grouped(screen, *(_table(measured, width) for width in WIDTHS))
    for trend in measured:
        _show_remarks(screen, trend)
    _show_never_measured(screen, [trend for trend in trends if not trend.values])


def _table(trends: Sequence[Trend], width: int) -> Table:
    """Return columns and rows; scatter gives way first, then the first value, runs and trend."""
    with_backend = len({trend.backend for trend in trends}) > 1
    with_params = any(trend.params for trend in trends)
    columns = [
        Column("benchmark", key=True, name=True),
        *([Column("parameters", key=True)] if with_params else []),
        *([Column("backend", key=True)] if with_backend else []),
        Column("runs", right=True, drop=2),
        Column("trend", drop=1),
        Column("first", right=True, drop=3),
        Column("last", right=True),
        Column("change", right=True),
        Column("scatter", right=True, drop=4),
    ]
    rows = [
        [
            Cell(trend.benchmark),
            *([Cell(params_text(trend))] if with_params else []),
            *([Cell(trend.backend)] if with_backend else []),
            Cell(runs_text(trend)),
            Cell(sparkline(trend, width)),
            Cell(quantity(trend.first, trend.unit)),
            Cell(quantity(trend.last, trend.unit)),
            Cell(last_over_first(trend)),
            Cell(scatter_text(trend.scatter)),
        ]
        for trend in trends
    ]
    return Table(columns, rows)


def _show_remarks(screen: Screen, trend: Trend) -> None:
    for change in trend.change_points or ():
        text = f"{trend_name(trend)}: {change_text(trend, change)}"
        screen.paragraph(text, _style(change), indent="  ")
    for why in gaps_text(trend):
        screen.paragraph(f"{trend_name(trend)}: gap: {why}", "dim", indent="  ")


def _show_never_measured(screen: Screen, trends: Sequence[Trend]) -> None:
    """Print one line for all cases that no run could measure for one reason."""
    benchmarks: dict[tuple[str, str], list[str]] = {}
    for trend in trends:
        why = next((moment.gap for moment in trend.gaps if moment.gap), "no value")
        benchmarks.setdefault((trend.backend, why), []).append(trend.benchmark)
    for (backend, why), names in benchmarks.items():
        text = f"never measured: {cases_of(names)} on {backend}: {why}"
        screen.paragraph(text, "dim", indent="  ")


def _style(change: ChangePoint) -> str:
    return "bold red" if change.ratio >= 1 else "green"


def _show_summary(screen: Screen, history: History) -> None:
    count = sum(len(trend.change_points or ()) for trend in history.trends)
    searched = [trend for trend in history.trends if trend.change_points is not None]
    runs = "1 run" if history.runs == 1 else f"{history.runs} runs"
    points = {0: "no change point", 1: "1 change point"}.get(count, f"{count} change points")
    if searched:
        screen.paragraph(f"{runs}, {points}; {history.method}", "dim", indent="  ")
        for trend in history.trends:
            if trend.not_searched is not None and trend.values:
                text = f"{trend_name(trend)}: not searched: {trend.not_searched}"
                screen.paragraph(text, "dim", indent="  ")
        return
    # All for the same reason as a rule, which the warnings do not tell when it is too few runs.
    reasons = dict.fromkeys(
        trend.not_searched for trend in history.trends if trend.not_searched and trend.values
    )
    for why in reasons:
        if why not in history.warnings:
            screen.paragraph(f"{runs}; no change points: {why}", "dim", indent="  ")
