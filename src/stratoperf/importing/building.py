"""From what other tools measured to the results of a run file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from stratoperf import statistics
from stratoperf.door import shortened
from stratoperf.errors import InvalidParameter, SchemaError
from stratoperf.importing.model import Imported, Observed, Sampled, Stated
from stratoperf.results.combining import combined
from stratoperf.results.schema import Metric, MetricSummary
from stratoperf.results.storage import encode_line
from stratoperf.running.categories import IMPORTED
from stratoperf.running.keys import case_key
from stratoperf.statistics.estimates import QUANTILES, THIS_PROCESS, Estimate

_CONFIDENCE = 0.95


def system_name(facts: Mapping[str, Any]) -> str | None:
    """Return the identity of a machine in a run file; ``None`` where nothing is known of it."""
    if not facts:
        return None
    return f"imported-{hashlib.sha256(encode_line(dict(facts))).hexdigest()[:12]}"


def key_of(tool: str, benchmark: Imported) -> str:
    """Return the key of a benchmark: what comparisons join on."""
    return case_key(benchmark.name, {**benchmark.params, "tool": tool}, benchmark.backend)


def result_of(tool: str, benchmark: Imported, earlier: Sequence[Imported] = ()) -> dict[str, Any]:
    """Return the result of a benchmark.

    Parameters
    ----------
    tool
        What measured it.
    benchmark
        From a file.
    earlier
        The same benchmark from files before it, whose processes count too.

    Raises
    ------
    SchemaError
        For samples that are no times, counts or sizes; without the name of the file.
    """
    key = key_of(tool, benchmark)
    all_files = [*earlier, benchmark]
    failed = next((each for each in all_files if each.status != "ok"), None)
    head = {
        "key": key,
        "benchmark": benchmark.name,
        "benchmark_version": None,
        "category": IMPORTED,
        "backend": benchmark.backend,
        "params": {**benchmark.params, "tool": tool},
        "status": "ok" if failed is None else failed.status,
        "reason": None if failed is None else failed.reason,
        "below_standard": [],
        "details": {"tool": tool, **benchmark.details},
        "notes": list(dict.fromkeys(note for each in all_files for note in each.notes)),
    }
    if failed is not None or not benchmark.metrics:
        return {**head, "metrics": {}, "series": []}
    parts = [
        _part(head, each, index, f"{number}.{index:06}" if earlier else f"{index:06}")
        for number, each in enumerate(all_files)
        for index in range(max(len(metric.processes) for metric in each.metrics.values()))
    ]
    # What a single process says is complete, with its scope.
    tree = combined(parts) if len(parts) > 1 else parts[0]
    for name in benchmark.metrics:
        whole = [each.metrics[name] for each in all_files if _is_of_all(each, name)]
        if whole:
            tree["metrics"][name] = msgspec.to_builtins(_of_all(whole, name))
    return tree


def _is_of_all(benchmark: Imported, name: str) -> bool:
    """Return whether a metric has one statement over processes that the first one tells apart."""
    first, own = next(iter(benchmark.metrics.values())), benchmark.metrics.get(name)
    return (
        own is not None
        and len(own.processes) == 1 < len(first.processes)
        and isinstance(own.processes[0], Stated)
    )


def _of_all(whole: Sequence[Observed], name: str) -> Metric:
    """Return the mean over the processes of all files."""
    stated = [each for observed in whole for each in observed.processes if isinstance(each, Stated)]
    size = sum(each.size for each in stated)
    mean = sum((each.mean or 0.0) * each.size / size for each in stated)
    metric = _of_statement(Stated(size, mean=mean), whole[0], name)
    assert metric.summary is not None
    summary = msgspec.structs.replace(metric.summary, processes=None, scope=None)
    return msgspec.structs.replace(metric, summary=summary)


def _part(head: dict[str, Any], benchmark: Imported, index: int, process: str) -> dict[str, Any]:
    """Return what one process says."""
    metrics: dict[str, Any] = {}
    series: list[dict[str, Any]] = []
    system = system_name(benchmark.system)
    for number, (name, observed) in enumerate(benchmark.metrics.items()):
        if index >= len(observed.processes) or _is_of_all(benchmark, name):
            continue
        taken = observed.processes[index]
        where = f"{shortened(benchmark.name)}: {name}"
        if isinstance(taken, Sampled):
            _check(taken.values, where)
            series.append(_series(name, taken, system, process))
            metric = _of_samples(taken, observed)
        else:
            metric = _of_statement(taken, observed, where)
        metrics[name] = msgspec.structs.replace(metric, primary=number == 0)
        # A sample that the clock saw as zero has no rate.
        if number == 0 and benchmark.items and isinstance(taken, Sampled) and taken.values.all():
            metrics["throughput"] = _throughput(taken, benchmark)
    return {
        **head,
        "metrics": {name: msgspec.to_builtins(metric) for name, metric in metrics.items()},
        "series": series,
        "items": benchmark.items,
        "item_unit": benchmark.item_unit,
    }


def _check(values: NDArray[np.float64], where: str) -> None:
    if values.size == 0:
        raise SchemaError(f"{where} has no samples; measure it again")
    # NaN fails every comparison.
    if not (values >= 0).all() or not np.isfinite(values).all():
        bad = values[~((values >= 0) & np.isfinite(values))][0]
        raise SchemaError(
            f"{where}: the sample {bad:g} is negative or not finite; measure it again"
        )


def _series(name: str, taken: Sampled, system: str | None, process: str) -> dict[str, Any]:
    columns: dict[str, Any] = {name: taken.values}
    if not isinstance(taken.iterations, int):
        columns["iterations"] = taken.iterations
    return {
        "system": system,
        "process": process,
        "arm": None,
        "pair": None,
        "started_ns": None,
        "batch": taken.batch,
        "kind": taken.kind,
        "columns": columns,
    }


def _of_samples(taken: Sampled, observed: Observed) -> Metric:
    try:
        summary = statistics.summarize(taken.values)
        mean = statistics.mean(taken.values)
    except InvalidParameter as error:
        raise SchemaError(str(error)) from error
    fields = msgspec.structs.asdict(summary)
    del fields["stopped_because"]
    note = _of_batches(taken)
    quantiles = {name: _noted(fields[name], note) for name in QUANTILES}
    return Metric(
        unit=observed.unit,
        better=observed.better,
        summary=MetricSummary(**{**fields, **quantiles, "scope": THIS_PROCESS, "processes": 1}),
        mean=_noted(mean, note),
    )


def _of_batches(taken: Sampled) -> str:
    if taken.kind == "event":
        return ""
    low, high = int(np.min(taken.iterations)), int(np.max(taken.iterations))
    sizes = f"{low}" if low == high else f"{low} to {high}"
    return f"; of means over batches of {sizes} iterations"


def _noted(estimate: Estimate, note: str) -> Estimate:
    return msgspec.structs.replace(estimate, method=f"{estimate.method}{note}")


def _throughput(taken: Sampled, benchmark: Imported) -> Metric:
    """Return the rate of a benchmark whose iterations have a number of items."""
    rates = (benchmark.items or 0) * 1e9 / taken.values
    metric = _of_samples(
        Sampled(rates, taken.iterations),
        Observed(processes=[], unit=f"{benchmark.item_unit}/s", better="higher"),
    )
    weights = np.broadcast_to(taken.iterations, taken.values.shape)
    # The mean of a rate is all items over all time, not the mean of the samples' rates.
    rate = (benchmark.items or 0) * 1e9 * weights.sum() / (taken.values * weights).sum()
    summary = metric.summary
    assert summary is not None
    return msgspec.structs.replace(
        metric,
        summary=msgspec.structs.replace(summary, mean=float(rate)),
        mean=Estimate(float(rate), None, None, _CONFIDENCE, "all items over all the time"),
    )


def _of_statement(stated: Stated, observed: Observed, where: str) -> Metric:
    for name, value in stated._asdict().items():
        if value is not None and not (np.isfinite(value) and value >= 0):
            raise SchemaError(
                f"{where}: the {name} {value:g} is negative or not finite; measure it again"
            )
    median = _stated(stated.median)
    summary = MetricSummary(
        count=stated.size,
        mean=stated.mean,
        stdev=stated.stdev,
        min=stated.min,
        max=stated.max,
        p50=median,
        processes=1,
        scope=THIS_PROCESS,
    )
    return Metric(
        unit=observed.unit, better=observed.better, summary=summary, mean=_stated(stated.mean)
    )


def _stated(value: float | None) -> Estimate | None:
    if value is None:
        return None
    return Estimate(value, None, None, _CONFIDENCE, "as the tool states it, without samples")
