"""The distance between two sides whose runs measured in several processes each.

Two things make two measurements of the same code differ. Its processes differ (layout, hash seed,
CPU), which the processes of a run show. And its runs differ (speed of the host, neighbors, state
of the memory), which only several runs show; runs of one side that were taken one after the other
share much of it, so it does not average out over them.

So the variance of the ratio's logarithm is twice that between runs plus that of each side's
processes. The variance between runs starts from `RUN_SCATTER` and, where the machine's speed moves
within the runs, what that adds to the interval of a run (`stratoperf.statistics.next_run`); it
weighs both like so many degrees of freedom (`PRIOR_WEIGHT`), and takes what the runs of each side
show as it comes in (the posterior of a scaled inverse chi-squared prior; Gelman et al., *Bayesian
Data Analysis*, section 2.6). With one run a side nothing comes in, and two more observations have
to do: how far the machine's speed references lie apart between the sides, and the drift within a
run, where it is significant, are each added to the interval in full.

Simulated with ten processes a run and a threshold of 5 %
(``tests/analysis/test_two_levels.py``): a true slow-down of 10 % is recognized in these shares,
where both the scatter between processes and what the reference does not see between runs are in
percent.

=========  ==============  =============  =============  =============
processes  between runs    1 run a side   2 runs         5 runs
=========  ==============  =============  =============  =============
1          1               51             60             64
2          1               35             46             50
1          2               51             37             14
5          1               8              12             27
=========  ==============  =============  =============  =============

False alarms stay below 0.1 % where runs differ by up to 2 % that no reference sees, and below 1 %
with three runs a side up to 5 %. With one run a side they are 2.6 % at 3 % and 18 % at 5 %: what
neither reference nor drift shows, a single run cannot know. Where the reference sees it, there are
none. Five short runs of one process each recognized 30 % on the machine of this project.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from stratoperf._core import statistics as _native
from stratoperf.analysis.stored.sides import Process
from stratoperf.statistics.next_run import between_runs, movement
from stratoperf.statistics.variation import drift

LEAST_PROCESSES = 6
"""Processes in each run from which on their scatter is used: with five that scatter by 15 %, false
alarms exceed 1 %; and six are what an interval over processes needs."""

RUN_SCATTER = 0.008
"""Standard deviation between runs that is assumed until runs show another: ratios of native code
between sides seconds apart had 1.3 % in 150 checks of this project (the square root of two times
0.9 %), of which the scatter within the sides explains the rest."""

PRIOR_WEIGHT = 8
"""Degrees of freedom that `RUN_SCATTER` counts for: as many as five runs a side have, from which on
what the runs show is the larger part."""

TRIMMED = 0.2
"""Share of the processes left out at each end (Yuen 1974): a slow one in eight moves nothing."""

DRIFT_CHANCE = 0.05
"""A trend within a run that is less probable than this without drift counts as drift."""


class Apart(NamedTuple):
    """The distance between two sides, as logarithms.

    Attributes
    ----------
    center
        Current side over baseline.
    half
        Half the width of the interval.
    assumed
        What else the interval rests on, besides the scatter of processes and runs.
    """

    center: float
    half: float
    assumed: str


class _Level(NamedTuple):
    """Summary of a run.

    Attributes
    ----------
    location, variance
        Where its processes lie, and the variance of that.
    drift
        How far it drifted.
    moved
        The variance between runs that the machine's movement within it lets expect.
    """

    location: float
    variance: float
    drift: float
    moved: float


def by_run(processes: Sequence[Process]) -> list[list[Process]]:
    """Return processes by their run, in the order taken."""
    runs: dict[str, list[Process]] = {}
    for process in processes:
        runs.setdefault(process.run, []).append(process)
    return list(runs.values())


def two_levels(
    baseline: Sequence[Process], current: Sequence[Process], confidence: float
) -> Apart | None:
    """Return the distance between two sides, with an interval from processes within runs.

    Parameters
    ----------
    baseline, current
        The processes of each side, in the order taken.
    confidence
        Confidence of the two-sided interval.

    Returns
    -------
    Apart or None
        ``None`` where a run has too few processes, is a live comparison, or does not know the
        machine's speed: then nothing tells how its moment differs from others.
    """
    sides = [by_run(side) for side in (baseline, current)]
    for run in (*sides[0], *sides[1]):
        if len(run) < LEAST_PROCESSES or any(process.pair is not None for process in run):
            return None
    shift = _shift(*sides)
    if shift is None:
        return None
    levels = [[_level(run) for run in side] for side in sides]
    locations = [np.array([level.location for level in side]) for side in levels]
    errors = [[level.variance for level in side] for side in levels]
    freedom = sum(len(side) - 1 for side in sides)
    squares = sum(float(np.sum((side - side.mean()) ** 2)) for side in locations)
    # What the processes explain of the scatter of runs is theirs.
    explained = freedom * float(np.mean(np.concatenate(errors)))
    shown = max(0.0, squares - explained)
    moved = float(np.mean([level.moved for side in levels for level in side]))
    assumed = PRIOR_WEIGHT * (RUN_SCATTER**2 + moved)
    between = (assumed + shown) / (PRIOR_WEIGHT + freedom)
    variance = 2 * between + sum(float(np.mean(side)) / len(side) for side in errors)
    drifted = max(level.drift for side in levels for level in side) / 2
    student = _native.student_half_width(confidence, PRIOR_WEIGHT + freedom)
    return Apart(
        float(locations[1].mean() - locations[0].mean()),
        student * math.sqrt(variance) + shift + drifted,
        _assumed(freedom, shift, drifted, math.sqrt(moved)),
    )


def _level(run: Sequence[Process]) -> _Level:
    """Return the trimmed mean of a run, its variance from winsorized values, and its drift."""
    logs = np.log([process.value for process in run])
    count = len(logs)
    cut = int(TRIMMED * count)
    ordered = np.sort(logs)
    kept = count - 2 * cut
    winsorized = np.clip(logs, ordered[cut], ordered[count - 1 - cut])
    squares = float(np.sum((winsorized - winsorized.mean()) ** 2))
    trend = drift(logs)
    drifted = trend is not None and trend.chance < DRIFT_CHANCE
    return _Level(
        float(np.mean(ordered[cut : count - cut])),
        squares / (kept * (kept - 1)),
        abs(trend.change) if trend is not None and drifted else 0.0,
        between_runs(logs, movement([process.step_ns for process in run if process.step_ns]) or 0.0)
        ** 2,
    )


def _shift(
    baseline: Sequence[Sequence[Process]], current: Sequence[Sequence[Process]]
) -> float | None:
    """Return how much the machine's speed differs between the sides; ``None`` if unknown."""
    readings = [[run[0].speeds for run in side] for side in (baseline, current)]
    known = set.intersection(*(set(reading) for side in readings for reading in side))
    if not known:
        return None
    return max(abs(_mean_log(readings[1], name) - _mean_log(readings[0], name)) for name in known)


def _mean_log(readings: Sequence[Mapping[str, float]], name: str) -> float:
    return float(np.mean(np.log([reading[name] for reading in readings])))


def _assumed(freedom: int, shift: float, drifted: float, moved: float) -> str:
    """Return what the interval rests on beside what the processes and runs show."""
    words = [f"the machine's speed differed by {100 * math.expm1(shift):.2g} % between the sides"]
    if drifted:
        words.append("a run drifted")
    if moved:
        words.append(f"it moved within the runs, so {100 * moved:.2g} % are assumed between them")
    if freedom == 0:
        words.append(
            f"one run a side does not show how runs differ: {100 * RUN_SCATTER:.2g} % is assumed "
            "beyond that"
        )
    return "; ".join(words)
