"""What the charts draw: the samples of one metric, process by process, with its estimates."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from stratoperf.errors import SchemaError
from stratoperf.measurement import Measurement
from stratoperf.presentation.charts.scales import Array
from stratoperf.results.schema import Metric, Result, Series
from stratoperf.statistics import Estimate
from stratoperf.statistics.estimates import QUANTILES
from stratoperf.text.units import parameters

QUANTILE_NAMES = {"p50": "p50", "p95": "p95", "p99": "p99", "p999": "p99.9"}
"""How the quantiles are called beside their place."""


class Sampled(NamedTuple):
    """The samples of one metric.

    Attributes
    ----------
    name
        What was measured.
    metric, unit
        The metric and its unit.
    what
        What one sample is.
    processes
        The finite samples of each process, in the order taken.
    estimates
        Quantiles with their intervals, by name.
    missing
        Why there are no samples, or nothing.
    dropped
        Number of samples that are not finite.
    """

    name: str
    metric: str
    unit: str
    what: str
    processes: tuple[Array, ...]
    estimates: Mapping[str, Estimate]
    missing: str = ""
    dropped: int = 0

    @property
    def size(self) -> int:
        """Number of samples."""
        return sum(map(len, self.processes))

    def sorted(self) -> Array:
        """Return all samples, the smallest first."""
        return np.sort(np.concatenate(self.processes))


def primary(result: Result) -> tuple[str, Metric] | None:
    """Return the name and the metric that a result is judged by; ``None`` where it has none."""
    metrics = list(result.metrics.items())
    return next((item for item in metrics if item[1].primary), next(iter(metrics), None))


def case_text(result: Result) -> str:
    """Return the parameters and the backend of a case."""
    return parameters(_facts(result).items())


def distinct_texts(results: Sequence[Result], without: Collection[str] = ()) -> dict[str, str]:
    """Return by key what tells each case from the others of its benchmark.

    Parameters
    ----------
    results
        The cases. What all measured ones of a benchmark have in common is left out.
    without
        Parameters that something else shows.
    """
    known: dict[str, dict[str, set[str]]] = {}
    for result in results:
        if result.status != "skipped":
            values = known.setdefault(result.benchmark, {})
            for name, value in _facts(result, without).items():
                values.setdefault(name, set()).add(str(value))
    texts = {}
    for result in results:
        own = _facts(result, without)
        varied = known.get(result.benchmark, {})
        telling = {name: value for name, value in own.items() if len(varied.get(name, ())) > 1}
        texts[result.key] = parameters((telling or own).items())
    return texts


def _facts(result: Result, without: Collection[str] = ()) -> dict[str, Any]:
    own = {**result.params, "backend": result.backend}
    return {name: value for name, value in own.items() if name not in without}


def samples_of_result(result: Result, arm: str | None = None) -> Sampled | None:
    """Return the samples of the primary metric; ``None`` for a result without metrics.

    Parameters
    ----------
    result
        The result.
    arm
        The side of a live comparison whose samples are meant; ``None`` for all.
    """
    named = primary(result)
    if named is None:
        return None
    name, metric = named
    estimates = {
        quantile: estimate
        for quantile in QUANTILES
        if (estimate := metric.statistic(quantile)) is not None
    }
    series = [each for each in result.series if name in each.columns and arm in (None, each.arm)]
    processes: list[Array] = []
    missing, dropped = "", 0
    try:
        for each in series:
            values = np.asarray(each.columns[name], np.float64)
            finite = values[np.isfinite(values)]
            dropped += len(values) - len(finite)
            processes.append(finite)
    except SchemaError as error:
        missing, processes = str(error), []
    if not any(map(len, processes)):
        missing = missing or "the run file has no samples of it"
        processes = []
    return Sampled(
        f"{result.benchmark} {case_text(result)}",
        name,
        metric.unit,
        _what(series),
        tuple(own for own in processes if len(own)),
        estimates,
        missing,
        dropped,
    )


def samples_of_measurement(measurement: Measurement) -> Sampled:
    """Return the samples of a measurement."""
    several = measurement.processes if len(measurement.processes) > 1 else ()
    samples = np.asarray(measurement.samples_ns, np.float64)
    parts = tuple(samples[process.samples] for process in several) or (samples,)
    return Sampled(
        measurement.name,
        "latency",
        "ns",
        "one iteration" if measurement.batch == 1 else _means([measurement.batch]),
        tuple(part[np.isfinite(part)] for part in parts if len(part)),
        {name: measurement.quantile(q) for name, q in QUANTILES.items()}
        if measurement.count
        else {},
        "" if len(samples) else "the measurement kept no samples",
    )


def _what(series: Sequence[Series]) -> str:
    """Return what one sample is, in words."""
    kinds = {each.kind for each in series}
    if "bucketed" in kinds:
        return "a bucket of a histogram"
    varied = any("iterations" in each.columns for each in series)
    batches = sorted({each.batch for each in series})
    if varied:
        return "the mean of a batch of varied size"
    return _means(batches) if "batch_mean" in kinds or batches[-1:] > [1] else "one event"


def _means(batches: Sequence[int]) -> str:
    if not batches or batches[-1] == 1:
        return "the mean of a batch"
    sizes = f"{batches[0]}" if batches[0] == batches[-1] else f"{batches[0]} to {batches[-1]}"
    return f"the mean of {sizes} iterations"
