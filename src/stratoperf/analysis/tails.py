"""The ratio of a high quantile, from how often either side exceeds what both have in common.

A process has few samples beyond its p99, and where the share of disturbed samples is near 1 %, its
p99 is now an ordinary sample and now a disturbed one, many times as long: ratios of such values say
next to nothing. How many samples lie beyond a limit varies far less. So a ratio is tried instead:
the samples of the baseline are multiplied by it, and the limit is the quantile of both sides mixed
in equal parts. If the ratio is that of the quantiles, both sides exceed the limit equally often.
Signed ranks of the differences between the shares test that, and the ratios that they do not reject
are the interval. A disturbance that hits both sides counts on both, and cancels.

The error bound is that of `paired`, and as exact: where a coin decided which of two identical
sides went first, swapping them changes the sign of a difference and nothing else. The same holds
for a current side that takes the ratio times as long. A larger ratio never makes a difference
larger, so the interval has no gaps, and a current side that is faster than that is called slower
no more often.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stratoperf.analysis.paired import Design, PairedDesign, share_above
from stratoperf.results.schema import QUANTILES
from stratoperf.statistics import Estimate, signed_rank

LEAST_BEYOND = 2
"""Samples of each side beyond the quantile, about, that a unit has at least.

Commands run but a few times in a pair; as many pairs as it takes are taken together.
"""

MOST_UNITS = 400
"""Units that one interval rests on at most, the last ones: each ratio that is tried compares all of
them anew (a second for 400)."""

_STEPS = 22
"""Halvings of the range of ratios: to a millionth of it."""

_ROUNDING = 1e-12

Samples = NDArray[np.float64]


class TailDesign(Design):
    """Judges pairs by a high quantile of the samples of either side.

    Parameters
    ----------
    threshold, error
        As for `Design`, errors too.
    quantile
        Above one half and below 1.
    """

    METHOD = (
        "the ratios for which both sides exceed their common quantile equally often, the baseline "
        "multiplied by the ratio, by signed ranks of the differences in each pair (Hollander & "
        "Wolfe, sections 3.2 and 3.3)"
    )

    def __init__(self, threshold: float, error: float, quantile: float) -> None:
        super().__init__(threshold, error)
        self.least_samples = math.ceil(LEAST_BEYOND / (1 - quantile) - _ROUNDING)
        self._quantile = quantile
        self._units: list[_Unit] = []
        self._open: list[tuple[Samples, Samples]] = []

    @property
    def units(self) -> int:
        """How many units there are; see `Design`."""
        return len(self._units)

    def add(self, baseline: Samples, current: Samples) -> None:
        """Add a pair: all samples of either side, finite and above 0, lower is better."""
        self._open.append((baseline, current))
        self.pairs += 1
        unit = self._unit()
        if unit.samples >= self.least_samples:
            self._units.append(unit)
            self._open = []

    def least_pairs(self) -> int:
        """Return how many pairs an interval needs, in groups as large as those so far."""
        return super().least_pairs() * self._pairs_of_a_unit()

    def center(self, confidence: float) -> Estimate:
        """Return the logarithm of the ratio; see `Design`."""
        # Before there is a unit the pairs so far give a value, though no interval.
        units = self._units[-MOST_UNITS:] or [self._unit()]
        lowest = min(unit.lowest for unit in units)
        highest = max(unit.highest for unit in units)

        def tried(ratio: float) -> Estimate:
            return signed_rank(_differences(units, ratio), confidence)

        below, above = _edge(lambda ratio: tried(ratio).value > 0, lowest, highest)
        value = (below + above) / 2
        low: float | None = None
        high: float | None = None
        if tried(value).low is not None:
            # Of the last two ratios that were tried the one that is rejected.
            low, _ = _edge(lambda ratio: (tried(ratio).low or 0.0) > 0, lowest, above)
            _, high = _edge(lambda ratio: (tried(ratio).high or 0.0) >= 0, below, highest)
        size = self._pairs_of_a_unit()
        what = f"{self.pairs} pairs" if size == 1 else f"{self.units} groups of some {size} pairs"
        method = f"signed ranks of the shares beyond a common limit in {what}"
        return Estimate(value, low, high, confidence, method)

    def effect(self) -> float:
        """Return the share of units in which the current side exceeded more often."""
        return share_above(_differences(self._units or [self._unit()], 0.0))

    def _unit(self) -> _Unit:
        baseline, current = zip(*self._open, strict=True)
        return _Unit(np.concatenate(baseline), np.concatenate(current), self._quantile)

    def _pairs_of_a_unit(self) -> int:
        if self._units:
            return math.ceil((self.pairs - len(self._open)) / len(self._units))
        if not self._open:
            return 1
        return math.ceil(self.least_samples / (self._unit().samples / self.pairs))


def is_tail(statistic: str) -> bool:
    """Return whether a statistic is a high quantile, which rests on few of the samples."""
    return QUANTILES.get(statistic, 0.0) > 0.5


def design_of(statistic: str, threshold: float, error: float) -> PairedDesign | TailDesign:
    """Return what judges pairs by a statistic; the rest is as for `Design`."""
    if is_tail(statistic):
        return TailDesign(threshold, error, QUANTILES[statistic])
    return PairedDesign(threshold, error)


class _Unit:
    """The largest samples of either side of a pair, or of several: as many as can be beyond."""

    def __init__(self, baseline: Samples, current: Samples, quantile: float) -> None:
        # Of both sides together, each counted as 1.
        self._mass = 2 * (1 - quantile)
        self.samples = min(len(baseline), len(current))
        self._baseline, self._current = self._largest(baseline), self._largest(current)
        self._weights = np.repeat(
            [1 / len(baseline), 1 / len(current)], [len(self._baseline), len(self._current)]
        )
        self.lowest = math.log(self._current[-1] / self._baseline[0]) - _ROUNDING
        self.highest = math.log(self._current[0] / self._baseline[-1]) + _ROUNDING

    def _largest(self, samples: Samples) -> Samples:
        kept = min(len(samples), math.ceil(self._mass * len(samples)) + 1)
        # Where the clock shows no time at all it is less than its least.
        positive = np.maximum(np.partition(samples, len(samples) - kept)[-kept:], 1e-9)
        largest: Samples = np.sort(positive)[::-1]
        return largest

    def difference(self, ratio: float) -> float:
        """Return by how much more of the current side lies beyond the common limit.

        Parameters
        ----------
        ratio
            The logarithm of that by which the baseline is multiplied.
        """
        values = np.concatenate([self._baseline * math.exp(ratio), self._current])
        order = np.argsort(-values)
        reached = np.cumsum(self._weights[order])
        last = min(int(np.searchsorted(reached, self._mass - _ROUNDING)), len(values) - 1)
        limit = values[order[last]]
        split = len(self._baseline)
        beyond = self._shares(values > limit, split)
        on = self._shares(values == limit, split)
        # Samples on the limit lie beyond it to the part that makes up the mass.
        part = (self._mass - (beyond[0] + beyond[1])) / (on[0] + on[1])
        return (beyond[1] + part * on[1]) - (beyond[0] + part * on[0])

    def _shares(self, chosen: NDArray[np.bool_], split: int) -> tuple[float, float]:
        return (
            float(np.count_nonzero(chosen[:split]) * self._weights[0]),
            float(np.count_nonzero(chosen[split:]) * self._weights[-1]),
        )


def _differences(units: list[_Unit], ratio: float) -> Samples:
    return np.array([unit.difference(ratio) for unit in units])


def _edge(holds: Callable[[float], bool], low: float, high: float) -> tuple[float, float]:
    """Return, closely together, a ratio that something still holds for and one that it does not."""
    for _ in range(_STEPS):
        middle = (low + high) / 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low, high
