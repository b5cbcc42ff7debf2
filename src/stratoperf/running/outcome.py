"""From a measurement to a result as the run file holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from stratoperf import statistics
from stratoperf.measurement import Measurement
from stratoperf.monitor.speed import Reference, references, speed, speed_warnings
from stratoperf.results import storage
from stratoperf.results.combining import combined, in_short
from stratoperf.results.schema import Metric, MetricSummary, Result, Status, TargetVerdict
from stratoperf.results.validation import convert, read_result
from stratoperf.running.cases import Case
from stratoperf.running.presets import (
    LEAST_PROCESSES,
    STANDARD_ITERATIONS,
    STANDARD_WARMUP_S,
)
from stratoperf.running.targets import Judgment, Target, most_severe
from stratoperf.running.trees import tree_of
from stratoperf.running.undisturbed import choose
from stratoperf.statistics import Estimate, Summary
from stratoperf.statistics.estimates import QUANTILES
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
    """Return the result of one process in the form of a run file; columns are arrays.

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
    tree = tree_of(
        case.identity,
        status,
        reason,
        metrics={} if sampled is None else _metrics(sampled),
        series=[] if sampled is None else _series(sampled, system, process),
        warmup=None if sampled is None else sampled.warmup._asdict(),
        verification=None if checked is None else checked._asdict(),
        environment=dict(environment or {}),
        stopped_because=None if sampled is None else sampled.stopped_because,
        warnings=list(warnings),
        notes=list(notes),
    )
    if sampled is not None:
        tree |= {"items": sampled.items, "item_unit": sampled.item_unit}
        if sampled.details:
            tree["details"] = sampled.details
    return tree


def over_processes(
    case: Case,
    parts: Sequence[dict[str, Any]],
    run: Sequence[Reference],
    base: Path | None,
    why_fewer: str | None,
    *,
    machine: Sequence[Reference],
) -> dict[str, Any]:
    """Return the result of a case from the results of its processes.

    Parameters
    ----------
    case
        What was measured.
    parts
        From `result_tree`, at least one, in the order measured.
    run
        The references of the machine's speed of all processes of the run so far.
    base
        What references to columns are relative to.
    why_fewer
        Why the processes are not more, or ``None``.
    machine
        The references of the latest run on the same machine.
    """
    choice = choose(parts, case.least)
    own = [reference for part in choice.kept for reference in references(part)]
    usual = _integer(run)
    tree = combined(
        choice.kept,
        base=base,
        usual=float(np.median(usual)) if usual else None,
        earlier=[*_integer(machine), *usual],
    )
    metrics = {}
    for name, metric in tree["metrics"].items():
        read = convert(metric, Metric, name)
        verdict = _target(case, name, read, tree["status"], choice.disturbed)
        metrics[name] = {**metric, "target": msgspec.to_builtins(verdict)}
    profile = [{"profile": part["profile"]} for part in parts if "profile" in part]
    return {
        **tree,
        **(profile[0] if profile else {}),
        "metrics": metrics,
        "below_standard": _below_standard(case, choice.kept, why_fewer),
        "left_out": in_short(choice.left_out, base),
        "disturbed": choice.disturbed,
        "warnings": [*tree["warnings"], *speed_warnings(speed(own, run, machine))],
        "notes": [*tree["notes"], *([] if choice.note is None else [choice.note])],
    }


def _integer(references: Sequence[Reference]) -> list[float]:
    """Return the times of a step of integer arithmetic, of those that have it."""
    steps = [reference.get("integer_ns") for reference in references]
    return [step for step in steps if isinstance(step, float)]


def _below_standard(
    case: Case, parts: Sequence[dict[str, Any]], why_fewer: str | None
) -> list[str]:
    """Return in what all processes of a case fall short of the request or the standard."""
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
    """Return a result in the form of its file, and as the reader of run files returns it.

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
            "kind": "event" if measurement.batch == 1 else "batch_mean",
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
    fields = msgspec.structs.asdict(summary)
    del fields["stopped_because"]
    return MetricSummary(**fields)


def _target(
    case: Case, name: str, metric: Metric, status: Status, disturbed: str | None
) -> TargetVerdict | None:
    """Return the verdict on the claim about a metric; of several, the one that needs attention."""
    return most_severe(
        [
            target.verdict(_judge(target, case, metric, status, disturbed))
            for target in case.benchmark.targets
            if target.metric == name
        ]
    )


def _judge(
    target: Target, case: Case, metric: Metric, status: Status, disturbed: str | None
) -> Judgment:
    mismatch = target.mismatch({**case.params, "backend": case.backend})
    if mismatch is not None:
        return Judgment("not-measured", mismatch)
    if status != "ok":
        return Judgment("not-measured", f"the measurement is {status}")
    return target.judge_metric(metric, disturbed)
