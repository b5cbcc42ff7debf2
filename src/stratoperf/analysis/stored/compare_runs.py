"""Compare runs that were taken earlier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

import msgspec
import numpy as np
from numpy.typing import NDArray

from stratoperf.analysis.comparison import ComparedMetric, Comparison, Difference, Side
from stratoperf.analysis.defaults import CONFIDENCE, STATISTIC, THRESHOLD
from stratoperf.analysis.settings import ComparisonSettings
from stratoperf.analysis.stored.differences import (
    failures,
    machine_warnings,
    separate,
    side_differences,
)
from stratoperf.analysis.stored.intervals import (
    moments,
    ratio_interval,
    same_runs,
    with_unlike_counts,
)
from stratoperf.analysis.stored.reasons import method_text, reason
from stratoperf.analysis.stored.sides import (
    Process,
    SideRuns,
    Stored,
    is_live,
    run_name,
)
from stratoperf.analysis.verdicts import verdict_of
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.results import Run
from stratoperf.results.schema import STATISTICS, Metric, Result
from stratoperf.statistics import Estimate
from stratoperf.statistics.estimates import inverse
from stratoperf.statistics.processes import location

CHOICES = (*STATISTICS, "throughput")
"""What a stored comparison can judge by; throughput is the mean of that metric."""


def compare(
    baseline: Stored,
    current: Stored,
    threshold: float = THRESHOLD,
    *,
    thresholds: Mapping[str, float] | None = None,
    statistics: Sequence[str] = (STATISTIC,),
    confidence: float = CONFIDENCE,
    history: Stored | None = None,
) -> Comparison:
    """Compare two sides that were measured earlier, result by result.

    The units of inference are processes within runs, not samples. One run shows how its processes
    differ. Only runs at several times show how runs differ, which is the main noise; with a single
    run on each side, the machine's speed reference and an assumption stand in, and the reason of
    the verdict names them. Prefer `compare_live`, which runs both sides now, wherever possible.

    Parameters
    ----------
    baseline, current
        A `Run`, a run file, a directory of run files, or several of these. More runs on each side
        give more certain verdicts. The file of a live comparison can be both sides: its sides are
        paired. Live comparisons in a directory beside other runs are ignored. A run on both sides
        counts on one of them only; if there is no other run, there is no verdict. A warning
        reports both.
    threshold
        Smallest slow-down that matters, as a fraction: 0.05 is 5 %.
    thresholds
        Other thresholds by glob pattern of the benchmark's name; the first that matches counts.
    statistics
        ``"p50"``, ``"p95"``, ``"p99"``, ``"p999"``, ``"mean"`` (of the primary metric) or
        ``"throughput"``. The comparison is judged by all of them.
    confidence
        Confidence of all verdicts together, which share the admissible error by the method of
        Holm (1979).
    history
        Runs of the code at many times. Their scatter bounds the drift of the machine where a side
        has fewer than five runs.

    Returns
    -------
    Comparison
        ``differences`` lists what was not compared. If the machines differ, the first of the
        ``warnings`` says so.

    Raises
    ------
    SchemaError
        When a file cannot be read.
    InvalidParameter
        For an argument out of range, a directory without runs, or values that have no ratio.
    """
    settings = ComparisonSettings(threshold=threshold, thresholds=thresholds, confidence=confidence)
    _check_statistics(statistics)
    error = 1 - settings.confidence
    before, after = SideRuns(baseline, "baseline"), SideRuns(current, "current")
    known = None if history is None else _history(history)
    same, shared = separate(before, after)
    differences, keys = side_differences(before, after)
    pairs = [
        _Pair(
            before,
            after,
            key,
            statistic,
            known,
            settings.threshold_of(before.results[key][0][1].benchmark),
            same,
        )
        for key in keys
        for statistic in statistics
    ]
    differences += [
        Difference(what="metric", key=pair.key, baseline=pair.missing)
        for pair in pairs
        if pair.missing
    ]
    compared = [pair for pair in pairs if not pair.missing]
    metrics = _judged(compared, error)
    kinds = sorted({pair.kind for pair in compared})
    return Comparison(
        mode="stored",
        baseline=before.label,
        current=after.label,
        confidence=settings.confidence,
        method=method_text(kinds, len(compared), error),
        metrics=tuple(metrics),
        differences=tuple(differences),
        failures=tuple(failures(before, after)),
        warnings=(
            *(shared if same else ()),
            *machine_warnings(before, after),
            *(() if same else shared),
            *before.warnings,
            *after.warnings,
            *(() if known is None else known.warnings),
        ),
    )


def _history(stored: Stored) -> SideRuns:
    """Return the runs of a history. Live ones are left out: they show no drift between moments."""
    known = SideRuns(stored, "history")
    live = [run for run in known.runs if is_live(run)]
    if live:
        known.drop(live)
        known.warnings.append(
            f"history: left out what is a live comparison, such as {run_name(live[0])}"
        )
    return known


class _Pair:
    """One statistic of one result on both sides; it is judged at the error that is left for it."""

    def __init__(
        self,
        before: SideRuns,
        after: SideRuns,
        key: str,
        statistic: str,
        known: SideRuns | None,
        threshold: float,
        same: bool,
    ) -> None:
        self.key = key
        self.same = same
        self.threshold = threshold
        self.result = after.of(key)[-1][1]
        self.name, self.statistic = (
            ("throughput", "mean")
            if statistic == "throughput"
            else (_primary(after, key), statistic)
        )
        self.sides = {"baseline": before, "current": after}
        self.values = {
            side: runs.processes(key, self.name, self.statistic, cast(Side, side))
            for side, runs in self.sides.items()
        }
        self.history: NDArray[np.float64] | None = None
        if known is not None:
            past = known.processes(key, self.name, self.statistic, "baseline")
            self.history = np.array([process.value for process in moments(past)])
        self.missing = self._missing()
        self.kind = ""

    def _missing(self) -> str | None:
        for side, values in self.values.items():
            if not values:
                return f"the {side} has no {self.statistic} of {self.name}"
        units = {side: _units(runs.of(self.key), self.name) for side, runs in self.sides.items()}
        if len(set().union(*units.values())) > 1:
            units_text = " and ".join(
                f"{' or '.join(units[side])} on the {side} side" for side in units
            )
            return f"{self.name} is in {units_text}"
        return None

    @property
    def metric(self) -> Metric:
        """The metric as the current side has it."""
        return self.result.metrics[self.name]

    def judged(self, error: float) -> ComparedMetric:
        """Return the verdict at an error, the probability that the interval misses the ratio."""
        before, after = self.values["baseline"], self.values["current"]
        interval = (
            same_runs(1 - error, (len(before), len(after)))
            if self.same
            else with_unlike_counts(
                ratio_interval(before, after, 1 - error, self.history), before, after
            )
        )
        self.kind = interval.kind
        if self.metric.better == "higher":
            interval = msgspec.structs.replace(interval, ratio=inverse(interval.ratio))
        verdict = verdict_of(interval.ratio, self.threshold)
        return ComparedMetric(
            key=self.key,
            benchmark=self.result.benchmark,
            backend=self.result.backend,
            params=self.result.params,
            metric=self.name,
            statistic=self.statistic,
            unit=self.metric.unit,
            better=self.metric.better,
            threshold=self.threshold,
            verdict=verdict,
            why=reason(interval, self.threshold, verdict, self.metric.better),
            baseline=_typical(before, 1 - error),
            current=_typical(after, 1 - error),
            ratio=interval.ratio,
            effect=_effect(before, after, lower_is_better=self.metric.better == "lower"),
            baseline_processes=interval.processes[0],
            current_processes=interval.processes[1],
            pairs=interval.processes[0] if interval.kind in ("live", "pairs") else None,
        )


def _judged(pairs: Sequence[_Pair], error: float) -> list[ComparedMetric]:
    """Judge all by Holm's step-down: a verdict that is reached leaves more for the others."""
    results: dict[int, ComparedMetric] = {}
    open_ = list(range(len(pairs)))
    while open_:
        share = error / len(open_)
        judged = {index: pairs[index].judged(share) for index in open_}
        reached = [index for index in open_ if judged[index].verdict != "inconclusive"]
        results |= judged
        if not reached:
            break
        open_ = [index for index in open_ if index not in reached]
    return [results[index] for index in range(len(pairs))]


def _primary(side: SideRuns, key: str) -> str:
    metrics = side.of(key)[-1][1].metrics
    return next(
        (name for name, metric in metrics.items() if metric.primary), next(iter(metrics), "")
    )


def _units(results: Sequence[tuple[Run, Result]], metric: str) -> list[str]:
    return sorted(
        {result.metrics[metric].unit for _, result in results if metric in result.metrics}
    )


def _typical(values: Sequence[Process], confidence: float) -> Estimate:
    if len(values) == 1 and values[0].interval is not None:
        return values[0].interval
    return location([process.value for process in values], confidence)


def _effect(before: Sequence[Process], after: Sequence[Process], *, lower_is_better: bool) -> float:
    differences = np.subtract.outer(
        [process.value for process in after], [process.value for process in before]
    )
    slower = differences if lower_is_better else -differences
    return float(np.mean((np.sign(slower) + 1) / 2))


def _check_statistics(statistics: Sequence[str]) -> None:
    if isinstance(statistics, str) or not statistics:
        raise InvalidParameter(
            f"statistics: expected a sequence such as ('p50', 'p99'), got {statistics!r}"
        )
    for name in statistics:
        if name not in CHOICES:
            raise InvalidParameter(
                f"statistics: {name!r} is unknown; {did_you_mean(name, CHOICES)}"
            )
