"""The result of a case from its parts: what each of several processes measured.

A part is a result of one process. The result of the case has the same form; its estimates are over
processes (`stratoperf.statistics.processes`), its counts and times are sums, and what disturbed it
is that of the process that was disturbed most.
"""

from __future__ import annotations

import contextlib
import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from stratoperf.errors import SchemaError
from stratoperf.results.part_seconds import without_seconds
from stratoperf.results.ranges import LARGEST, SMALLEST
from stratoperf.results.schema import STATISTICS, Metric, MetricSummary, Result, Variation
from stratoperf.results.validation import read_result
from stratoperf.statistics.estimates import (
    QUANTILES,
    SIGMA,
    THIS_PROCESS,
    Estimate,
    Outliers,
    scope_of,
)
from stratoperf.statistics.next_run import movement
from stratoperf.statistics.processes import FEWEST_BEYOND, location, pooled_tail
from stratoperf.statistics.scaling import at_speed
from stratoperf.statistics.validation import Samples
from stratoperf.statistics.variation import LEAST_GAP, drift, modes
from stratoperf.text.alike_warnings import NUMBER

# The weakest reason first: the result is as good as its worst part.
_STOPS = ("interrupted", "max_duration", "max_samples", "max_iterations", "precision")

_OF_BATCHES = "; of means over batches"

OF_THIS_RUN = "; of this run, since too few readings tell how the machine's speed moves"
"""Ends the method of an interval that does not allow for the next run."""

Tree = dict[str, Any]


class _Part(NamedTuple):
    """A part as its tree, and as a reader sees it."""

    tree: Tree
    result: Result

    @property
    def started_ns(self) -> float:
        started = [
            series.started_ns for series in self.result.series if series.started_ns is not None
        ]
        return min(started, default=math.inf)

    @property
    def process(self) -> str | None:
        return next((series.process for series in self.result.series if series.process), None)


def combined(
    parts: Sequence[Tree],
    *,
    base: Path | None = None,
    reading: str = "integer",
    usual: float | None = None,
    earlier: Sequence[float] = (),
) -> Tree:
    """Return the result of a case from what its processes measured.

    Parameters
    ----------
    parts
        Results of one process each, of one case, at least one. Columns may be arrays or
        references, and are passed through.
    base
        What references are relative to. Where they cannot be read, the tail of a case with few
        samples in each process is that of its processes, which lies too low; its method says so.
    reading
        Which of the machine's speeds in ``environment.reference`` the value at reference speed is
        divided by.
    usual
        The usual reading of the run; by default that of these parts.
    earlier
        The same reading beside other processes on this machine, from which it is known how far its
        speed moves.

    Returns
    -------
    dict
        With ``variation`` for several parts. The estimates of a single part are as they were, of
        the scope ``"this process"``. Of several, no metric has a verdict, and ``below_standard`` is
        empty: these belong to what judges the whole, as does whether it was disturbed.

    Raises
    ------
    SchemaError
        When there are no parts, when one is not a result, or not of the same case as the others.
    """
    if not parts:
        raise SchemaError("parts: expected at least one process, got none")
    read = [
        _Part(without_seconds(tree), read_result(tree, f"parts[{index}]", base))
        for index, tree in enumerate(parts)
    ]
    _check_same_case(read)
    if len(read) == 1:
        return _of_one(read[0])
    speeds = _Speeds(read, reading, usual, earlier)
    # The order in which they are given must not matter.
    read.sort(key=lambda part: (part.started_ns, part.process or ""))
    notes = _united([part.result.notes for part in read])
    metrics: dict[str, Metric] = {}
    for name in dict.fromkeys(name for part in read for name in part.result.metrics):
        metrics[name], left_out = _metric(name, read, speeds)
        notes += left_out
    first = read[0].tree
    return {
        **first,
        "below_standard": [],
        "source": read[-1].result.source,
        "metrics": {name: msgspec.to_builtins(metric) for name, metric in metrics.items()},
        "series": [series for part in read for series in part.tree.get("series", [])],
        "warmup": _warmup(read),
        "verification": _verification(read),
        "environment": _environment(read),
        "processes": [_in_short(part) for part in read],
        "variation": msgspec.to_builtins(_variation(read, metrics)),
        "stopped_because": _stop(read),
        "disturbed": None,
        "warnings": _united([part.result.warnings for part in read]),
        "notes": notes + _earlier_source(read) + _differing_details(read),
    }


def _check_same_case(parts: Sequence[_Part]) -> None:
    first = parts[0].result
    for index, part in enumerate(parts):
        for name in ("key", "benchmark_version"):
            expected, actual = getattr(first, name), getattr(part.result, name)
            if actual != expected:
                raise SchemaError(
                    f"parts[{index}].{name}: expected {expected!r} as in the first part, got "
                    f"{actual!r}"
                )


def _of_one(part: _Part) -> Tree:
    """Return a single part with its scope; nothing is made up about other processes."""
    metrics = {}
    for name, metric in part.result.metrics.items():
        tree = dict(part.tree["metrics"][name])
        if metric.summary is not None:
            tree["summary"] = {
                **tree["summary"],
                "processes": 1,
                "scope": THIS_PROCESS,
                "at_reference_speed": None,
            }
        metrics[name] = tree
    return {**part.tree, "metrics": metrics}


def _metric(name: str, parts: Sequence[_Part], speeds: _Speeds) -> tuple[Metric, list[str]]:
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
        mean=_storable(_location([metric.mean for metric in metrics], speeds.moved)),
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
    name: str, parts: Sequence[_Part], summaries: Sequence[MetricSummary], speeds: _Speeds
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
    parts: Sequence[_Part],
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
        estimate = _storable(estimate)
        quantiles[quantile] = estimate
        previous = estimate or previous
    return quantiles


def _storable(estimate: Estimate | None) -> Estimate | None:
    """Return the estimate without what no run file holds: bounds of absurd sizes bound nothing."""
    if estimate is None or not abs(estimate.value) <= LARGEST:
        return None
    value, low, high = (
        None
        if number is None or abs(number) > LARGEST
        else 0.0
        if abs(number) < SMALLEST
        else number
        for number in (estimate.value, estimate.low, estimate.high)
    )
    return msgspec.structs.replace(estimate, value=value, low=low, high=high)


def _highest(bound: float | None, other: float | None) -> float | None:
    return bound if bound is None or other is None else max(bound, other)


def _tail(
    name: str, parts: Sequence[_Part], q: float, estimate: Estimate, moved: float | None
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


def _samples(name: str, part: _Part) -> Samples:
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


class _Speeds:
    """How fast the machine was while each part was measured, against its usual speed.

    Attributes
    ----------
    moved
        How far its speed moves; ``None`` where too little is known.
    """

    def __init__(
        self,
        parts: Sequence[_Part],
        reading: str,
        usual: float | None,
        earlier: Sequence[float],
    ) -> None:
        self._name = reading
        self._readings = {id(part.tree): _reading(part, reading) for part in parts}
        own = [reading for reading in self._readings.values() if reading is not None]
        self._usual = _plausible(float(np.median(own)) if usual is None and own else usual)
        others = [step for step in map(_plausible, earlier) if step is not None]
        self.moved = movement(own, others)

    def over(self, name: str, parts: Sequence[_Part]) -> Estimate | None:
        """Return the location of the medians at the usual speed.

        There is none where a reading is unknown, or where the medians do not follow the speed.
        """
        if self._usual is None:
            return None
        values, readings = [], []
        for part in parts:
            metric = part.result.metrics[name]
            median = None if metric.summary is None else metric.summary.p50
            reading = self._readings[id(part.tree)]
            if median is None or reading is None or not median.value > 0:
                return None
            values.append(median.value)
            readings.append(reading)
        unit = parts[0].result.metrics[name].unit
        estimate = None
        if unit == "ns":
            estimate = at_speed(values, readings, self._usual, moved=self.moved)
        elif unit.endswith("/s"):
            times = [1 / value for value in values]
            inverse = at_speed(times, readings, self._usual, moved=self.moved)
            estimate = None if inverse is None else _inverse(inverse)
        estimate = _storable(estimate)
        return None if estimate is None else self._named(estimate)

    def _named(self, estimate: Estimate) -> Estimate:
        method = (
            f"{estimate.method}, to that at which a step of the {self._name} reference takes "
            f"{self._usual:.4g} ns"
        )
        return msgspec.structs.replace(estimate, method=method)


def _inverse(estimate: Estimate) -> Estimate:
    """Return the estimate of a rate from that of a time."""
    low, high = (None if bound is None else 1 / bound for bound in (estimate.high, estimate.low))
    return msgspec.structs.replace(estimate, value=1 / estimate.value, low=low, high=high)


def _reading(part: _Part, name: str) -> float | None:
    readings = part.result.environment.get("reference")
    return _plausible(readings.get(f"{name}_ns")) if isinstance(readings, Mapping) else None


def _plausible(value: object) -> float | None:
    """Return the time of a step in nanoseconds; no machine needs more than a second."""
    number = _number(value)
    return number if number is not None and 1e-9 < number < 1e9 else None


def _variation(parts: Sequence[_Part], metrics: Mapping[str, Metric]) -> Variation | None:
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
    whole = metrics[name].statistic("p50") if name else None
    if len(values) < 2 or whole is None or whole.value == 0:
        return None
    unit = abs(whole.value)
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


def _warmup(parts: Sequence[_Part]) -> Tree | None:
    own = [part.result.warmup for part in parts if part.result.warmup is not None]
    if not own:
        return None
    return {
        "seconds": sum(warmup.seconds for warmup in own),
        "iterations": sum(warmup.iterations for warmup in own),
    }


def _verification(parts: Sequence[_Part]) -> Tree | None:
    own = [part.result.verification for part in parts if part.result.verification is not None]
    if not own:
        return None
    return {
        "checked": sum(check.checked for check in own),
        "passed": all(check.passed for check in own),
    }


def _stop(parts: Sequence[_Part]) -> str | None:
    reasons = {part.result.stopped_because for part in parts}
    known = [reason for reason in _STOPS if reason in reasons]
    return next(iter([*known, *sorted(reason for reason in reasons if reason)]), None)


def _united(sentences: Sequence[Sequence[str]]) -> list[str]:
    """Return sentences once each, with how many processes they concern.

    Those that differ in their numbers alone are one; it stands with the largest.
    """
    groups: dict[str, list[tuple[list[float], str]]] = {}
    for own in sentences:
        # A sentence counts once for each process.
        for sentence in {NUMBER.sub("#", sentence): sentence for sentence in own}.values():
            numbers = [float(number) for number in NUMBER.findall(sentence)]
            groups.setdefault(NUMBER.sub("#", sentence), []).append((numbers, sentence))
    united = []
    for group in groups.values():
        worst = max(group)[1]
        if len(group) == len(sentences) and len({number for _, number in group}) == 1:
            united.append(worst)
        else:
            united.append(f"{worst} ({_of(len(group), len(sentences))})")
    return united


def _of(count: int, total: int) -> str:
    """Return how many of the processes in words."""
    return f"the worst of {total} processes" if count == total else f"{count} of {total} processes"


def _earlier_source(parts: Sequence[_Part]) -> list[str]:
    """Return a note where the file of the benchmark changed while a run was interrupted."""
    # Parts without one are of a version that did not tell it.
    known = [part.result.source for part in parts if part.result.source is not None]
    earlier = sum(source != known[-1] for source in known)
    if not earlier:
        return []
    return [
        f"{earlier} of {len(parts)} processes were measured before the file that declares the "
        "benchmark was changed; start a new run if the change matters"
    ]


def _differing_details(parts: Sequence[_Part]) -> list[str]:
    """Return a note where processes worked in different ways."""
    names = dict.fromkeys(name for part in parts for name in part.result.details)
    differing = [
        name
        for name in names
        if any(part.result.details.get(name) != parts[0].result.details.get(name) for part in parts)
    ]
    if not differing:
        return []
    return [
        f"details differ between the processes, and are those of the first: {', '.join(differing)}"
    ]


def _environment(parts: Sequence[_Part]) -> Tree:
    """Return what disturbed the case, in the words of `stratoperf.monitor.NoiseProbe`.

    Times and counts are sums, shares and loads the worst.
    """
    own = [part.result.environment for part in parts]
    return {
        name: rule([environment.get(name) for environment in own])
        for name, rule in _RULES.items()
        if any(name in environment for environment in own)
    }


def in_short(parts: Sequence[Tree], base: Path | None = None) -> list[Tree]:
    """Return what single processes measured without their samples, for ``Result.left_out``.

    Parameters
    ----------
    parts, base
        As for `combined`.
    """
    return [
        _in_short(_Part(tree, read_result(tree, f"parts[{index}]", base)))
        for index, tree in enumerate(parts)
    ]


def _in_short(part: _Part) -> Tree:
    """Return what a reader needs of one process to see where the variation is."""
    metrics = {
        name: {
            statistic: estimate.value
            for statistic in STATISTICS
            if (estimate := metric.statistic(statistic)) is not None
        }
        for name, metric in part.result.metrics.items()
    }
    return {
        "process": part.process,
        "started_ns": None if math.isinf(part.started_ns) else part.started_ns,
        "disturbed": part.result.disturbed,
        "warmup": part.tree.get("warmup"),
        "environment": dict(part.result.environment),
        "metrics": metrics,
    }


def _number(value: object) -> float | None:
    """Return a finite number, and ``None`` for anything else that a file may hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    with contextlib.suppress(OverflowError):
        # NaN fails every comparison.
        return value if abs(value) <= LARGEST else None
    return None


def _numbers(values: Sequence[object]) -> list[float]:
    return [number for number in map(_number, values) if number is not None]


def _sum(values: Sequence[object]) -> float | None:
    numbers = _numbers(values)
    return sum(numbers) if numbers else None


def _most(values: Sequence[object]) -> float | None:
    return max(_numbers(values), default=None)


def _least(values: Sequence[object]) -> float | None:
    return min(_numbers(values), default=None)


def _first(values: Sequence[object]) -> object:
    return next((value for value in values if value is not None), None)


def _flags(values: Sequence[object]) -> int | None:
    flags = [flag for flag in values if isinstance(flag, int) and not isinstance(flag, bool)]
    whole = 0
    for flag in flags:
        whole |= flag
    return whole if flags else None


def _each(**rules: Callable[[Sequence[object]], object]) -> Callable[[Sequence[object]], object]:
    """Return the rule for an object whose keys have rules of their own."""

    def rule(values: Sequence[object]) -> object:
        objects = [value for value in values if isinstance(value, Mapping)]
        if not objects:
            return None
        return {name: own([entry.get(name) for entry in objects]) for name, own in rules.items()}

    return rule


def _worst_frequency(values: Sequence[object]) -> object:
    """Return the frequencies of the process in which the CPU slowed down most."""
    objects = [value for value in values if isinstance(value, Mapping)]

    def kept(entry: Mapping[str, object]) -> float:
        start, end = _number(entry.get("start_mhz")), _number(entry.get("end_mhz"))
        return end / start if start and end else math.inf

    return min(objects, key=kept, default=None)


def _busiest(values: Sequence[object]) -> object:
    """Return the utilization of the process that met the busiest GPU at its start."""
    objects = [value for value in values if isinstance(value, Mapping)]

    def start(entry: Mapping[str, object]) -> float:
        percents = entry.get("start_percent")
        return max(_numbers(percents), default=0.0) if isinstance(percents, list | tuple) else 0.0

    return max(objects, key=start, default=None)


_RULES: Mapping[str, Callable[[Sequence[object]], object]] = {
    "seconds": _sum,
    "steal_percent": _most,
    "cpu_seconds": _sum,
    "waiting_seconds": _sum,
    "waiting_percent": _most,
    "others_seconds": _sum,
    "idle_percent": _least,
    "other_load": _most,
    "involuntary_switches": _sum,
    "voluntary_switches": _sum,
    "page_faults": _each(minor=_sum, major=_sum),
    "cpu_frequency": _worst_frequency,
    "throttling": _each(thermal_events=_sum, thermal_ms=_sum, quota_ms=_sum, pi_flags=_flags),
    "load_average": _first,
    "gpu_utilization": _busiest,
}
