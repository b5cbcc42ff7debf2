"""Change points for all trends of a history at once, with one error rate for all of them."""

from __future__ import annotations

import itertools
import math
import statistics as plain_statistics
from collections.abc import Sequence

import msgspec

from stratoperf.analysis.history.detection import LEAST_RUNS, Change, detect, load_ruptures
from stratoperf.analysis.history.model import ChangePoint, Trend
from stratoperf.analysis.history.trends import Series
from stratoperf.errors import PrerequisiteMissing
from stratoperf.results import Run
from stratoperf.results.schema import Facts

ENDS = 5
"""Values at either end whose medians show the trend as a whole: as many as a level needs."""

_MAD_TO_SIGMA = 1.4826  # of a normal distribution


def find_change_points(
    series: Sequence[Series], threshold: float, error: float
) -> tuple[list[Trend], str, list[str]]:
    """Return the trends with their change points, the method, and a warning without ruptures."""
    try:
        load_ruptures()
    except PrerequisiteMissing as missing:
        trends = [_completed(each, None, str(missing)) for each in series]
        return trends, "change points were not looked for", [str(missing)]
    long_enough = [
        index
        for index, candidate in enumerate(series)
        if len(candidate.trend.values) >= 2 * LEAST_RUNS
    ]
    changes = _by_holm(
        {index: series[index].trend.values for index in long_enough}, threshold, error
    )
    trends = [
        _completed(each, changes.get(index), None if index in changes else _too_short(each.trend))
        for index, each in enumerate(series)
    ]
    return trends, _method(len(long_enough), error), []


def _by_holm(
    values: dict[int, tuple[float, ...]], threshold: float, error: float
) -> dict[int, list[Change]]:
    """Share the error out: each trend in which a change is found leaves more for the others."""
    changes: dict[int, list[Change]] = {}
    open_ = list(values)
    while open_:
        share = error / len(open_)
        changes |= {index: detect(values[index], share, threshold) for index in open_}
        rest = [index for index in open_ if not changes[index]]
        if len(rest) == len(open_):
            break
        open_ = rest
    return changes


def _completed(series: Series, changes: Sequence[Change] | None, why: str | None) -> Trend:
    """Return the trend with its change points, levels and scatter."""
    trend = series.trend
    values = trend.values
    first = last = ratio = None
    if values:
        size = min(ENDS, max(1, len(values) // 2))
        first = plain_statistics.median(values[:size])
        last = plain_statistics.median(values[-size:])
        ratio = _slower(trend, first, last)
    return msgspec.structs.replace(
        trend,
        change_points=None if changes is None else tuple(_change_points(series, changes)),
        not_searched=why,
        scatter=_scatter(values, [change.place for change in changes or ()]),
        first=first,
        last=last,
        ratio=ratio,
    )


def _change_points(series: Series, changes: Sequence[Change]) -> list[ChangePoint]:
    trend = series.trend
    measured = [index for index, moment in enumerate(trend.moments) if moment.estimate is not None]
    levels = [plain_statistics.median(part) for part in _parts(trend.values, changes)]
    points = []
    for change, before, after in zip(changes, levels, levels[1:], strict=False):
        index, previous = measured[change.place], measured[change.place - 1]
        moment = trend.moments[index]
        points.append(
            ChangePoint(
                index=index,
                run=moment.run,
                created=moment.created,
                path=moment.path,
                previous_run=trend.moments[previous].run,
                before=before,
                after=after,
                ratio=_slower(trend, before, after),
                significance=change.significance,
                also_changed=tuple(
                    _also_changed(series.runs[previous], series.runs[index], trend.machine)
                ),
            )
        )
    return points


def _parts(values: Sequence[float], changes: Sequence[Change]) -> list[Sequence[float]]:
    edges = [0, *(change.place for change in changes), len(values)]
    return [values[start:end] for start, end in itertools.pairwise(edges)]


def _slower(trend: Trend, before: float, after: float) -> float:
    return after / before if trend.better == "lower" else before / after


def _scatter(values: Sequence[float], places: Sequence[int]) -> float | None:
    if len(values) < LEAST_RUNS:
        return None
    edges = [0, *places, len(values)]
    off: list[float] = []
    for start, end in itertools.pairwise(edges):
        logs = [math.log(value) for value in values[start:end]]
        center = plain_statistics.median(logs)
        off += [abs(value - center) for value in logs]
    return math.expm1(_MAD_TO_SIGMA * plain_statistics.median(off))


def _also_changed(before: Run, after: Run, machine: str) -> list[str]:
    """Name what a reader should suspect before the code: all that is new beside it."""
    facts = [_facts(run, machine) for run in (before, after)]
    return [
        f"{name} {facts[0][name] or '?'} → {facts[1][name] or '?'}"
        for name in facts[0]
        if facts[0][name] != facts[1][name]
    ]


def _facts(run: Run, machine: str) -> dict[str, str | None]:
    system = run.systems.get(machine)
    facts = {"preset": run.preset, "stratoperf": run.stratoperf_version}
    if system is not None:
        facts["kernel"] = _fact(system.kernel, "release")
        facts["Python"] = _fact(system.python, "version")
        facts["NumPy"] = _fact(system.python, "numpy")
    else:
        facts |= dict.fromkeys(("kernel", "Python", "NumPy"))
    return facts


def _fact(facts: Facts, name: str) -> str | None:
    if not isinstance(facts, dict):
        return facts if name != "numpy" else None
    value = facts.get(name)
    return None if value is None else str(value)


def _too_short(trend: Trend) -> str:
    count = len(trend.values)
    if count == 0:
        return "no values"
    values = "1 value" if count == 1 else f"{count} values"
    return f"{values}; at least {2 * LEAST_RUNS} are needed, {LEAST_RUNS} before and after a change"


def _method(count: int, error: float) -> str:
    if count == 0:
        return "no trend is long enough for change points"
    shared = f", shared out among {count} trends by Holm's method (1979)" if count > 1 else ""
    return (
        "places from ruptures (PELT on ranks); rank sums and a likelihood ratio against drift "
        f"have to agree; error {error:.2g}{shared}"
    )
