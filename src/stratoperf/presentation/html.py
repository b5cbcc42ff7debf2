"""How objects look in a notebook."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from stratoperf import media
from stratoperf.analysis.comparison import Comparison, tally
from stratoperf.analysis.history.model import History, Trend
from stratoperf.measurement import Measurement
from stratoperf.monitor.model import SystemInfo
from stratoperf.presentation.comparison_words import closing, remarks, table
from stratoperf.presentation.history_words import (
    change_text,
    last_over_first,
    machine_text,
    runs_text,
    sparkline,
    trend_name,
)
from stratoperf.presentation.skipped_words import skipped_texts
from stratoperf.presentation.variation_words import usual_speed, variation_words
from stratoperf.results.run import Run
from stratoperf.results.schema import Metric, Result
from stratoperf.running.claims_table import ClaimsTable
from stratoperf.statistics.estimates import QUANTILES, Summary
from stratoperf.text.markup import html_facts, html_table
from stratoperf.text.safety import html
from stratoperf.text.units import interval, parameters, percent, quantity, samples

_ROWS = (("p50", "median"), ("p95", "p95"), ("p99", "p99"), ("p999", "p99.9"))
_COLORS = {"slower": "#b3261e", "inconclusive": "#9a6700", "faster": "#1a7f37", "same": "inherit"}


@media.html.shows(Measurement)
def measurement_html(measurement: Measurement) -> str:
    """Render a measurement as an HTML table."""
    head = f"<b>{html(measurement.name)}</b>: {html(samples(measurement.count, measurement.batch))}"
    if measurement.count == 0:
        return f"<div>{head}</div>"
    summary = measurement.summary()
    rows: list[tuple[str, object]] = [
        (title, interval(getattr(summary, name), "ns")) for name, title in _ROWS
    ]
    device = measurement.device_summary()
    if device is not None:
        rows.append(("device time, median", interval(device.p50, "ns")))
        rows.append(("device time, p95", interval(device.p95, "ns")))
    rows += _moved(summary)
    rows.append(("mean", quantity(summary.mean, "ns")))
    rows.append(
        ("minimum, maximum", f"{quantity(summary.min, 'ns')}, {quantity(summary.max, 'ns')}")
    )
    rate = measurement.throughput()
    rows.append(("throughput", quantity(rate.value, f"{measurement.item_unit}/s")))
    rows.append(("beyond 3 sigma", f"{summary.outliers.count} samples (kept above)"))
    rows.append(("verified", _verified(measurement)))
    rows.append(("stopped by", measurement.stopped_because))
    rows += [(name, str(value)) for name, value in measurement.details.items()]
    note = html(f"95 % intervals of {measurement.scope}: {summary.p50.method}")
    return f"<div>{head}{html_facts(rows)}<small>{note}</small></div>"


@media.html.shows(Summary)
def summary_html(summary: Summary) -> str:
    """Render a summary as an HTML table; its unit is that of the samples."""
    facts: list[tuple[str, object]] = [("count", summary.count)]
    for name in ("mean", "stdev", "min", "max"):
        value = getattr(summary, name)
        facts.append((name, quantity(value, "")))
    facts += [(title, interval(getattr(summary, name), "")) for name, title in _ROWS]
    facts += _moved(summary)
    facts.append(("beyond 3 sigma", f"{summary.outliers.count} samples (kept above)"))
    if summary.scope is not None:
        facts.append(("intervals of", summary.scope))
    if summary.stopped_because is not None:
        facts.append(("stopped by", summary.stopped_because))
    return html_facts(facts, "Summary")


def _moved(summary: Summary) -> list[tuple[str, object]]:
    """Return the row on the drift, where there is one."""
    if summary.drift is None:
        return []
    return [("drift of the median", f"{percent(summary.drift)} from the first eighth to the last")]


def _verified(measurement: Measurement) -> str:
    check = measurement.verification
    if check is None:
        return "no check"
    return f"{check.checked} outcomes, {'all right' if check.passed else 'WRONG'}"


@media.html.shows(Run)
def run_html(run: Run) -> str:
    """Render every metric of a run as an HTML table, with percentiles, intervals and verdicts.

    Below it there is a line for each reason why cases were skipped.
    """
    measured = _results([result for result in run.results if result.status != "skipped"])
    skipped = (f"<div>{html(text)}</div>" for text in skipped_texts(run.results))
    return f"<div>{measured}{''.join(skipped)}</div>"


@media.html.shows(Result)
def result_html(result: Result) -> str:
    """Render the metrics of one result, as `run_html` does."""
    return _results([result])


def _results(results: Sequence[Result]) -> str:
    head = ("benchmark", "parameters", "backend", "status", "metric", *QUANTILES, "over", "verdict")
    usual = usual_speed(results)
    return html_table(head, (row for result in results for row in _result_rows(result, usual)))


def _result_rows(result: Result, usual: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    about = (result.benchmark, parameters(result.params.items()), result.backend, result.status)
    for name, metric in result.metrics.items():
        quantiles = [_quantile(metric, quantile) for quantile in QUANTILES]
        verdict = metric.target.verdict if metric.target else ""
        scope = metric.summary.scope if metric.summary is not None else None
        # Where the values vary is known of the primary metric.
        words = variation_words(result, usual) if metric.primary else []
        yield (*about, name, *quantiles, "; ".join(filter(None, [scope, *words])), verdict)
    if not result.metrics:
        yield (*about, result.reason or "", *[""] * len(QUANTILES), "", "")


def _quantile(metric: Metric, quantile: str) -> str:
    estimate = metric.statistic(quantile)
    return "" if estimate is None else interval(estimate, metric.unit)


@media.html.shows(ClaimsTable)
def claims_html(claims: ClaimsTable) -> str:
    """Render the claims with their verdicts as an HTML table."""
    head = ("component", "metric", "target", "published", "measured", "verdict", "why")
    rows = [
        (
            row.component,
            row.metric,
            row.target,
            row.published,
            interval(row.measured, row.unit or "") if row.measured else "",
            row.verdict,
            row.why,
        )
        for row in claims.rows
    ]
    return html_table(head, rows)


@media.html.shows(Comparison)
def comparison_html(comparison: Comparison) -> str:
    """Render a comparison as HTML."""
    sides = f"{html(comparison.baseline)} &rarr; {html(comparison.current)}"
    parts = [f"<b>{html(tally(comparison))}</b>: {sides}"]
    if comparison.metrics:
        titles, rows = table(comparison.metrics)
        head = "".join(f"<th>{html(title)}</th>" for title in titles)
        parts.append(f"<table><tr>{head}</tr>")
        for metric, row in zip(comparison.metrics, rows, strict=True):
            cells = "".join(f"<td>{html(text)}</td>" for text in row[:-1])
            style = f"color:{_COLORS[metric.verdict]}"
            parts.append(
                f"<tr>{cells}<td style='{style}' title='{html(metric.why)}'>"
                f"<b>{html(row[-1])}</b></td></tr>"
            )
        parts.append("</table>")
    parts += [f"<div>{html(note)}</div>" for note in remarks(comparison)]
    return f"<div>{''.join(parts)}<small>{html(closing(comparison))}</small></div>"


@media.html.shows(History)
def history_html(history: History) -> str:
    """Render a history as an HTML table, with the change points below it."""
    count = "1 run" if history.runs == 1 else f"{history.runs} runs"
    head = f"<b>{html(history.source)}</b>: {count}, {html(history.statistic)}"
    titles = ("benchmark", "backend", "machine", "runs", "trend", "first", "last", "change")
    rows = []
    notes = []
    for trend in history.trends:
        rows.append((*_about(trend), *_ends(trend)))
        changes = trend.change_points or ()
        notes += [f"{trend_name(trend)}: {change_text(trend, change)}" for change in changes]
    notes += history.warnings
    notes += [f"left out: {entry.what}: {entry.why}" for entry in history.left_out]
    items = "".join(f"<li>{html(note)}</li>" for note in notes)
    method = f"<small>{html(history.method)}</small>"
    return f"<div>{head}{html_table(titles, rows)}<ul>{items}</ul>{method}</div>"


def _about(trend: Trend) -> tuple[str, ...]:
    return trend_name(trend), trend.backend, machine_text(trend), runs_text(trend)


def _ends(trend: Trend) -> tuple[str, ...]:
    first, last = (quantity(level, trend.unit) for level in (trend.first, trend.last))
    return sparkline(trend, 30), first, last, last_over_first(trend)


@media.html.shows(SystemInfo)
def system_html(info: SystemInfo) -> str:
    """Render the facts of a machine as an HTML table, without what it does not tell."""
    facts: list[tuple[str, object]] = [("id", info.id)]
    for name in ("cpu", "memory", "kernel", "os", "python", "clock", "virtualization"):
        record = msgspec.structs.asdict(getattr(info, name))
        known = {key: _plain(value) for key, value in record.items() if value not in (None, [])}
        facts.append((name, "; ".join(f"{key} {value}" for key, value in known.items()) or "-"))
    facts += [("gpu", gpu.name) for gpu in info.gpus]
    facts += [("warning", warning) for warning in info.warnings]
    return html_facts(facts, "System")


def _plain(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_plain, value))
    if isinstance(value, msgspec.Struct):
        return " ".join(f"{name} {item}" for name, item in msgspec.structs.asdict(value).items())
    return f"{value:.6g}" if isinstance(value, float) else str(value)
