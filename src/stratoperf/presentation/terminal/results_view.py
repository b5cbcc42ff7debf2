"""The tables at the end of a run, and the remarks below them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stratoperf.presentation.skipped_words import skipped_texts
from stratoperf.presentation.terminal import cells
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.presentation.terminal.tables import Cell, Column, Table, print_table
from stratoperf.presentation.variation_words import scope_of, usual_speed, variation_words
from stratoperf.results import Result, Run
from stratoperf.results.schema import Series
from stratoperf.statistics import Estimate
from stratoperf.text.alike_warnings import worst_of_each_kind
from stratoperf.text.safety import one_line
from stratoperf.text.units import parameters

QUANTILES = {"p50": 0, "p95": 1, "p99": 2}
"""The quantiles that are shown, and in which order they give way where room is short."""


def show_results(screen: Screen, run: Run) -> None:
    """Print one table per benchmark, then what a reader must know about the numbers."""
    measured = [result for result in run.results if result.metrics]
    usual = usual_speed(measured)
    for name in dict.fromkeys(result.benchmark for result in measured):
        own = [result for result in measured if result.benchmark == name]
        _show_benchmark(screen, usual, name, own)
    for things in dict.fromkeys(map(_too_few, filter(_has_open_side, measured))):
        screen.paragraph(
            f"?: too few {things} for this side of the 95 % interval", "dim", indent="  "
        )
    _show_remarks(screen, run.results)
    _show_failures(screen, run.results)
    _show_skipped(screen, run.results)
    _show_notes(screen, run.results)
    _show_noise(screen, run)


def _show_benchmark(
    screen: Screen, usual: Sequence[Mapping[str, Any]], name: str, results: Sequence[Result]
) -> None:
    backends = list(dict.fromkeys(result.backend for result in results))
    scopes = [scope_of(result) or "" for result in results]
    is_shared = len(set(scopes)) == 1
    scope = f", {scopes[0]}" if is_shared and scopes[0] else ""
    heading = f"{name} on {', '.join(backends)}{scope}  {_verified(results)}".rstrip()
    if screen.is_narrow:
        screen.heading(heading)
        table = _table(results, with_backend=len(backends) > 1)
        forms = (table, _compact(results, table))
        print_table(screen, *(forms if is_shared else (_over(form, scopes) for form in forms)))
        _show_variation(screen, usual, results, with_backend=len(backends) > 1)
    else:
        # A comment for tools that read the table, whose rows are whole facts for a grep.
        screen.heading(f"# {heading}")
        facts = [
            "; ".join(filter(None, [own, *variation_words(result, usual)]))
            for own, result in zip(scopes, results, strict=True)
        ]
        table = _with_name(name, _table(results))
        print_table(screen, _over(table, facts) if any(facts) else table)


def _over(table: Table, facts: Sequence[str]) -> Table:
    """Return a table with a column for what the intervals of each row speak of."""
    rows = [
        [*row, Cell(fact) if fact else cells.NOTHING]
        for row, fact in zip(table.rows, facts, strict=True)
    ]
    return Table([*table.columns, Column("over")], rows)


def _show_variation(
    screen: Screen,
    usual: Sequence[Mapping[str, Any]],
    results: Sequence[Result],
    *,
    with_backend: bool,
) -> None:
    """Print where the values vary, for each result where its row does not say all."""
    for result in results:
        words = ", ".join(variation_words(result, usual))
        if words:
            backend = result.backend if with_backend else ""
            row = f"{parameters(result.params.items())} {backend}".strip()
            screen.paragraph(f"{row}: {words}" if row else words, "yellow", indent="  ")


def _table(results: Sequence[Result], *, with_backend: bool = True) -> Table:
    """Return columns and rows; where a result lacks something there is a dash.

    Where the terminal is narrow, a column of verdicts without a claim gives way first, then the
    throughput, p99 and p95.
    """
    names = list(dict.fromkeys(name for result in results for name in result.params))
    verdicts = [cells.verdict(result) for result in results]
    columns = [
        *(_parameter_column(name, results) for name in names),
        *([Column("backend", key=True)] if with_backend else []),
        *(Column(name, right=True, drop=drop) for name, drop in QUANTILES.items()),
        Column("throughput", right=True, drop=3),
        Column("verdict", drop=4 if set(verdicts) == {cells.NO_CLAIM} else 0),
    ]
    rows = [
        [
            *(cells.parameter(result.params.get(name)) for name in names),
            *([Cell(result.backend)] if with_backend else []),
            *(cells.latency(_latency(result, name), compact=False) for name in QUANTILES),
            cells.throughput(result),
            verdict,
        ]
        for result, verdict in zip(results, verdicts, strict=True)
    ]
    return Table(columns, rows)


def _compact(results: Sequence[Result], table: Table) -> Table:
    """Return the table with ``±3%`` in place of intervals, and the unit of rates in the title."""
    columns, rows = list(table.columns), [list(row) for row in table.rows]
    first, rates = len(columns) - len(QUANTILES) - 2, len(columns) - 2
    unit = _shared_unit(results)
    if unit:
        columns[rates] = columns[rates]._replace(title=unit)
    for row, result in zip(rows, results, strict=True):
        for number, name in enumerate(QUANTILES, start=first):
            row[number] = cells.latency(_latency(result, name), compact=True)
        row[rates] = row[rates]._replace(text=row[rates].text.removesuffix(f" {unit}"))
    return Table(columns, rows)


def _with_name(name: str, table: Table) -> Table:
    columns = [Column("benchmark", key=True), *table.columns]
    return Table(columns, [[Cell(name), *row] for row in table.rows])


def _parameter_column(name: str, results: Sequence[Result]) -> Column:
    values = [result.params[name] for result in results if name in result.params]
    return Column(name, right=True, key=True, name=all(isinstance(value, str) for value in values))


def _latency(result: Result, statistic: str) -> Estimate | None:
    metric = result.metrics.get("latency")
    return metric.statistic(statistic) if metric is not None else None


def _shared_unit(results: Iterable[Result]) -> str:
    """Return what the text of every rate ends with, such as ``votes/s``."""
    rates = [each.metrics["throughput"] for each in results if "throughput" in each.metrics]
    shared = {rate.unit for rate in rates}
    # The prefix of bytes belongs to their unit.
    return shared.pop() if len(shared) == 1 and not shared & {"bytes/s", "B/s"} else ""


def _has_open_side(result: Result) -> bool:
    estimates = [_latency(result, name) for name in QUANTILES]
    return any(some is not None and None in (some.low, some.high) for some in estimates)


def _too_few(result: Result) -> str:
    """Return of what there is too little for an interval."""
    summary = result.metrics["latency"].summary
    several = summary is not None and (summary.processes or 1) > 1
    return "processes" if several else "samples"


def _verified(results: Sequence[Result]) -> str:
    checked = sum(each.verification is not None and each.verification.passed for each in results)
    if checked == 0:
        return ""
    return "(every outcome verified)" if checked == len(results) else f"({checked} verified)"


def _show_remarks(screen: Screen, results: Sequence[Result]) -> None:
    """Tell what the percentiles are of, and what fell short of the standard."""
    batches = [size for each in results for series in each.series for size in _batch_sizes(series)]
    if batches:
        low, high = min(batches), max(batches)
        sizes = f"{low}" if low == high else f"{low} to {high}"
        screen.paragraph(
            f"each sample is the mean of a batch of {sizes} iterations: the percentiles are those "
            "of batch means",
            "dim",
            indent="  ",
        )
    shortfalls: dict[str, list[str]] = {}
    for result in results:
        for text in result.below_standard:
            shortfalls.setdefault(text.partition(":")[0], []).append(text)
    for texts in shortfalls.values():
        screen.paragraph(
            f"below the standard: {texts[0]}{_and_more(len(texts))}", "dim", indent="  "
        )


def _batch_sizes(series: Series) -> tuple[int, ...]:
    """Return the least and the largest batch of a series whose samples are means."""
    if series.batch > 1:
        return (series.batch,)
    if series.kind != "batch_mean" or "iterations" not in series.columns:
        return ()
    sizes = series.columns["iterations"]
    return (int(sizes.min()), int(sizes.max())) if sizes.size else ()


def _and_more(count: int) -> str:
    return f" ({count} cases)" if count > 1 else ""


def _show_failures(screen: Screen, results: Iterable[Result]) -> None:
    for result in results:
        if result.status == "failed":
            screen.paragraph(
                f"failed: {result.key}: {one_line(result.reason or '')}", "bold red", indent="  "
            )


def _show_skipped(screen: Screen, results: Iterable[Result]) -> None:
    """Print one line per reason."""
    for text in skipped_texts(results):
        screen.paragraph(text, "dim", indent="  ")


def _show_notes(screen: Screen, results: Iterable[Result]) -> None:
    """Print each note once, with the first result that has it."""
    keys: dict[str, list[str]] = {}
    for result in results:
        for note in result.notes:
            keys.setdefault(note, []).append(result.key)
    for note, which in keys.items():
        text = f"note: {which[0]}: {one_line(note)}{_and_more(len(which))}"
        screen.paragraph(text, "yellow", indent="  ")


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
    text = f"noise: {len(disturbed)} of {count} measurements were disturbed"
    screen.paragraph(text, "yellow", indent="  ")
    for warning in worst_of_each_kind(text for result in disturbed for text in result.warnings):
        screen.paragraph(f"  {warning}", "yellow", indent="    ")
