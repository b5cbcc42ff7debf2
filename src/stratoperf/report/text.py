"""How a measurement shows itself at a prompt and in a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from stratoperf.report.markup import html_facts
from stratoperf.report.units import interval, percent, quantity
from stratoperf.safe_text import html

if TYPE_CHECKING:
    from stratoperf.measurement import Measurement
    from stratoperf.monitor import SystemInfo
    from stratoperf.statistics import Summary

_ROWS = (("p50", "median"), ("p95", "p95"), ("p99", "p99"), ("p999", "p99.9"))


def describe_measurement(measurement: Measurement) -> str:
    """Describe a measurement in one line."""
    if measurement.count == 0:
        return f"<Measurement {measurement.name!r}: no samples, {measurement.stopped_because}>"
    summary = measurement.summary()
    return (
        f"<Measurement {measurement.name!r}: p50 {interval(summary.p50, 'ns')}, "
        f"p95 {interval(summary.p95, 'ns')} ({measurement.scope}), {_drift(summary)}"
        f"{_device(measurement)}{_samples(measurement)}, stopped by {measurement.stopped_because}>"
    )


def measurement_html(measurement: Measurement) -> str:
    """Render a measurement as an HTML table."""
    head = f"<b>{html(measurement.name)}</b>: {html(_samples(measurement))}"
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


def _drift(summary: Summary) -> str:
    return "" if summary.drift is None else f"drift {percent(summary.drift)}, "


def _moved(summary: Summary) -> list[tuple[str, object]]:
    """Return the row on the drift, where there is one."""
    if summary.drift is None:
        return []
    return [("drift of the median", f"{percent(summary.drift)} from the first eighth to the last")]


def _device(measurement: Measurement) -> str:
    device = measurement.device_summary()
    return "" if device is None else f"device p50 {interval(device.p50, 'ns')}, "


def _samples(measurement: Measurement) -> str:
    if measurement.batch == 1:
        return f"{measurement.count} samples"
    return f"{measurement.count} samples of {measurement.batch} iterations each"


def _verified(measurement: Measurement) -> str:
    check = measurement.verification
    if check is None:
        return "no check"
    return f"{check.checked} outcomes, {'all right' if check.passed else 'WRONG'}"
