"""Intervals for the ratio of two sides that were measured at different times.

The unit is the process, since the samples of one run cannot tell how the next run differs. A
machine drifts between two moments, and usually one side was measured after the other. So the
scatter within a side understates the drift between the sides. The method depends on the data:

runs
    Each run measured in several processes. The processes show how far a single run can be off; the
    runs of a side, with the references of the machine's speed, show how far runs differ. See
    `two_levels`.
live
    The pairs of a live comparison. The comparison stopped at one of its planned looks, which the
    data chose. So the interval has the error of one look (Bonferroni), and is wider than the live
    one.
pairs
    Runs that alternate in time are paired, however many processes each has. Drift cancels as in
    live mode.
blocks
    At least five runs a side, with one or few processes each, one side after the other. The
    interval is that of Student's pivot, with quantiles for the worst drift that leaves a trace
    within the sides: a random walk from run to run. The quantiles are simulated. For independent
    runs they are far too wide; this is the price for error rates that hold where runs depend on
    each other. More runs do not narrow the interval, since a random walk does not average out.
    Pairs do.
history
    Fewer runs, and a history of runs of known code, whose scatter is that between moments.
single
    Fewer runs and no history. The interval is as wide as the widest drift that this project has
    met. All processes of a live comparison share one moment, so they count as one against another
    run.
same
    Both sides are the same runs, so there is nothing to bound.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence

import msgspec
import numpy as np
from numpy.typing import NDArray

from stratoperf._core import statistics as _native
from stratoperf.analysis.paired_design import LOOKS, MOST_PAIRS
from stratoperf.analysis.stored.random_walk import random_walk_quantile
from stratoperf.analysis.stored.sampling_error import sampling_error
from stratoperf.analysis.stored.sides import Process
from stratoperf.analysis.stored.two_levels import LEAST_PROCESSES, Apart, by_run, two_levels
from stratoperf.statistics import Estimate, signed_rank
from stratoperf.statistics.estimates import QUANTILES
from stratoperf.statistics.processes import location
from stratoperf.statistics.signed_rank import least_differences

LEAST_RUNS = 5
"""Runs a side from which their scatter is used: with fewer its own error is the larger."""

NEGLIGIBLE = 1e-3
"""Error of the interval of a run of few processes: negligible beside the drift between runs."""

LEAST_HISTORY = 10
"""Runs of a history from which its scatter is used."""

WIDEST_DRIFT = 1.6
"""The widest drift between identical runs that this project has met: 24 runs of one
micro-benchmark on a shared virtual machine had medians from 94 to 147 µs (a factor of 1.56)."""


TAIL_BIAS = 0.3
"""How far the logarithm of an interpolated quantile lies too low, times the samples beyond it: of
simulated exponential, log-normal and Pareto tails at most 0.24, with 0.5 to 10 beyond."""

MOST_BIAS = 2 * TAIL_BIAS
"""The same where the quantile is nearly the maximum: 0.56 at most with 0.2 samples beyond."""


class RatioInterval(msgspec.Struct, frozen=True):
    """The ratio of current to baseline, the method of its interval, and what would narrow it.

    `processes` counts the processes of each side; `assumed` says what else the interval rests on.
    """

    ratio: Estimate
    kind: str
    advice: str
    processes: tuple[int, int] = (0, 0)
    assumed: str = ""


def ratio_interval(
    baseline: Sequence[Process],
    current: Sequence[Process],
    confidence: float,
    history: NDArray[np.float64] | None = None,
) -> RatioInterval:
    """Bound the ratio of the typical values of two sides.

    Parameters
    ----------
    baseline, current
        What the processes of each side measured, in the order taken; at least one each.
    confidence
        Confidence of the two-sided interval.
    history
        Values of runs of the same code at many moments, or ``None``.
    """
    pairs = _live_pairs(baseline, current)
    if pairs is not None:
        interval = _live(
            pairs, len({process.pair[0] for process in baseline if process.pair}), confidence
        )
        return msgspec.structs.replace(interval, processes=(len(baseline), len(current)))
    return _bounded(baseline, current, confidence, history)


def with_unlike_counts(
    interval: RatioInterval, baseline: Sequence[Process], current: Sequence[Process]
) -> RatioInterval:
    """Widen an interval of a high quantile whose sides have few and different numbers of samples.

    An interpolated quantile of few samples is too low, by `TAIL_BIAS` over the number of samples
    beyond it. With equal numbers on both sides this cancels.

    Parameters
    ----------
    interval
        The interval that is widened.
    baseline, current
        As for `ratio_interval`.
    """
    biases = [_tail_bias(side) for side in (baseline, current)]
    slack = abs(biases[0] - biases[1])
    if slack < NEGLIGIBLE:
        return interval
    ratio = interval.ratio
    low = None if ratio.low is None else ratio.low * math.exp(-slack)
    high = None if ratio.high is None else ratio.high * math.exp(slack)
    counts = " and ".join(f"{_mean_count(side):.3g}" for side in (baseline, current))
    sentence = (
        f"{baseline[0].statistic} of {counts} samples a process may differ by {100 * slack:.2g} % "
        "for that reason alone; the interval allows for it"
    )
    return msgspec.structs.replace(
        interval,
        ratio=msgspec.structs.replace(ratio, low=low, high=high),
        assumed="; ".join(filter(None, (interval.assumed, sentence))),
    )


def _tail_bias(side: Sequence[Process]) -> float:
    """Return how far the value of a side lies too low on average, as a logarithm."""
    q = QUANTILES.get(side[0].statistic, 0.0)
    counts = [process.count for process in side if process.count]
    if q <= 0.5 or not counts:
        return 0.0
    return float(np.mean([min(TAIL_BIAS / (count * (1 - q)), MOST_BIAS) for count in counts]))


def _mean_count(side: Sequence[Process]) -> float:
    return float(np.mean([process.count or math.nan for process in side]))


def _bounded(
    processes_before: Sequence[Process],
    processes_after: Sequence[Process],
    confidence: float,
    history: NDArray[np.float64] | None,
) -> RatioInterval:
    """Choose the method for runs of other moments."""
    baseline, current = moments(processes_before), moments(processes_after)
    interval = _of_moments(baseline, current, confidence, history)
    runs = len(baseline), len(current)
    if interval.kind == "pairs":
        return msgspec.structs.replace(interval, processes=runs)
    if interval.kind != "history":
        apart = two_levels(processes_before, processes_after, confidence)
        interval = interval if apart is None else _two_levels(apart, runs, confidence)
    counts = _count(processes_before), _count(processes_after)
    return msgspec.structs.replace(interval, processes=counts)


def _count(side: Sequence[Process]) -> int:
    """Return how many processes count; those of a live comparison count as one."""
    return sum(1 if run[0].pair is not None else len(run) for run in by_run(side))


def _of_moments(
    baseline: Sequence[Process],
    current: Sequence[Process],
    confidence: float,
    history: NDArray[np.float64] | None,
) -> RatioInterval:
    """Choose the method for runs with one value each."""
    pairs = _alternating(baseline, current, least_differences(confidence))
    if pairs is not None:
        return _paired(pairs, confidence)
    first, second = (np.log([process.value for process in side]) for side in (baseline, current))
    center = float(np.mean(second) - np.mean(first))
    if min(len(first), len(second)) >= LEAST_RUNS:
        return _blocks(first, second, center, confidence)
    if history is not None and len(history) >= LEAST_HISTORY:
        return _by_history(center, history, confidence)
    return _single(baseline, current, center, confidence)


def _live_pairs(
    baseline: Sequence[Process], current: Sequence[Process]
) -> list[tuple[float, float]] | None:
    """Return the values of the pairs, if both sides are of one live comparison."""
    numbers = {process.pair: process.value for process in baseline if process.pair is not None}
    if len(numbers) < len(baseline) or any(process.pair not in numbers for process in current):
        return None
    return [
        (numbers[process.pair], process.value) for process in current if process.pair is not None
    ]


def moments(side: Sequence[Process]) -> list[Process]:
    """Return one value for each run, since all processes of a run share the drift of its moment."""
    return sorted(map(_moment, by_run(side)), key=lambda run: run.moment)


def _moment(run: Sequence[Process]) -> Process:
    """Return the common value of the processes of a run."""
    if len(run) == 1 and run[0].pair is None:
        return run[0]
    values = np.array([process.value for process in run])
    whole = location(values, 1 - NEGLIGIBLE)
    # The pairs of a live comparison are its samples; few processes have the wider interval.
    samples = None if run[0].pair is None else functools.partial(np.copy, values)
    return msgspec.structs.replace(
        run[0], value=whole.value, interval=whole, pair=None, samples=samples, statistic="p50"
    )


def _two_levels(apart: Apart, runs: tuple[int, int], confidence: float) -> RatioInterval:
    low, high = apart.center - apart.half, apart.center + apart.half
    method = (
        f"processes within {runs[0]} and {runs[1]} runs, Student's t on two levels (Yuen 1974 "
        f"within a run); {apart.assumed}"
    )
    advice = (
        "a history of the machine (--history), runs in alternation, or the live gate "
        "(stratoperf check --live) may settle it"
    )
    return RatioInterval(
        _exponential(Estimate(apart.center, low, high, confidence, ""), method),
        "runs",
        advice,
        assumed=apart.assumed,
    )


def same_runs(confidence: float, processes: tuple[int, int]) -> RatioInterval:
    """Return the result for the same runs on both sides, which show no change."""
    return RatioInterval(
        Estimate(1.0, None, None, confidence, "none, since both sides are the same runs"),
        "same",
        "measure the code to check: stratoperf run, or stratoperf check --live",
        processes,
    )


def _alternating(
    baseline: Sequence[Process], current: Sequence[Process], least: int
) -> list[tuple[float, float]] | None:
    """Return pairs of neighbors in time, if the sides alternate and there are enough pairs."""
    ordered = sorted(
        [(run.moment, 0, run.value) for run in baseline]
        + [(run.moment, 1, run.value) for run in current]
    )
    halves = list(zip(ordered[::2], ordered[1::2], strict=False))
    if len(halves) < least or len(baseline) != len(current):
        return None
    if any(first[1] == other[1] or first[0] == other[0] for first, other in halves):
        return None
    neighbors = [sorted(half, key=lambda run: run[1]) for half in halves]
    return [(before[2], after[2]) for before, after in neighbors]


def _live(pairs: Sequence[tuple[float, float]], runs: int, confidence: float) -> RatioInterval:
    # Each comparison may have stopped at any look, which gives this number of combinations.
    paired = _paired(pairs[-MOST_PAIRS:], 1 - (1 - confidence) / len(LOOKS) ** runs)
    method = f"signed ranks of {len(pairs)} live pairs, at the error of one of {len(LOOKS)} looks"
    ratio = msgspec.structs.replace(paired.ratio, confidence=confidence, method=method)
    return RatioInterval(ratio, "live", paired.advice)


def _paired(pairs: Sequence[tuple[float, float]], confidence: float) -> RatioInterval:
    logs = np.log(np.asarray(pairs))
    center = signed_rank(logs[:, 1] - logs[:, 0], confidence)
    method = f"signed ranks of {len(pairs)} pairs that alternate in time"
    return RatioInterval(_exponential(center, method), "pairs", "more pairs may settle it")


def _blocks(
    first: NDArray[np.float64], second: NDArray[np.float64], center: float, confidence: float
) -> RatioInterval:
    half = random_walk_quantile(len(first), len(second), confidence) * _scatter(first, second)
    estimate = Estimate(center, center - half, center + half, confidence, "")
    method = (
        f"{len(first)} and {len(second)} runs, Student's pivot with its quantiles under a "
        "random walk from run to run"
    )
    advice = (
        "more runs in alternation, or the live gate, may settle it: one side after the other "
        "cannot tell drift from change"
    )
    return RatioInterval(_exponential(estimate, method), "blocks", advice)


def _by_history(center: float, history: NDArray[np.float64], confidence: float) -> RatioInterval:
    mean = _native.mean(np.log(history), confidence)
    assert mean.low is not None
    assert mean.high is not None
    # From the interval of a mean to that of the difference of two single moments: runs at one
    # moment share its drift, so their number does not help.
    half = (mean.high - mean.low) / 2 * math.sqrt(2 * mean.effective_size)
    estimate = Estimate(center, center - half, center + half, confidence, "")
    method = f"the scatter of {len(history)} runs of the history, for two moments"
    return RatioInterval(
        _exponential(estimate, method),
        "history",
        f"{LEAST_RUNS} runs a side in alternation, or the live gate, may settle it",
    )


def _single(
    baseline: Sequence[Process], current: Sequence[Process], center: float, confidence: float
) -> RatioInterval:
    drift = math.log(WIDEST_DRIFT)
    each = (1 + confidence) / 2
    before, after = (sampling_error(side, each) for side in (baseline, current))
    below, above = after[0] + before[1] + drift, after[1] + before[0] + drift
    method = (
        f"{len(baseline)} and {len(current)} runs without a history: what their own samples "
        f"leave open, widened by the widest known drift (a factor of {WIDEST_DRIFT:g})"
    )
    estimate = Estimate(
        center,
        None if math.isinf(below) else center - below,
        None if math.isinf(above) else center + above,
        confidence,
        "",
    )
    advice = (
        f"{_missing(len(baseline), len(current))}, runs of {LEAST_PROCESSES} or more processes "
        "each, or the live gate (stratoperf check --live) may settle it"
    )
    return RatioInterval(_exponential(estimate, method), "single", advice)


def _missing(baseline: int, current: int) -> str:
    """Return which runs are missing for an interval."""
    more = LEAST_RUNS - min(baseline, current)
    both = max(baseline, current) < LEAST_RUNS
    where = "a side" if both else f"of the {'baseline' if baseline < current else 'current side'}"
    runs = f"{more} more {'run' if more == 1 else 'runs'} {where}"
    if max(baseline, current) < LEAST_HISTORY:
        return f"{runs}, a history of at least {LEAST_HISTORY} runs (--history)"
    many = "current side" if baseline < current else "baseline"
    return (
        f"{runs}, the runs of the {many} as a history too (--history) if they are of many moments"
    )


def _exponential(estimate: Estimate, method: str) -> Estimate:
    low, high = (
        None if bound is None else math.exp(bound) for bound in (estimate.low, estimate.high)
    )
    return Estimate(math.exp(estimate.value), low, high, estimate.confidence, method)


def _scatter(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    """Return the pooled standard deviation within the sides."""
    squares = sum(float(np.sum((side - np.mean(side)) ** 2)) for side in (first, second))
    return math.sqrt(squares / (len(first) + len(second) - 2))
