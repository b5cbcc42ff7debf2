"""The rule by which Criterion.rs says "Performance has regressed", in NumPy.

After its documentation ("Analysis Process" and "Command-Line Output" of its book,
bheisler.github.io/criterion.rs/book) and its sources (`analysis/compare.rs`, `report.rs`,
`stats/univariate`, version 0.5): of the average times of all samples, a two-sample t-test against
the distribution of t under resampling from both samples mixed, and a percentile interval of the
relative change of the mean from resampling each. A change is told when p < 0.05 and the whole
interval lies beyond the noise threshold of 1 %.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

SIGNIFICANCE = 0.05
CONFIDENCE = 0.95
NOISE = 0.01
RESAMPLES = 100_000
"""All four are the defaults of Criterion.rs."""

_CHUNK = 10_000

Values = NDArray[np.float64]


class Change(NamedTuple):
    """The relative change of the mean, its interval, and the p-value of no change."""

    mean: float
    low: float
    high: float
    p_value: float

    def verdict(self, noise: float = NOISE) -> str:
        """Return ``"slower"``, ``"faster"`` or ``"same"``."""
        if self.p_value >= SIGNIFICANCE:
            return "same"
        if self.low > noise:
            return "slower"
        return "faster" if self.high < -noise else "same"


def change(baseline: Values, current: Values, seed: int) -> Change:
    """Judge two runs.

    Parameters
    ----------
    baseline, current
        Average times of an iteration, one per sample.
    seed
        Of the resampling.
    """
    generator = np.random.default_rng(seed)
    low, high = _interval(baseline, current, generator)
    return Change(
        float(np.mean(current) / np.mean(baseline) - 1),
        low,
        high,
        _p_value(baseline, current, generator),
    )


def _interval(
    baseline: Values, current: Values, generator: np.random.Generator
) -> tuple[float, float]:
    """Return the percentile interval; each resample of the one meets 317 of the other."""
    outer = math.ceil(math.sqrt(RESAMPLES))
    above = _resampled(current, outer, generator).mean(axis=1)
    changes = np.empty((outer, outer))
    for index, mean in enumerate(above):
        changes[index] = mean / _resampled(baseline, outer, generator).mean(axis=1) - 1
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(changes.ravel()[:RESAMPLES], [tail, 100 - tail])
    return float(low), float(high)


def _p_value(baseline: Values, current: Values, generator: np.random.Generator) -> float:
    seen = _t(current[None, :], baseline[None, :])[0]
    mixed = np.concatenate([current, baseline])
    below = 0
    for _ in range(RESAMPLES // _CHUNK):
        drawn = _resampled(mixed, _CHUNK, generator)
        below += int(np.sum(_t(drawn[:, : len(current)], drawn[:, len(current) :]) < seen))
    return 2 * min(below, RESAMPLES - below) / RESAMPLES


def _resampled(values: Values, rows: int, generator: np.random.Generator) -> Values:
    picked: Values = values[generator.integers(len(values), size=(rows, len(values)))]
    return picked


def _t(first: Values, second: Values) -> Values:
    """Return Welch's t, row by row."""
    error = (
        first.var(axis=1, ddof=1) / first.shape[1] + second.var(axis=1, ddof=1) / second.shape[1]
    )
    difference: Values = first.mean(axis=1) - second.mean(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        t: Values = difference / np.sqrt(error)
    return t
