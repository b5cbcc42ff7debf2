"""The two sides of a stored comparison: runs, by what they measured."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TypeAlias

import msgspec
import numpy as np

from stratoperf.analysis.comparison import Side
from stratoperf.errors import InvalidParameter, SchemaError
from stratoperf.results import Run, load
from stratoperf.results.schema import QUANTILES, Metric, Result, Series, System
from stratoperf.statistics import Estimate

Stored: TypeAlias = (
    Run | str | os.PathLike[str] | Iterable["Run | str | os.PathLike[str]"]  # one or several
)


class Process(msgspec.Struct, frozen=True, kw_only=True):
    """What one process measured of one statistic of one metric.

    Attributes
    ----------
    value
        Above 0 and finite.
    interval
        The value with the interval that its own samples give, or ``None``.
    moment
        When it was taken: seconds since the epoch, and on the clock of the machine since its
        start, which tells runs of the same second apart.
    pair, arm
        Of a live comparison.
    """

    value: float
    moment: tuple[float, int]
    interval: Estimate | None = None
    pair: int | None = None
    arm: str | None = None


class SideRuns:
    """The runs of one side.

    Parameters
    ----------
    stored
        Runs, run files, or directories of run files.
    side
        Names the side in messages.

    Raises
    ------
    SchemaError
        When a file cannot be read.
    InvalidParameter
        For a directory without runs, or no runs at all.
    """

    def __init__(self, stored: Stored, side: Side) -> None:
        self.side = side
        self.runs = _loaded(stored, side)
        self.label = _label(stored, self.runs)
        self.results: dict[str, list[tuple[Run, Result]]] = {}
        for run in self.runs:
            seen: set[str] = set()
            for result in run.results:
                if result.key in seen:
                    raise SchemaError(
                        f"{run.path or side}: results: the key {result.key!r} is there twice; "
                        "keep one of the two"
                    )
                seen.add(result.key)
                self.results.setdefault(result.key, []).append((run, result))

    @property
    def systems(self) -> Mapping[str, System]:
        """The machines of all runs, by identity."""
        return {name: system for run in self.runs for name, system in run.systems.items()}

    def of(self, key: str) -> list[tuple[Run, Result]]:
        """Return what was measured under a key, the failed and skipped ones left out."""
        return [(run, result) for run, result in self.results.get(key, ()) if result.status == "ok"]


def processes(
    found: Iterable[tuple[Run, Result]], metric: str, statistic: str, side: Side
) -> list[Process]:
    """Return the value of each process, in the order taken.

    Parameters
    ----------
    found
        Results of one key.
    metric, statistic
        Which value.
    side
        The arm that counts where a result is of a live comparison and has both.

    Raises
    ------
    InvalidParameter
        When a value is not finite or not above 0, so that it has no place in a ratio.
    """
    values: list[Process] = []
    for run, result in found:
        moment = _moment(run)
        own = result.metrics.get(metric)
        several = len(result.series) > 1
        for index, series in enumerate(result.series):
            if series.arm not in (None, side):
                continue
            # The file has the interval of a result of one process already.
            interval = None if several or own is None else _stored(own, statistic)
            value = _of_samples(series, metric, statistic) if interval is None else interval.value
            if value is not None:
                values.append(
                    Process(
                        value=_checked(value, result, run),
                        moment=(moment, series.started_ns or index),
                        interval=interval,
                        pair=series.pair,
                        arm=series.arm,
                    )
                )
        if not result.series and own is not None:
            interval = _stored(own, statistic)
            if interval is not None:
                value = _checked(interval.value, result, run)
                values.append(Process(value=value, moment=(moment, 0), interval=interval))
    return sorted(values, key=lambda process: process.moment)


def _stored(metric: Metric, statistic: str) -> Estimate | None:
    return metric.statistic(statistic)


def _of_samples(series: Series, metric: str, statistic: str) -> float | None:
    if metric not in series.columns:
        return None
    samples = np.asarray(series.columns[metric], dtype=np.float64)
    if samples.size == 0:
        return None
    if statistic == "mean":
        return float(np.mean(samples))
    return float(np.quantile(samples, QUANTILES[statistic]))


def _checked(value: float, result: Result, run: Run) -> float:
    if not (np.isfinite(value) and value > 0):
        raise InvalidParameter(
            f"{result.key} in {run.path or run.id}: its value is {value:g}, and a ratio needs one "
            "that is finite and above 0; measure it again"
        )
    return value


def _moment(run: Run) -> float:
    from datetime import datetime

    try:
        return datetime.fromisoformat(run.created.replace("Z", "+00:00")).timestamp()
    except ValueError:
        return 0.0


def _loaded(stored: Stored, side: Side) -> list[Run]:
    if isinstance(stored, Run):
        return [stored]
    if isinstance(stored, str | os.PathLike):
        return _from_path(Path(stored), side)
    runs = [run for one in stored for run in _loaded(one, side)]
    if not runs:
        raise InvalidParameter(f"{side}: there are no runs; give at least one")
    return list({run.id: run for run in runs}.values())


def _from_path(path: Path, side: Side) -> list[Run]:
    if not path.is_dir() or path.suffix == ".journal":
        return [load(path)]
    files = sorted(path.glob("*.json"))
    if not files:
        raise InvalidParameter(
            f"{side}: there is no run file in {path}; stratoperf run --output {path} writes one"
        )
    # The newest run is there twice, once as latest.json.
    runs = {run.id: run for run in map(load, files)}
    return sorted(runs.values(), key=_moment)


def _label(stored: Stored, runs: list[Run]) -> str:
    if isinstance(stored, str | os.PathLike):
        name = str(stored)
    else:
        name = str(runs[0].path or f"run {runs[0].id}")
    return name if len(runs) == 1 else f"{len(runs)} runs, {name}"
