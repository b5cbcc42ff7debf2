"""How a measurement shows itself at a prompt and in a notebook."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from stratoperf.report.units import format_rate, format_time, format_time_interval

if TYPE_CHECKING:
    from stratoperf.measurement import Measurement

_ROWS = (("p50", "median"), ("p95", "p95"), ("p99", "p99"), ("p999", "p99.9"))


def describe_measurement(measurement: Measurement) -> str:
    """Describe a measurement in one line."""
    if measurement.count == 0:
        return f"<Measurement {measurement.name!r}: no samples, {measurement.stopped_because}>"
    summary = measurement.summary()
    return (
        f"<Measurement {measurement.name!r}: p50 {format_time_interval(summary.p50)}, "
        f"p95 {format_time_interval(summary.p95)}, {_samples(measurement)}, "
        f"stopped by {measurement.stopped_because}>"
    )


def measurement_html(measurement: Measurement) -> str:
    """Render a measurement as an HTML table."""
    head = f"<b>{escape(measurement.name)}</b>: {escape(_samples(measurement))}"
    if measurement.count == 0:
        return f"<div>{head}</div>"
    summary = measurement.summary()
    rows = [(title, format_time_interval(getattr(summary, name))) for name, title in _ROWS]
    rows.append(("mean", format_time(summary.mean)))
    rows.append(("minimum, maximum", f"{format_time(summary.min)}, {format_time(summary.max)}"))
    rate = measurement.throughput()
    rows.append(("throughput", format_rate(rate.value, f"{measurement.item_unit}/s")))
    rows.append(("beyond 3 sigma", f"{summary.outliers.count} samples (kept above)"))
    rows.append(("verified", _verified(measurement)))
    rows.append(("stopped by", measurement.stopped_because))
    body = "".join(
        f"<tr><th style='text-align:left'>{escape(title)}</th><td>{escape(value)}</td></tr>"
        for title, value in rows
    )
    note = escape(summary.p50.method)
    return f"<div>{head}<table>{body}</table><small>95 % intervals: {note}</small></div>"


def _samples(measurement: Measurement) -> str:
    if measurement.batch == 1:
        return f"{measurement.count} samples"
    return f"{measurement.count} samples of {measurement.batch} iterations each"


def _verified(measurement: Measurement) -> str:
    check = measurement.verification
    if check is None:
        return "no check"
    return f"{check.checked} outcomes, {'all right' if check.passed else 'WRONG'}"
