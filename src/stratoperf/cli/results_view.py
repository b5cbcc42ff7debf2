"""The tables at the end of a run, and the remarks below them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stratoperf.cli import cells
from stratoperf.cli.screen import Screen
from stratoperf.cli.tables import Cell, Column, fits, print_table
from stratoperf.report.noise_words import worst_of_each_kind
from stratoperf.results import Result, Run

QUANTILES = ("p50", "p95", "p99")


def show_results(screen: Screen, run: Run) -> None:
    """Print one table per benchmark, then what a reader must know about the numbers."""
    measured = [result for result in run.results if result.metrics]
    if screen.fancy:
        for name in dict.fromkeys(result.benchmark for result in measured):
            _show_benchmark(screen, name, [one for one in measured if one.benchmark == name])
    elif measured:
        # One table with the benchmark in the first column, so that a grep finds whole facts.
        screen.line()
        print_table(screen, *_table(measured, with_name=True))
    if any("±?" in _text(one) for one in measured):
        screen.line("?: too few samples for this side of the 95 % interval", "dim")
    _show_remarks(screen, run.results)
    _show_failures(screen, run.results)
    _show_skipped(screen, run.results)
    _show_noise(screen, run)


def _show_benchmark(screen: Screen, name: str, results: Sequence[Result]) -> None:
    backends = list(dict.fromkeys(result.backend for result in results))
    screen.heading(f"{name} on {', '.join(backends)}  {_verified(results)}".rstrip())
    columns, rows = _table(results)
    if not fits(screen, columns, rows):
        columns, rows = _table(results, compact=True, with_backend=len(backends) > 1)
    print_table(screen, columns, rows)


def _table(
    results: Sequence[Result],
    *,
    compact: bool = False,
    with_name: bool = False,
    with_backend: bool = True,
) -> tuple[list[Column], list[list[Cell]]]:
    """Return columns and rows; parameters that a benchmark lacks stay empty."""
    names = list(dict.fromkeys(name for result in results for name in result.params))
    columns = [
        *([Column("benchmark")] if with_name else []),
        *(Column(name, right=True) for name in names),
        *([Column("backend")] if with_backend else []),
        *(Column(name, right=True) for name in QUANTILES),
        Column(_rate_unit(results) if compact else "throughput", right=True),
        Column("verdict"),
    ]
    rows = []
    for result in results:
        metric = result.metrics.get("latency")
        rows.append(
            [
                *([Cell(result.benchmark)] if with_name else []),
                *(cells.parameter(result.params.get(name)) for name in names),
                *([Cell(result.backend)] if with_backend else []),
                *(
                    cells.latency(metric.statistic(name) if metric else None, compact=compact)
                    for name in QUANTILES
                ),
                cells.throughput(result, compact=compact),
                cells.verdict(result),
            ]
        )
    return columns, rows


def _rate_unit(results: Sequence[Result]) -> str:
    units = (
        result.metrics["throughput"].unit for result in results if "throughput" in result.metrics
    )
    return next(units, "throughput")


def _text(result: Result) -> str:
    metric = result.metrics.get("latency")
    estimates = [metric.statistic(name) for name in QUANTILES] if metric else []
    return " ".join(cells.relative(one) for one in estimates if one is not None)


def _verified(results: Sequence[Result]) -> str:
    checked = sum(1 for one in results if one.verification is not None and one.verification.passed)
    if checked == 0:
        return ""
    return "(every outcome verified)" if checked == len(results) else f"({checked} verified)"


def _show_remarks(screen: Screen, results: Sequence[Result]) -> None:
    """Tell what the percentiles are of, and what fell short of the standard."""
    batches = sorted({series.batch for one in results for series in one.series if series.batch > 1})
    if batches:
        sizes = f"{batches[0]}" if len(batches) == 1 else f"{batches[0]} to {batches[-1]}"
        screen.paragraph(
            f"operations too short for the clock were timed in batches of {sizes}: their "
            "percentiles are those of batch means",
            "dim",
        )
    shortfalls: dict[str, list[str]] = {}
    for one in results:
        for text in one.below_standard:
            shortfalls.setdefault(text.partition(":")[0], []).append(text)
    for texts in shortfalls.values():
        screen.paragraph(f"below the standard: {texts[0]}{_and_more(len(texts))}", "dim")


def _and_more(count: int) -> str:
    return f" ({count} cases)" if count > 1 else ""


def _show_failures(screen: Screen, results: Iterable[Result]) -> None:
    for result in results:
        if result.status == "failed":
            screen.paragraph(f"failed: {result.key}: {result.reason}", "bold red", indent="  ")


def _show_skipped(screen: Screen, results: Iterable[Result]) -> None:
    """Print one line per reason."""
    reasons: dict[tuple[str, str, str], int] = {}
    for result in results:
        if result.status == "skipped":
            group = (result.benchmark, result.backend, result.reason or "no reason given")
            reasons[group] = reasons.get(group, 0) + 1
    for (name, backend, reason), count in reasons.items():
        cases = "1 case" if count == 1 else f"{count} cases"
        screen.paragraph(f"skipped: {cases} of {name} on {backend}: {reason}", "dim", indent="  ")


def _show_noise(screen: Screen, run: Run) -> None:
    disturbed = [result for result in run.results if result.warnings]
    machine = [warning for system in run.systems.values() for warning in system.warnings]
    if not disturbed and not machine:
        return
    screen.line()
    for warning in machine:
        screen.paragraph(f"noise: {warning}", "yellow", indent="  ")
    if not disturbed:
        return
    count = sum(result.status != "skipped" for result in run.results)
    screen.line(f"noise: {len(disturbed)} of {count} measurements were disturbed", "yellow")
    for warning in worst_of_each_kind(one for result in disturbed for one in result.warnings):
        screen.paragraph(f"  {warning}", "yellow", indent="    ")
