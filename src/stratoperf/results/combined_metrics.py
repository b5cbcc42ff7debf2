"""A metric of a case from that metric of each of its processes, and where it varies."""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from stratoperf.errors import SchemaError
from stratoperf.results.machine_speeds import Speeds, storable
from stratoperf.results.process_result import ProcessResult
from stratoperf.results.schema import Metric, MetricSummary, Variation
from stratoperf.statistics.estimates import QUANTILES, SIGMA, Estimate, Outliers, scope_of
from stratoperf.statistics.processes import FEWEST_BEYOND, location, pooled_tail
from stratoperf.statistics.validation import Samples
from stratoperf.statistics.variation import LEAST_GAP, drift, modes

_OF_BATCHES = "; of means over batches"

OF_THIS_RUN = "; of this run, since too few readings tell how the machine's speed moves"
"""Ends the method of an interval that does not allow for the next run."""


def combined_metric(
    name: str, parts: Sequence[ProcessResult], speeds: Speeds
) -> tuple[Metric, list[str]]:
    """Return a metric over the processes that have it, and what its reader must know."""
    having = [part for part in parts if name in part.result.metrics]
    kinds = Counter(_kind(part.result.metrics[name]) for part in having)
    # The first of those that most processes have.
    kind = max(kinds, key=lambda kind: kinds[kind])
    chosen = [part for part in having if _kind(part.result.metrics[name]) == kind]
    notes = []
    if len(chosen) < len(having):
        notes.append(
            f"{name} is in another unit than {kind[0]!r} in {len(having) - len(chosen)} of "
            f"{len(parts)} processes, which are left out"
        )
    if len(having) < len(parts):
        notes.append(f"{name} was measured in {len(having)} of {len(parts)} processes")
    metrics = [part.result.metrics[name] for part in chosen]
    summaries = [metric.summary for metric in metrics if metric.summary is not None]
    summary = _summary(name, chosen, summaries, speeds) if summaries else None
    metric = Metric(
        unit=metrics[0].unit,
        better=metrics[0].better,
        primary=any(metric.primary for metric in metrics),
        summary=summary,
        mean=storable(_location([metric.mean for metric in metrics], speeds.moved)),
    )
    return metric, notes


def _kind(metric: Metric) -> tuple[str, str]:
    return metric.unit, metric.better


def _location(estimates: Iterable[Estimate | None], moved: float | None) -> Estimate | None:
    """Return the location of a statistic over the processes that have it."""
    own = [estimate for estimate in estimates if estimate is not None]
    if len(own) < 2:
        return own[0] if own else None
    combined = location([estimate.value for estimate in own], own[0].confidence, moved)
    scope = OF_THIS_RUN if moved is None else ""
    return msgspec.structs.replace(combined, method=combined.method + scope + _of_batches(own))


def _of_batches(estimates: Sequence[Estimate]) -> str:
    """Return what the samples of processes are, which each says behind its own method."""
    notes = {"".join(estimate.method.partition(_OF_BATCHES)[1:]) for estimate in estimates}
    return notes.pop() if len(notes) == 1 else f"{_OF_BATCHES} of different sizes"


def _summary(
    name: str, parts: Sequence[ProcessResult], summaries: Sequence[MetricSummary], speeds: Speeds
) -> MetricSummary:
    count = sum(summary.count for summary in summaries)
    means = [summary.mean for summary in summaries if summary.mean is not None]
    quantiles = _quantiles(name, parts, summaries, speeds.moved)
    return MetricSummary(
        count=count,
        mean=location(means).value if means else None,
        stdev=_pooled_deviation(
            [(summary.count, summary.mean, summary.stdev) for summary in summaries]
        ),
        min=min((summary.min for summary in summaries if summary.min is not None), default=None),
        max=max((summary.max for summary in summaries if summary.max is not None), default=None),
        **quantiles,
        outliers=_outliers([(summary.count, summary.outliers) for summary in summaries], count),
        # Within a process; the change over the run is part of its variation.
        drift=None,
        processes=len(summaries),
        scope=scope_of(len(summaries)),
        at_reference_speed=speeds.over(name, parts),
    )


def _quantiles(
    name: str,
    parts: Sequence[ProcessResult],
    summaries: Sequence[MetricSummary],
    moved: float | None,
) -> dict[str, Estimate | None]:
    """Return the quantiles over processes; a higher one never lies below a lower one."""
    quantiles: dict[str, Estimate | None] = {}
    previous: Estimate | None = None
    for quantile, q in QUANTILES.items():
        estimate = _location([getattr(summary, quantile) for summary in summaries], moved)
        beyond = min(summary.count for summary in summaries) * (1 - q)
        if estimate is not None and q > 0.5 and len(summaries) > 1 and beyond < FEWEST_BEYOND:
            estimate = _tail(name, parts, q, estimate, moved)
        if estimate is not None and previous is not None:
            estimate = msgspec.structs.replace(
                estimate,
                value=max(estimate.value, previous.value),
                low=_highest(estimate.low, previous.low),
                high=_highest(estimate.high, previous.high),
            )
        estimate = storable(estimate)
        quantiles[quantile] = estimate
        previous = estimate or previous
    return quantiles


def _highest(bound: float | None, other: float | None) -> float | None:
    return bound if bound is None or other is None else max(bound, other)


def _tail(
    name: str, parts: Sequence[ProcessResult], q: float, estimate: Estimate, moved: float | None
) -> Estimate:
    """Return a quantile of processes with too few samples for one each."""
    samples = [_samples(name, part) for part in parts]
    usable = [own for own in samples if own.size]
    if len(usable) < len(parts):
        return msgspec.structs.replace(
            estimate, method=f"{estimate.method}; too low, since each process has few samples"
        )
    pooled = pooled_tail(usable, q, estimate.confidence, moved)
    return msgspec.structs.replace(
        pooled, method=pooled.method + "".join(estimate.method.partition(_OF_BATCHES)[1:])
    )


def _samples(name: str, part: ProcessResult) -> Samples:
    """Return the samples of a metric; none where they cannot be read or used."""
    result = part.result
    with contextlib.suppress(SchemaError):
        for series in result.series:
            if name in series.columns:
                return _finite(series.columns[name])
            if name == "throughput" and "latency" in series.columns and result.items:
                latency = _finite(series.columns["latency"])
                return result.items * 1e9 / latency if (latency > 0).all() else np.empty(0)
    return np.empty(0)


def _finite(column: Any) -> Samples:
    samples = np.asarray(column, dtype=np.float64)
    return samples if np.isfinite(samples).all() else np.empty(0)


def _pooled_deviation(moments: Sequence[tuple[int, float | None, float | None]]) -> float | None:
    """Return the standard deviation of all samples from count, mean and deviation of each part."""
    known = [(count, mean, stdev or 0.0) for count, mean, stdev in moments if mean is not None]
    count = sum(own for own, _, _ in known)
    if count < 2:
        return None
    center = sum(own / count * mean for own, mean, _ in known)
    squares = sum((own - 1) * sd**2 + own * (mean - center) ** 2 for own, mean, sd in known if own)
    return math.sqrt(squares / (count - 1))


def _outliers(counted: Sequence[tuple[int, Outliers | None]], count: int) -> Outliers | None:
    """Return what the 3-sigma rule does in each process, over all of them."""
    own = [
        (total - outliers.count, outliers) for total, outliers in counted if outliers is not None
    ]
    if not own:
        return None
    removed = sum(outliers.count for _, outliers in own)
    kept = [
        (left, outliers.mean, outliers.stdev)
        for left, outliers in own
        if outliers.mean is not None and left > 0
    ]
    total = sum(left for left, _, _ in kept)
    return Outliers(
        count=removed,
        fraction=min(1.0, removed / count) if count else 0.0,
        sigma=SIGMA,
        mean=sum(left / total * mean for left, mean, _ in kept) if total else None,
        stdev=_pooled_deviation(kept),
    )


def variation(parts: Sequence[ProcessResult], metrics: Mapping[str, Metric]) -> Variation | None:
    """Return where the primary metric varies."""
    name = next(
        (name for name, metric in metrics.items() if metric.primary), next(iter(metrics), "")
    )
    summaries = [
        metric.summary
        for metric in (part.result.metrics.get(name) for part in parts)
        if metric is not None
        and _kind(metric) == _kind(metrics[name])
        and metric.summary is not None
    ]
    known = [(summary, summary.p50.value) for summary in summaries if summary.p50 is not None]
    values = np.array([value for _, value in known])
    overall = metrics[name].statistic("p50") if name else None
    if len(values) < 2 or overall is None or overall.value == 0:
        return None
    unit = abs(overall.value)
    deviations = [_deviation_within(summary) for summary, _ in known]
    within = [deviation / unit for deviation in deviations if deviation is not None]
    trend = drift(values)
    slow, slower_by = _slow(values, metrics[name].better == "lower")
    return Variation(
        within=float(np.median(within)) if within else None,
        between=float(np.std(values, ddof=1)) / unit,
        extent=float(np.ptp(values)) / unit,
        drift=None if trend is None else trend.change / unit,
        drift_chance=None if trend is None else trend.chance,
        slow_processes=slow,
        slower_by=slower_by,
    )


def _deviation_within(summary: MetricSummary) -> float | None:
    trimmed = None if summary.outliers is None else summary.outliers.stdev
    return summary.stdev if trimmed is None else trimmed


def _slow(values: Samples, lower_is_better: bool) -> tuple[int, float | None]:
    """Return how many processes are in a slower mode, and how much slower they are."""
    if values.min() <= 0:
        return 0, None
    groups = modes(np.log(values), math.log1p(LEAST_GAP))
    if groups is None:
        return 0, None
    slow = groups.upper if lower_is_better else len(values) - groups.upper
    return slow, math.expm1(groups.apart)
