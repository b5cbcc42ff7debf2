"""A comparison as text: the table, and below it what a reader must know."""

from __future__ import annotations

from stratoperf.analysis.comparison import Comparison, tally
from stratoperf.analysis.gate import Decision
from stratoperf.presentation.comparison_words import (
    INVALIDATING,
    NUMERIC,
    error_text,
    failure_text,
    remaining_texts,
    statistic_text,
    table,
    threshold_text,
)
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.presentation.terminal.tables import Cell, Column, Table, print_grouped
from stratoperf.text.alike_warnings import worst_of_each_kind
from stratoperf.text.safety import one_line

STYLES = {"slower": "bold red", "inconclusive": "yellow", "faster": "bold green", "same": "green"}
OUTCOMES = {
    "passed": "bold green",
    "failed": "bold red",
    "inconclusive": "bold yellow",
    "interrupted": "bold yellow",
}
LOUD = "bold white on red"
SHARED = ("metric", "threshold")
"""Columns that become a line above the table where they say the same in every row."""

KEYS = ("benchmark", "parameters", "backend", "metric")
"""Columns that tell results apart."""

EXPENDABLE = ("current", "baseline", "threshold", "based on")
"""Columns that give way where the terminal is narrow, the last one first."""


def show_comparison(screen: Screen, comparison: Comparison) -> None:
    """Print the sides, the table, the reasons, and the method of the intervals."""
    for warning in worst_of_each_kind(comparison.warnings):
        loud = warning.startswith(INVALIDATING)
        screen.paragraph(f"warning: {one_line(warning)}", LOUD if loud else "yellow", indent="  ")
    screen.line()
    screen.line(f"baseline: {comparison.baseline}")
    screen.line(f"current:  {comparison.current}")
    if comparison.metrics:
        if screen.fancy and _shared(comparison):
            screen.paragraph(f"compared: {_shared(comparison)}", indent="  ")
        elif not screen.fancy:
            screen.line()
        print_grouped(screen, _table(screen, comparison))
    _show_failures(screen, comparison)
    _show_reasons(screen, comparison)
    for text in remaining_texts(comparison):
        screen.paragraph(f"note: {one_line(text)}", "dim", indent="  ")
    screen.paragraph(f"method: {comparison.method}", "dim", indent="  ")
    screen.paragraph(
        f"all intervals together are wrong with a probability of at most {error_text(comparison)}",
        "dim",
        indent="  ",
    )
    screen.line()


def show_verdict(screen: Screen, comparison: Comparison) -> None:
    """Print the overall verdict."""
    word = comparison.verdict
    screen.paragraph(f"verdict: {word} ({tally(comparison)})", STYLES[word], indent="  ")


def show_decision(screen: Screen, decision: Decision) -> None:
    """Print whether the change may pass, and why."""
    style = OUTCOMES[decision.outcome]
    screen.paragraph(f"check: {decision.outcome} ({decision.reason})", style, indent="  ")
    if decision.outcome == "inconclusive":
        screen.paragraph(
            "warning: inconclusive results pass; --inconclusive fail makes them fail"
            if decision.passes
            else "inconclusive results fail, because of --inconclusive fail",
            "yellow",
            indent="  ",
        )


def show_place(screen: Screen, comparison: Comparison) -> None:
    """Print where the samples are."""
    if comparison.interrupted:
        screen.line("interrupted: the results so far are kept", "yellow")
    if comparison.run_path is not None:
        screen.line(f"saved: {comparison.run_path}")


def _table(screen: Screen, comparison: Comparison) -> Table:
    titles, texts = table(comparison.metrics)
    columns = [
        Column(
            title,
            right=title in NUMERIC,
            key=title in KEYS,
            name=title == "benchmark",
            drop=EXPENDABLE.index(title) + 1 if title in EXPENDABLE else 0,
        )
        for title in titles
    ]
    rows = [
        [*map(Cell, row[:-1]), Cell(row[-1], STYLES[metric.verdict])]
        for row, metric in zip(texts, comparison.metrics, strict=True)
    ]
    if not screen.fancy:
        # One line has the whole fact, for a grep.
        columns.append(Column("why"))
        for row, metric in zip(rows, comparison.metrics, strict=True):
            row.append(Cell(one_line(metric.why)))
        return Table(columns, rows)
    left_out = SHARED if _shared(comparison) else ()
    return Table(columns, rows).without(
        [number for number, title in enumerate(titles) if title in left_out]
    )


def _shared(comparison: Comparison) -> str:
    """Return the metric and the threshold in words, where all results share them."""
    shared = {
        f"{statistic_text(metric)}, threshold {threshold_text(metric)}"
        for metric in comparison.metrics
    }
    return shared.pop() if len(shared) == 1 else ""


def _show_failures(screen: Screen, comparison: Comparison) -> None:
    for failure in comparison.failures:
        style = "bold red" if failure.side == "current" else "yellow"
        first, *more = failure_text(failure).split("\n")
        screen.paragraph(f"failed: {first}", style, indent="  ")
        for line in more:
            screen.line(f"    {line.rstrip().expandtabs(4)}", "dim")


def _show_reasons(screen: Screen, comparison: Comparison) -> None:
    """Print why each verdict is what it is, which the table has in a pipe."""
    if not screen.fancy:
        return
    failed = {failure.key for failure in comparison.failures}
    for metric in comparison.metrics:
        if metric.key not in failed:
            screen.paragraph(
                f"{metric.verdict}: {metric.key} {metric.statistic}: {one_line(metric.why)}",
                "dim" if metric.verdict == "same" else STYLES[metric.verdict],
                indent="  ",
            )
