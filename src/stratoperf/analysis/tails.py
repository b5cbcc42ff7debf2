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
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from stratoperf.analysis.paired_design import Design, PairedDesign, share_above
from stratoperf.statistics import Estimate, signed_rank
from stratoperf.statistics.estimates import QUANTILES

LEAST_BEYOND = 2
"""Samples of each side beyond the quantile, about, that a unit has at least.

Commands run but a few times in a pair; as many pairs as it takes are taken together.
"""

MOST_UNITS = 400
"""Units that one interval rests on at most, the last ones: each ratio that is tried compares all of
them anew."""

_CLOSE = 5e-5
"""To which the logarithm of a ratio is found."""

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
        self._mass = 2 * (1 - quantile)
        self._units: list[tuple[_Largest, _Largest]] = []
        # The pairs that do not make a unit yet.
        self._open: list[tuple[Samples, Samples]] = []

    @property
    def units(self) -> int:
        """How many units there are; see `Design`."""
        return len(self._units)

    def add(self, baseline: Samples, current: Samples) -> None:
        """Add a pair: all samples of either side, finite and not below 0, lower is better."""
        self._open.append((baseline, current))
        self.pairs += 1
        if self._open_samples() >= self.least_samples:
            self._units.append(self._unit())
            self._open = []

    def least_pairs(self) -> int:
        """Return how many pairs an interval needs, in groups as large as those so far."""
        return super().least_pairs() * self._pairs_of_a_unit()

    def center(self, confidence: float) -> Estimate:
        """Return the logarithm of the ratio; see `Design`."""
        units = self._compared()

        def tried(ratio: float) -> Estimate:
            return signed_rank(units.differences(ratio), confidence)

        # Between two samples far apart many ratios fit equally well.
        below, _ = _edge(lambda ratio: tried(ratio).value > 0, units.lowest, units.highest)
        _, above = _edge(lambda ratio: tried(ratio).value >= 0, below, units.highest)
        value = (below + above) / 2
        low: float | None = None
        high: float | None = None
        if self._units and tried(value).low is not None:
            # Of the last two ratios that were tried the one that is rejected.
            low, _ = _edge(lambda ratio: (tried(ratio).low or 0.0) > 0, units.lowest, above)
            _, high = _edge(lambda ratio: (tried(ratio).high or 0.0) >= 0, below, units.highest)
        size = self._pairs_of_a_unit()
        what = f"{self.pairs} pairs" if size == 1 else f"{self.units} groups of some {size} pairs"
        method = f"signed ranks of the shares beyond a common limit in {what}"
        return Estimate(value, low, high, confidence, method)

    def effect(self) -> float:
        """Return the share of units in which the current side exceeded more often."""
        return share_above(self._compared().differences(0.0))

    def _compared(self) -> _Units:
        # Before there is a unit the pairs so far give a value, though no interval.
        return _Units(self._units[-MOST_UNITS:] or [self._unit()], self._mass)

    def _unit(self) -> tuple[_Largest, _Largest]:
        baseline, current = (np.concatenate(side) for side in zip(*self._open, strict=True))
        return _largest(baseline, self._mass), _largest(current, self._mass)

    def _open_samples(self) -> int:
        """Return how many samples the side with fewer has."""
        return min(sum(map(len, side)) for side in zip(*self._open, strict=True))

    def _pairs_of_a_unit(self) -> int:
        if self._units:
            return math.ceil((self.pairs - len(self._open)) / len(self._units))
        if not self._open:
            return 1
        return math.ceil(self.least_samples * self.pairs / self._open_samples())


def is_tail(statistic: str) -> bool:
    """Return whether a statistic is a high quantile, which rests on few of the samples."""
    return QUANTILES.get(statistic, 0.0) > 0.5


def design_of(statistic: str, threshold: float, error: float) -> PairedDesign | TailDesign:
    """Return what judges pairs by a statistic; the rest is as for `Design`."""
    if is_tail(statistic):
        return TailDesign(threshold, error, QUANTILES[statistic])
    return PairedDesign(threshold, error)


class _Largest(NamedTuple):
    """The largest samples of one side of a unit.

    Attributes
    ----------
    values
        Each once, in falling order.
    counts
        How many there are of each.
    total
        How many samples the side has.
    """

    values: Samples
    counts: NDArray[np.int64]
    total: int


class _Units:
    """Some units to compare for one ratio after the other.

    Parameters
    ----------
    sides
        For each unit, the largest samples of the baseline and of the current side, as many as
        can lie beyond the limit.
    mass
        What lies beyond the common limit, each side counted as 1.
    """

    def __init__(self, sides: Sequence[tuple[_Largest, _Largest]], mass: float) -> None:
        self._mass = mass
        # Padded with nothing: below all samples, and there are none of it.
        width = [max(len(side[which].values) for side in sides) for which in (0, 1)]
        self._split = width[0]
        self._values = np.zeros((len(sides), sum(width)))
        self._counts = np.zeros(self._values.shape, dtype=np.int64)
        for number, side in enumerate(sides):
            for which, begin in ((0, 0), (1, self._split)):
                end = begin + len(side[which].values)
                self._values[number, begin:end] = side[which].values
                self._counts[number, begin:end] = side[which].counts
        self._totals = np.array([[part.total for part in side] for side in sides])
        self._weights = self._counts / np.repeat(self._totals, width, axis=1)
        self.lowest = min(math.log(c.values[-1] / b.values[0]) for b, c in sides) - _ROUNDING
        self.highest = max(math.log(c.values[0] / b.values[-1]) for b, c in sides) + _ROUNDING

    def differences(self, ratio: float) -> Samples:
        """Return by how much more of the current side lies beyond the common limit, by unit.

        Parameters
        ----------
        ratio
            The logarithm of that by which the baseline is multiplied.
        """
        values = self._values.copy()
        values[:, : self._split] *= math.exp(ratio)
        order = np.argsort(-values, axis=1)
        reached = np.cumsum(np.take_along_axis(self._weights, order, axis=1), axis=1)
        last = np.argmax(reached >= self._mass - _ROUNDING, axis=1)[:, None]
        limit = np.take_along_axis(values, np.take_along_axis(order, last, axis=1), axis=1)
        beyond = self._shares(values > limit)
        on = self._shares(values == limit)
        # Samples on the limit lie beyond it to the part that makes up the mass.
        part = (self._mass - (beyond[0] + beyond[1])) / (on[0] + on[1])
        more: Samples = (beyond[1] + part * on[1]) - (beyond[0] + part * on[0])
        return more

    def _shares(self, chosen: NDArray[np.bool_]) -> tuple[Samples, Samples]:
        # Counted first, so that equal shares are equal to the last bit.
        counts = np.where(chosen, self._counts, 0)
        baseline = np.sum(counts[:, : self._split], axis=1) / self._totals[:, 0]
        current = np.sum(counts[:, self._split :], axis=1) / self._totals[:, 1]
        return baseline, current


def _largest(samples: Samples, mass: float) -> _Largest:
    """Return what can lie beyond the limit: as much as the mass, and all that is as large."""
    place = max(len(samples) - math.ceil(mass * len(samples)) - 1, 0)
    least = np.partition(samples, place)[place]
    # Where the clock shows no time at all it is less than its least.
    values, counts = np.unique(np.maximum(samples[samples >= least], 1e-9), return_counts=True)
    return _Largest(values[::-1], counts[::-1], len(samples))


def _edge(holds: Callable[[float], bool], low: float, high: float) -> tuple[float, float]:
    """Return, closely together, a ratio that something still holds for and one that it does not."""
    while high - low > _CLOSE:
        middle = (low + high) / 2
        if holds(middle):
            low = middle
        else:
            high = middle
    return low, high
