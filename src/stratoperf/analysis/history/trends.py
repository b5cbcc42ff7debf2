"""The series of a history: one for each key, version of the benchmark, and machine."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from stratoperf.analysis.history.loading import DatedRun
from stratoperf.analysis.history.model import Moment, Trend
from stratoperf.analysis.stored.sides import processes
from stratoperf.errors import InvalidParameter, SchemaError
from stratoperf.results import Run
from stratoperf.results.schema import Metric, Result, System
from stratoperf.statistics import Estimate
from stratoperf.statistics.processes import location

_CONFIDENCE = 0.95


class Series(NamedTuple):
    """A trend without change points, and the run of each of its moments."""

    trend: Trend
    runs: list[Run]


class _Measured(NamedTuple):
    """A result with its run; `twice` when the run has its key twice."""

    run: Run
    result: Result
    twice: bool


def collect(runs: Sequence[DatedRun], statistic: str, keys: Collection[str]) -> list[Series]:
    """Return the series of the keys, in the order of the runs.

    Parameters
    ----------
    runs
        In the order taken.
    statistic
        One of ``compute.CHOICES``.
    keys
        The others are ignored.
    """
    groups: dict[tuple[str, str, str], list[_Measured]] = {}
    for dated in runs:
        for measured in _results(dated.run):
            result = measured.result
            if result.key in keys:
                machine = _machine(measured.run, result)
                group = (result.key, str(result.benchmark_version), machine)
                groups.setdefault(group, []).append(measured)
    return [_series(group, machine, statistic) for (_, _, machine), group in groups.items()]


def _results(run: Run) -> Iterator[_Measured]:
    counts = Counter(result.key for result in run.results)
    # The last of several results of a key stands for all: none of them counts.
    last = {result.key: result for result in run.results}
    for key, result in last.items():
        yield _Measured(run, result, counts[key] > 1)


def _machine(run: Run, result: Result) -> str:
    """Return the identity of the machine, also of a result that has no samples."""
    systems = sorted({series.system for series in result.series if series.system is not None})
    return "+".join(systems) if systems else next(iter(run.systems), "unknown")


def _series(measured: Sequence[_Measured], machine: str, statistic: str) -> Series:
    newest = next(
        (entry for entry in reversed(measured) if entry.result.status == "ok"), measured[-1]
    ).result
    name, own = (
        ("throughput", "mean")
        if statistic == "throughput"
        else (
            _primary(newest),
            statistic,
        )
    )
    metric = newest.metrics.get(name) or Metric(unit="", better="lower")
    run = measured[-1].run
    trend = Trend(
        key=newest.key,
        benchmark=newest.benchmark,
        benchmark_version=newest.benchmark_version,
        category=newest.category,
        backend=newest.backend,
        params=newest.params,
        machine=machine,
        machine_name=_machine_name(run.systems.get(machine)),
        metric=name,
        statistic=own,
        unit=metric.unit,
        better=metric.better,
        moments=tuple(_moment(entry, name, own, metric.unit) for entry in measured),
    )
    return Series(trend, [entry.run for entry in measured])


def _primary(result: Result) -> str:
    metrics = result.metrics
    first = next(iter(metrics), "latency")
    return next((name for name, metric in metrics.items() if metric.primary), first)


def _moment(measured: _Measured, metric: str, statistic: str, unit: str) -> Moment:
    run = measured.run
    estimate, gap = _estimate(measured, metric, statistic, unit)
    return Moment(
        run=run.id,
        created=run.created,
        path=None if run.path is None else str(run.path),
        preset=run.preset,
        stratoperf_version=run.stratoperf_version,
        estimate=estimate,
        gap=gap,
    )


def _estimate(
    measured: _Measured, metric: str, statistic: str, unit: str
) -> tuple[Estimate | None, str | None]:
    """Return the value of a run, or why there is none."""
    run, result, twice = measured
    if twice:
        return None, f"the key {result.key!r} is there twice; keep one of the two"
    if result.status != "ok":
        return None, result.status + (f": {result.reason}" if result.reason else "")
    own = result.metrics.get(metric)
    if own is not None and own.unit != unit:
        return None, f"{metric} is in {own.unit!r}, and in {unit!r} in the newest run"
    try:
        parts = processes([(run, result)], metric, statistic, "baseline")
    except (InvalidParameter, SchemaError) as error:
        return None, str(error)
    if not parts:
        return None, f"there is no {statistic} of {metric}"
    if own is not None and own.summary is not None and (own.summary.processes or 1) > 1:
        whole = own.statistic(statistic)
        if whole is not None and whole.value > 0:
            return whole, None
    if len(parts) == 1 and parts[0].interval is not None:
        return parts[0].interval, None
    return location([part.value for part in parts], _CONFIDENCE), None


def _machine_name(system: System | None) -> str:
    cpu = None if system is None else system.cpu
    return str(cpu.get("model") or "") if isinstance(cpu, dict) else cpu or ""
