"""The two sides of a stored comparison: runs, by what they measured."""

from __future__ import annotations

import collections
import functools
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from stratoperf.analysis.comparison import Side
from stratoperf.analysis.stored.sources import is_folder, load_folder
from stratoperf.commands import command_text
from stratoperf.door import shortened
from stratoperf.errors import InvalidParameter, SchemaError
from stratoperf.monitor.speed import references, speed
from stratoperf.paths import user_path
from stratoperf.results import Run, load
from stratoperf.results.moments import moment_of
from stratoperf.results.ranges import LARGEST
from stratoperf.results.schema import Metric, Result, Series, System
from stratoperf.statistics import Estimate
from stratoperf.statistics.estimates import QUANTILES

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
    pair
        In a live comparison, the identity of its run and the number of the pair in it.
    samples
        Returns the samples that the value is a statistic of, in the order taken; none, or
        ``None``, where the file has the value alone.
    statistic
        Which one.
    run
        Identity of its run.
    speeds
        Times of a step of the machine's speed references during its result, by their name.
    count
        Samples that the value is a statistic of, on average of the processes of its result;
        ``None`` where the file does not say.
    step_ns
        Time of a step of integer arithmetic around this process; ``None`` where the file does not
        say.
    """

    value: float
    moment: tuple[float, int]
    interval: Estimate | None = None
    pair: tuple[str, int] | None = None
    samples: Callable[[], NDArray[np.float64]] | None = None
    statistic: str = "p50"
    run: str = ""
    speeds: Mapping[str, float] = {}
    count: float | None = None
    step_ns: float | None = None


class _Loaded(NamedTuple):
    """A run, and whether it was found in a folder or named by the user."""

    run: Run
    in_folder: bool


class SideRuns:
    """The runs of one side.

    Parameters
    ----------
    stored
        Runs, run files, or directories of run files. Live comparisons that lie in a directory
        beside plain runs are left out: their pairs mean something only against each other.
    name
        Name of the side, for messages.

    Attributes
    ----------
    runs
        Each once, in the order given; those of a directory in the order taken.
    warnings
        What was left out, in words.

    Raises
    ------
    SchemaError
        When a file that was named cannot be read, or no file of a directory can.
    InvalidParameter
        For a directory without runs, or no runs at all.
    """

    def __init__(self, stored: Stored, name: str) -> None:
        self.name = name
        self.warnings: list[str] = []
        loaded = self._loaded(stored)
        self._in_folder = {item.run.id for item in loaded if item.in_folder}
        self.runs = self._chosen(loaded)
        self._stored = stored
        self.results = _by_key(self.runs)

    def _chosen(self, loaded: Iterable[_Loaded]) -> list[Run]:
        """Return each run once; live runs among plain ones are left out."""
        runs = list({item.run.id: item for item in loaded}.values())
        live = [item.run for item in runs if item.in_folder and is_live(item.run)]
        if live and len(live) < len(runs):
            many = "a live comparison" if len(live) == 1 else f"{len(live)} live comparisons"
            self.warnings.append(
                f"{self.name}: left out {many} beside other runs, such as "
                f"{run_name(live[0])}; to compare its pairs, give that file as both "
                "sides"
            )
            return [item.run for item in runs if item.run not in live]
        return [item.run for item in runs]

    def _loaded(self, stored: Stored) -> list[_Loaded]:
        if isinstance(stored, Run):
            _check_keys(stored)
            return [_Loaded(stored, in_folder=False)]
        if isinstance(stored, str | os.PathLike):
            return self._from_path(user_path(self.name, stored))
        if not isinstance(stored, Iterable) or isinstance(stored, bytes):
            raise InvalidParameter(
                f"{self.name}: expected a run, a run file, a directory or several of these, "
                f"got {stored!r}"
            )
        runs = [loaded for item in stored for loaded in self._loaded(item)]
        if not runs:
            raise InvalidParameter(f"{self.name}: there are no runs; give at least one")
        return runs

    def _from_path(self, path: Path) -> list[_Loaded]:
        if not is_folder(path):
            return self._loaded(load(path))
        runs, unreadable = load_folder(path, self.name)
        if not runs:
            raise InvalidParameter(
                f"{self.name}: there is no run file in {path}; this writes one: "
                f"{command_text('stratoperf', 'run', '--output', path)}"
            )
        self.warnings += [f"{self.name}: left out {file}: {why}" for file, why in unreadable]
        loaded: list[_Loaded] = []
        for run in sorted(runs, key=_moment):
            try:
                _check_keys(run)
            except SchemaError as error:
                self.warnings.append(f"{self.name}: left out {error}")
            else:
                loaded.append(_Loaded(run, in_folder=True))
        if not loaded:
            raise SchemaError(f"{self.name}: no run in {path} can be compared; {self.warnings[-1]}")
        return loaded

    @property
    def label(self) -> str:
        """Description of the side."""
        return _label(self._stored, self.runs)

    def drop(self, runs: Iterable[Run]) -> None:
        """Leave out these runs."""
        dropped = {run.id for run in runs}
        self.runs = [run for run in self.runs if run.id not in dropped]
        self.results = _by_key(self.runs)

    @property
    def systems(self) -> Mapping[str, System]:
        """The machines of all runs, by identity."""
        return {name: system for run in self.runs for name, system in run.systems.items()}

    def of(self, key: str) -> list[tuple[Run, Result]]:
        """Return the measured results of a key, without failed and skipped ones."""
        return [(run, result) for run, result in self.results.get(key, ()) if result.status == "ok"]

    def processes(self, key: str, metric: str, statistic: str, side: Side) -> list[Process]:
        """Return the value of each process under a key, in the order taken.

        A run of a folder whose values have no place in a ratio, or cannot be read, is left out with
        a warning.

        Parameters
        ----------
        key, metric, statistic
            Which value.
        side
            The arm that counts where a result is of a live comparison and has both.

        Raises
        ------
        InvalidParameter
            When a value is not finite or not above 0, so that it has no place in a ratio.
        SchemaError
            When samples cannot be read.
        """
        values: list[Process] = []
        for run, result in self.of(key):
            try:
                values += processes([(run, result)], metric, statistic, side)
            except (InvalidParameter, SchemaError) as error:
                if run.id not in self._in_folder:
                    raise
                warning = f"{self.name}: left out {error}"
                if warning not in self.warnings:
                    self.warnings.append(warning)
        return sorted(values, key=lambda process: process.moment)


def processes(
    measured: Iterable[tuple[Run, Result]], metric: str, statistic: str, side: Side
) -> list[Process]:
    """Return the value of each process, in the order taken.

    Parameters
    ----------
    measured
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
    values = [
        process
        for run, result in measured
        for process in _Source(run, result, metric, statistic, side).processes()
    ]
    return sorted(values, key=lambda process: process.moment)


class _Source(NamedTuple):
    """A result, and which of its values count."""

    run: Run
    result: Result
    metric: str
    statistic: str
    side: Side

    def processes(self) -> list[Process]:
        """Return the value of each process."""
        if self.result.processes:
            return self._counted()
        taken = self.result.series_of(self.metric)
        if not self.result.series:
            return self._whole()
        several = len(taken) > 1
        return [
            process
            for index, series in enumerate(taken)
            if series.arm in (None, self.side)
            for process in self._of_series(index, series, several)
        ]

    def _counted(self) -> list[Process]:
        """Return the processes that the result rests on; its series may have disturbed ones too."""
        values = [
            (index, process, process.metrics.get(self.metric, {}).get(self.statistic))
            for index, process in enumerate(self.result.processes)
        ]
        return [
            self._process(value, process.started_ns or index, step_ns=_step_ns(process.environment))
            for index, process, value in values
            if value is not None
        ]

    def _of_series(self, index: int, series: Series, several: bool) -> list[Process]:
        """Return the process of a series, if it has the value."""
        # The file has the interval of a result of one process already.
        interval = None if several else self._stated()
        value = (
            _of_samples(_samples(series, self.metric, self.result, self.run), self.statistic)
            if interval is None
            else interval.value
        )
        if value is None:
            return []
        return [
            self._process(
                value,
                series.started_ns or index,
                interval=interval,
                pair=None if series.pair is None else (self.run.id, series.pair),
                samples=functools.partial(_samples, series, self.metric, self.result, self.run),
            )
        ]

    def _whole(self) -> list[Process]:
        """Return what the file states, as a single process."""
        interval = self._stated()
        return [] if interval is None else [self._process(interval.value, 0, interval=interval)]

    def _stated(self) -> Estimate | None:
        own = self.result.metrics.get(self.metric)
        return None if own is None else _positive(own, self.statistic)

    def _process(self, value: float, started: int, **more: Any) -> Process:
        return Process(
            value=_checked(value, self.result, self.run),
            moment=(_moment(self.run), started),
            statistic=self.statistic,
            run=self.run.id,
            speeds=_speeds(self.result),
            count=self._count(),
            **more,
        )

    def _count(self) -> float | None:
        """Return how many samples a process has on average."""
        own = self.result.metrics.get(self.metric)
        if own is None or own.summary is None:
            return None
        processes = len(self.result.processes) or len(self.result.series_of(self.metric))
        return own.summary.count / max(1, processes)


def _step_ns(environment: Mapping[str, Any]) -> float | None:
    """Return the machine's speed around a process, where it was read."""
    own = references({"environment": environment})
    pace = speed(own, own).integer
    return None if pace is None else pace.step_ns


def _speeds(result: Result) -> dict[str, float]:
    """Return the machine's speeds during a result, where they were read."""
    own = references(
        {
            "environment": result.environment,
            "processes": [{"environment": process.environment} for process in result.processes],
        }
    )
    judged = speed(own, own)._asdict()
    return {name: pace.step_ns for name, pace in judged.items() if pace is not None}


def _positive(metric: Metric, statistic: str) -> Estimate | None:
    """Return a statistic; a bound that is not above 0 is dropped, since it has no logarithm."""
    interval = metric.statistic(statistic)
    if interval is None:
        return None
    low, high = (
        None if bound is None or bound <= 0 else bound for bound in (interval.low, interval.high)
    )
    return msgspec.structs.replace(interval, low=low, high=high)


def _of_samples(samples: NDArray[np.float64], statistic: str) -> float | None:
    if samples.size == 0:
        return None
    if statistic == "mean":
        return float(np.mean(samples))
    return float(np.quantile(samples, QUANTILES[statistic]))


def _samples(series: Series, metric: str, result: Result, run: Run) -> NDArray[np.float64]:
    if metric not in series.columns:
        return np.empty(0)
    samples = np.asarray(series.columns[metric], dtype=np.float64)
    # NaN fails every comparison.
    if not (np.abs(samples) <= LARGEST).all():
        raise InvalidParameter(
            f"{result.key} in {run_name(run)}: not all its samples are finite and below "
            f"{LARGEST:g}; measure it again"
        )
    return samples


def _checked(value: float, result: Result, run: Run) -> float:
    if not (np.isfinite(value) and value > 0):
        raise InvalidParameter(
            f"{result.key} in {run_name(run)}: its value is {value:g}, and a ratio needs one "
            "that is finite and above 0; measure it again"
        )
    return value


def _moment(run: Run) -> float:
    return moment_of(run.created).timestamp()


def is_live(run: Run) -> bool:
    """Return whether a run is the record of a live comparison, with both sides in it."""
    return run.preset == "live"


def run_name(run: Run) -> str:
    """Return the file of a run, or its identity where it has none."""
    return str(run.path or f"run {run.id}")


def _by_key(runs: Iterable[Run]) -> dict[str, list[tuple[Run, Result]]]:
    results: dict[str, list[tuple[Run, Result]]] = {}
    for run in runs:
        for result in run.results:
            results.setdefault(result.key, []).append((run, result))
    return results


def _check_keys(run: Run) -> None:
    """Check that no two results of a run share a key, because comparisons join on it."""
    keys = [result.key for result in run.results]
    twice = next((key for key, count in collections.Counter(keys).items() if count > 1), None)
    if twice is not None:
        raise SchemaError(
            f"{run_name(run)}: results: the key {shortened(twice)!r} is there twice; keep one of "
            "the two"
        )


def _label(stored: Stored, runs: list[Run]) -> str:
    name = str(stored) if isinstance(stored, str | os.PathLike) else run_name(runs[0])
    return name if len(runs) == 1 else f"{len(runs)} runs, {name}"
