"""Estimates over processes, which hold for the next run and not for one process only.

A process keeps its layout of memory, its hash seed, its CPU and its moment for as long as it
lives, so its samples agree with each other better than with those of the next process. The unit
of these estimates is therefore the process: they state a location over processes, with an interval
from how far the processes lie apart.

Simulated for 2 to 30 processes (``tests/statistics/test_over_processes.py`` holds the numbers), the
candidates for at least six compare as follows where processes scatter by 2 %:

- Student's t covers 95 % of normal values, 89 % of skewed ones, and 55 to 78 % where a process in
  eight is 50 % slower: that process moves the mean, or the runs without it are too sure.
- Order statistics of the median cover everything, but with 5.3 % where the others need 3.6 %, and
  where half of the processes are 20 % slower they stay 18 % wide however many processes there are.
- A winsorized mean covers 78 to 95 % of two modes: one mode is cut off where it is the rarer.
- The median of pairwise means with the interval of Wilcoxon's signed ranks (Hodges & Lehmann 1963)
  covers 94 % or more of all of them, as narrow as Student's t for normal values, and lies between
  two modes at the same place in each run.

So the last is used. Below six processes it has no interval of 95 %.

All of them take processes for independent. A host that changes its speed makes neighbors in time
alike, and then eight processes are worth fewer: where the correlation of neighbors is 0.5, the
interval covers 80 %. So it is widened by what the correlation of neighbors does to the variance of
a mean, which covers 88 % (92 % at 0.3), and costs independent processes 15 % of the width at eight
and 8 % at thirty. What changes more slowly than a run lasts is widened for where the machine's
speed moves; see `stratoperf.statistics.next_run`.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from stratoperf._core import statistics as _native
from stratoperf.statistics.estimates import Estimate
from stratoperf.statistics.next_run import between_runs
from stratoperf.statistics.signed_rank import signed_rank
from stratoperf.statistics.validation import Samples, as_samples, check_confidence, check_quantile

MODES_APART = 0.2
"""How far apart the two modes are that few processes may all lie in the same of. Medians of fresh
processes of one expression lay 19 % apart on the machine of this project."""

FEWEST_BEYOND = 10
"""Samples of a process beyond a quantile from which on the value of each process stands for itself.
With fewer, an interpolated quantile lies too low: by 16 % of the value for the 99th percentile of
125 samples whose tail is exponential, by 3 % with ten samples beyond."""

FEWEST_FOR_LEVEL = 20
"""Samples of a process from which on its median is taken off before its samples are pooled. The
median of fewer would take much of their scatter along."""

STRAY = 3.0
"""Robust standard deviations beyond which a process counts as just that far off."""

MOST_ALIKE = 0.8
"""The largest correlation of neighbors that a few processes can show at all: with it, the interval
is three times as wide."""

_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_LARGEST_EXPONENT = 700.0  # beyond it the exponential function leaves what a float holds


def location(
    values: npt.ArrayLike, confidence: float = 0.95, moved: float | None = None
) -> Estimate:
    """Estimate the location of processes, with an interval from their scatter.

    The value is the median of all pairwise means (Hodges & Lehmann 1963), of the logarithms where
    all values are above 0: a slow process in eight hardly moves it, and it lies between two modes
    at the same place in each run. From six processes on (at 95 %) the bounds are those of
    Wilcoxon's signed ranks; see `signed_rank`. With fewer they are those of Student's t, reach to
    the lowest and highest process, and allow for a second mode: so few all lie in the same of two
    modes more often than the interval may be wrong, and their scatter knows of none.

    Parameters
    ----------
    values
        What each process says, at least one, in the order taken: where neighbors are alike, the
        interval is wider.
    confidence
        Confidence of the two-sided interval; in (0, 1).
    moved
        How far the machine's speed moves, from `stratoperf.statistics.next_run.movement`: then the
        interval is for the next run as well, unless the processes are fewer than six. ``None``
        where nothing tells.

    Returns
    -------
    Estimate
        Without bounds for one process.

    Raises
    ------
    InvalidParameter
        For bad values or a `confidence` out of range.
    """
    data = as_samples(values, "values")
    check_confidence(confidence)
    count = len(data)
    if count == 1:
        return Estimate(float(data[0]), None, None, confidence, "one process; no interval")
    scale = Scale(data)
    ranked = signed_rank(scale.there(data), confidence)
    if ranked.low is None or ranked.high is None:
        return _of_few(data, scale, ranked.value, confidence)
    widening = _widening(scale.there(data))
    more = _next_run(scale, data, confidence, moved)
    value = scale.back(ranked.value)
    low = scale.back(ranked.value - math.hypot(widening * (ranked.value - ranked.low), more))
    high = scale.back(ranked.value + math.hypot(widening * (ranked.high - ranked.value), more))
    method = f"Hodges-Lehmann over {count} processes; signed ranks{scale.words}"
    if widening > 1:
        method += f", {widening:.2g} times wider because neighbors in time are alike"
    if more:
        method += (
            f"; {100 * math.expm1(more):.2g} % added in quadrature for runs of the next hours, "
            f"since the machine's speed moved by {100 * (moved or 0):.2g} %"
        )
    # Rounding of the logarithm must not carry a value beyond its bounds.
    return Estimate(value, min(low, value), max(high, value), confidence, method)


def _next_run(scale: Scale, data: Samples, confidence: float, moved: float | None) -> float:
    """Return how much the next run adds to either side of an interval, as a logarithm."""
    if not moved or not scale.is_logarithmic:
        return 0.0
    deviation = between_runs(scale.there(data), moved)
    return float(_native.student_half_width(confidence, len(data) - 1)) * deviation


def _widening(values: Samples) -> float:
    """Return how much wider an interval is where neighbors in time are alike.

    The square root of (1 + r) / (1 - r), by which the variance of a mean grows in a process of
    first order (Bartlett 1935), with the correlation r of neighbors, and 1 where it is negative.
    """
    count = len(values)
    off = values - np.median(values)
    limit = STRAY * _MAD_TO_SIGMA * float(np.median(np.abs(off)))
    if limit == 0:
        return 1.0
    # A single slow process must neither hide nor make a correlation.
    off = np.clip(off, -limit, limit)
    off -= off.mean()
    correlation = float(np.sum(off[1:] * off[:-1]) / np.sum(off**2))
    # Independent values have a correlation of -1 / count on average (Kendall 1954).
    correlation = min(max(correlation + 1 / count, 0.0), MOST_ALIKE)
    return math.sqrt((1 + correlation) / (1 - correlation))


class Scale:
    """The scale on which processes are compared: logarithmic where all values are positive.

    Parameters
    ----------
    values
        All that will be put on it.

    Attributes
    ----------
    words
        For the method: empty on the plain scale.
    """

    def __init__(self, values: Samples) -> None:
        self.is_logarithmic = bool(values.min() > 0)
        self.words = " of logarithms" if self.is_logarithmic else ""

    def there(self, values: Samples) -> Samples:
        """Return the values on this scale."""
        return np.log(values) if self.is_logarithmic else values

    def back(self, value: float) -> float:
        """Return a value of this scale as it was."""
        if not self.is_logarithmic:
            return value
        return math.exp(min(max(value, -_LARGEST_EXPONENT), _LARGEST_EXPONENT))


def _of_few(data: Samples, scale: Scale, center: float, confidence: float) -> Estimate:
    """Return the location of processes that are too few for signed ranks."""
    there = scale.there(data)
    mean = _native.mean(there, confidence)
    assert mean.low is not None
    assert mean.high is not None
    low, high = min(mean.low, float(there.min())), max(mean.high, float(there.max()))
    # The location lies half way between two modes.
    half = math.log1p(MODES_APART) / 2
    if not scale.is_logarithmic:
        half = abs(center) * math.expm1(half)
    method = (
        f"Hodges-Lehmann over {len(data)} processes; Student's t{scale.words}, widened for a "
        f"second mode {100 * MODES_APART:g} % away"
    )
    return Estimate(
        scale.back(center), scale.back(low - half), scale.back(high + half), confidence, method
    )


def pooled_tail(
    series: Sequence[Samples], q: float, confidence: float = 0.95, moved: float | None = None
) -> Estimate:
    """Estimate a quantile over processes that have too few samples for their own.

    The samples of each process are set off against its median, so that a slow process is not taken
    for a tail; then they are pooled, and the quantile of all (median-unbiased, definition 8 of
    Hyndman & Fan 1996) is put upon the location of the medians. What the pool leaves open is the
    wider of two intervals on each side: order statistics, which know that the samples are few, and
    the jackknife over processes (Tukey 1958), which knows that their tails differ, as far as those
    of single processes reach. It is added in quadrature to what the location leaves open.

    Simulated with 8 processes of 125 samples and tails of 3 %, the 99th percentile is off by 1 % at
    the median and covered in at least 98 %, where the location of each process's own is 16 % too
    low and covered in 80 %; where the share of the tail differs from process to process by a
    factor of two, it is 10 % too high and covered in 95 %.

    Parameters
    ----------
    series
        The samples of each process, in the order taken; two processes or more.
    q
        In [0, 1].
    confidence
        Confidence of the two-sided interval; in (0, 1).
    moved
        As for `location`.

    Returns
    -------
    Estimate
        Without a bound on a side that all samples together do not bound.
    """
    check_quantile(q)
    check_confidence(confidence)
    parts = [as_samples(own, "series") for own in series]
    pool = np.concatenate(parts)
    scale = Scale(pool)
    parts = [scale.there(part) for part in parts]
    if min(map(len, parts)) >= FEWEST_FOR_LEVEL:
        medians = np.array([np.median(part) for part in parts])
        estimate = location([scale.back(median) for median in medians], confidence, moved)
        # Several processes have bounds.
        level = scale.there(np.array([estimate.low, estimate.value, estimate.high], np.float64))
        parts = [part - median for part, median in zip(parts, medians, strict=True)]
        about = "samples about each process's median"
    else:
        level = np.zeros(3)
        about = "samples"
    together = np.concatenate(parts)
    order = np.argsort(together)
    ordered = together[order]
    owners = np.repeat(np.arange(len(parts)), list(map(len, parts)))[order]
    tail = _quantile(ordered, q)
    without = [_quantile(ordered[owners != index], q) for index in range(len(parts))]
    count = len(parts)
    # The interval of the mean of the pseudo-values is that of the jackknife.
    mean = _native.mean(count * tail - (count - 1) * np.array(without), confidence)
    assert mean.low is not None
    assert mean.high is not None
    # A jackknife of few processes knows no limits; the tail over all lies between those of each.
    own = [_quantile(np.sort(part), q) for part in parts]
    low, high = max(mean.low, min(own)), min(mean.high, max(own))
    pooled = _native.quantile(together, q, confidence)
    there = float(level[1]) + tail
    value = min(max(scale.back(there), float(pool.min())), float(pool.max()))
    bound_below = bound_above = None
    if pooled.low is not None:
        off = math.hypot(tail - min(low, pooled.low, tail), level[1] - level[0])
        bound_below = min(value, scale.back(there - off))
    if pooled.high is not None:
        off = math.hypot(max(high, pooled.high, tail) - tail, level[2] - level[1])
        bound_above = max(value, scale.back(there + off))
    method = (
        f"{about} pooled over {count} processes; the wider of order statistics and jackknife over "
        "processes"
    )
    if moved:
        method += "; widened for runs of the next hours, since the machine's speed moved"
    return Estimate(value, bound_below, bound_above, confidence, method)


def _quantile(ordered: Samples, q: float) -> float:
    """Return the median-unbiased quantile of sorted samples."""
    count = len(ordered)
    place = min(max(q * (count + 1 / 3) + 1 / 3, 1.0), float(count)) - 1
    below = int(place)
    lower, upper = float(ordered[below]), float(ordered[min(below + 1, count - 1)])
    return lower + (place - below) * (upper - lower)
