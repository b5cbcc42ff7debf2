"""From a measurement to a result as the run file holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from stratoperf import statistics
from stratoperf.errors import InvalidParameter
from stratoperf.measurement import Measurement
from stratoperf.results import storage
from stratoperf.results.schema import (
    QUANTILES,
    Metric,
    MetricSummary,
    Result,
    Status,
    TargetVerdict,
)
from stratoperf.results.validation import convert, read_result
from stratoperf.running.planner import Case
from stratoperf.running.presets import (
    LEAST_PROCESSES,
    STANDARD_ITERATIONS,
    STANDARD_WARMUP_S,
)
from stratoperf.running.targets import Judgment, Target, most_severe
from stratoperf.statistics import Estimate, Summary
from stratoperf.verification import Verification


def result_tree(
    case: Case,
    status: Status,
    reason: str | None = None,
    *,
    measurement: Measurement | None = None,
    verification: Verification | None = None,
    environment: Mapping[str, Any] | None = None,
    warnings: Sequence[str] = (),
    notes: Sequence[str] = (),
    system: str | None = None,
    process: str | None = None,
) -> dict[str, Any]:
    """Return what one process says of a case, as a run file would hold it; columns are arrays.

    Parameters
    ----------
    case
        What was measured.
    status, reason
        How it went.
    measurement
        Only of work that was right, or that was interrupted: the times of wrong work are no
        result.
    verification
        Its check, where it is not that of `measurement`.
    environment, warnings
        What disturbed it.
    notes
        What else its reader should know.
    system, process
        Where it was taken.
    """
    sampled = measurement if measurement is not None and measurement.count else None
    checked = measurement.verification if measurement is not None else verification
    tree: dict[str, Any] = {
        "key": case.key,
        "benchmark": case.benchmark.name,
        "benchmark_version": case.benchmark.version,
        "category": case.benchmark.category,
        "backend": case.backend,
        "params": dict(case.params),
        "status": status,
        "reason": reason,
        "below_standard": [],
        "metrics": {} if sampled is None else _metrics(sampled),
        "series": [] if sampled is None else _series(sampled, system, process),
        "warmup": None if sampled is None else sampled.warmup._asdict(),
        "verification": None if checked is None else checked._asdict(),
        "environment": dict(environment or {}),
        "stopped_because": None if sampled is None else sampled.stopped_because,
        "warnings": list(warnings),
        "notes": list(notes),
    }
    if sampled is not None:
        tree |= {"items": sampled.items, "item_unit": sampled.item_unit}
        if sampled.details:
            tree["details"] = sampled.details
    return tree


def finished_tree(
    case: Case, tree: dict[str, Any], parts: Sequence[dict[str, Any]], why_fewer: str | None
) -> dict[str, Any]:
    """Return the result of a case with the verdicts on its targets and what falls short.

    Parameters
    ----------
    case
        What was measured.
    tree
        What its processes say together.
    parts
        What each of them says.
    why_fewer
        Why these are not more, or ``None``.
    """
    metrics = {}
    for name, metric in tree["metrics"].items():
        verdict = _target(case, name, convert(metric, Metric, name), tree["status"])
        metrics[name] = {**metric, "target": msgspec.to_builtins(verdict)}
    measured = [part for part in parts if part["series"]]
    missing = _below_standard(case, measured, why_fewer) if measured else []
    return {**tree, "metrics": metrics, "below_standard": missing}


def _below_standard(
    case: Case, parts: Sequence[dict[str, Any]], why_fewer: str | None
) -> list[str]:
    """Return by what all processes of a case fall short of what was asked, or of the standard."""
    iterations = sum(
        part["metrics"]["latency"]["summary"]["count"] * part["series"][0]["batch"]
        for part in parts
    )
    warmup_s = sum(part["warmup"]["seconds"] for part in parts)
    asked = case.sampling.min_iterations
    shortfalls = []
    if iterations < STANDARD_ITERATIONS:
        shortfalls.append(f"iterations: {iterations}, the standard is {STANDARD_ITERATIONS}")
    if iterations < asked and asked != STANDARD_ITERATIONS:
        shortfalls.append(f"iterations: {iterations} of the {asked} asked for fit into the time")
    if warmup_s < STANDARD_WARMUP_S:
        shortfalls.append(f"warm-up: {warmup_s:.3g} s, the standard is {STANDARD_WARMUP_S:g} s")
    reason = f"; {why_fewer}" if why_fewer else ""
    if len(parts) < min(LEAST_PROCESSES, case.least):
        shortfalls.append(f"processes: {len(parts)} of {case.least}{reason}")
    elif len(parts) < LEAST_PROCESSES:
        shortfalls.append(f"processes: {len(parts)}, the standard is {LEAST_PROCESSES}{reason}")
    elif len(parts) < case.least:
        shortfalls.append(f"processes: {len(parts)} of the {case.least} asked for{reason}")
    return shortfalls


def stored_form(tree: dict[str, Any], base: Path | None) -> tuple[dict[str, Any], Result]:
    """Return a result as its file will hold it, and what the reader of run files makes of it.

    Parameters
    ----------
    tree
        From `result_tree`.
    base
        What references are relative to.

    Raises
    ------
    SchemaError
        With the key path of what the reader refuses.
    Exception
        For what JSON has no form for, such as a lone surrogate.
    """
    # The columns are arrays already, and long: they are not sent through JSON and back.
    names = [
        {**series, "columns": dict.fromkeys(series["columns"], ())} for series in tree["series"]
    ]
    plain = msgspec.json.decode(storage.encode_line({**tree, "series": names}))
    for series, full in zip(plain["series"], tree["series"], strict=True):
        series["columns"] = full["columns"]
    return plain, read_result(plain, tree["key"], base)


def _series(
    measurement: Measurement, system: str | None, process: str | None
) -> list[dict[str, Any]]:
    """Return the samples, and in series of their own device times and what else was observed."""
    columns = [{"latency": measurement.samples_ns}]
    if measurement.device_ns is not None:
        columns.append({"device_time": measurement.device_ns})
    for name, observed in measurement.observed.items():
        columns.append({name: np.asarray(observed.samples, np.float64)})
    return [
        {
            "system": system,
            "process": process,
            "arm": None,
            "pair": None,
            "started_ns": measurement.started_ns,
            "batch": measurement.batch,
            "columns": named,
        }
        for named in columns
    ]


def _metrics(measurement: Measurement) -> dict[str, Any]:
    latency = Metric(
        unit="ns",
        better="lower",
        primary=True,
        summary=_summary(measurement.summary()),
        mean=statistics.mean(measurement.samples_ns),
    )
    metrics = {"latency": latency}
    device = measurement.device_summary()
    if device is not None and measurement.device_ns is not None:
        metrics["device_time"] = Metric(
            unit="ns",
            better="lower",
            summary=_summary(device),
            mean=statistics.mean(measurement.device_ns),
        )
    # A sample that the clock saw as zero has no rate.
    if measurement.samples_ns.min() > 0:
        metrics["throughput"] = _throughput(measurement)
    for name, observed in measurement.observed.items():
        metrics[name] = Metric(
            unit=observed.unit,
            better=observed.better,
            summary=_summary(statistics.summarize(observed.samples)),
            mean=statistics.mean(observed.samples),
        )
    return {name: msgspec.to_builtins(metric) for name, metric in metrics.items()}


def _throughput(measurement: Measurement) -> Metric:
    rate = measurement.throughput()
    rates = measurement.items * 1e9 / np.asarray(measurement.samples_ns)
    summary = statistics.summarize(rates)
    if measurement.batch > 1:
        note = f"; of means over batches of {measurement.batch} iterations"
        summary = msgspec.structs.replace(
            summary, **{name: _noted(getattr(summary, name), note) for name in QUANTILES}
        )
    return Metric(
        unit=f"{measurement.item_unit}/s",
        better="higher",
        # The mean of a rate is all items over all time, not the mean of the samples' rates.
        summary=msgspec.structs.replace(_summary(summary), mean=rate.value),
        mean=rate,
    )


def _noted(estimate: Estimate, note: str) -> Estimate:
    return msgspec.structs.replace(estimate, method=f"{estimate.method}{note}")


def _summary(summary: Summary) -> MetricSummary:
    fields = {name: getattr(summary, name) for name in MetricSummary.__struct_fields__}
    return MetricSummary(**fields)


def _target(case: Case, name: str, metric: Metric, status: Status) -> TargetVerdict | None:
    """Return the verdict on the claim about a metric; of several, the one that needs attention."""
    return most_severe(
        [
            target.verdict(_judge(target, case, metric, status))
            for target in case.benchmark.targets
            if target.metric == name
        ]
    )


def _judge(target: Target, case: Case, metric: Metric, status: Status) -> Judgment:
    mismatch = target.mismatch({**case.params, "backend": case.backend})
    if mismatch is not None:
        return Judgment("not-measured", mismatch)
    if status != "ok":
        return Judgment("not-measured", f"the measurement is {status}")
    estimate = metric.statistic(target.statistic_name)
    if estimate is None:
        return Judgment("not-measured", f"there is no {target.statistic_name}")
    try:
        return target.judge(estimate, metric.unit)
    except InvalidParameter as error:
        return Judgment("not-measured", str(error))
