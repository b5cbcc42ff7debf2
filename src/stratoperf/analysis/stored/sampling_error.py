"""The uncertainty of the value of a process that comes from its own samples.

Two things widen such an interval. The chance of the draw is bounded by the samples as if they were
independent; it counts in full, and where the samples do not bound it, nothing does. Correlation
between them is drift within the process. It leaves so few samples effective that the interval by
order statistics often reaches to the slowest single sample, a thousand times the value, although
nothing drifted that far. How far it did shows in the parts of the process: were ten parts
independent, the true median would lie outside all of their medians once in 2**9 times, and slower
drift, which moves them all, is drift between processes, allowed for elsewhere. So correlation
counts no further than the parts of the process lie from its value.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from stratoperf.analysis.stored.sides import Process
from stratoperf.errors import InvalidParameter, SchemaError
from stratoperf.statistics import Estimate, mean, quantile
from stratoperf.statistics.estimates import QUANTILES

PARTS = 10
"""Stretches of a process whose values show its drift: long enough for a value, enough to bound."""

_SEED = 20_261_123


def sampling_error(side: Sequence[Process], confidence: float) -> tuple[float, float]:
    """Return how far the mean logarithm of a side may lie above and below the true one.

    Parameters
    ----------
    side
        At least one process.
    confidence
        Probability that both bounds hold for all processes at once (Bonferroni).

    Returns
    -------
    tuple of float
        How much lower and how much higher the true value may be, as logarithms; infinite where
        the samples of a process do not bound it. The mean errs no more than its parts do on
        average.
    """
    level = 1 - (1 - confidence) / len(side)
    lower, higher = np.mean([_of_process(process, level) for process in side], axis=0)
    return float(lower), float(higher)


def _of_process(process: Process, confidence: float) -> NDArray[np.float64]:
    samples = _samples(process)
    if samples.size == 0:
        return _reach(process.interval, process.value)
    # In a random order correlation is gone, and the chance of the draw is left.
    mixed = np.random.default_rng(_SEED).permutation(samples)
    drawn = _reach(_estimate(mixed, process.statistic, confidence), process.value)
    widened = _reach(_estimate(samples, process.statistic, confidence), process.value)
    drifted = _extent(samples, process.statistic, process.value)
    return np.maximum(drawn, np.minimum(widened, drifted))


def _samples(process: Process) -> NDArray[np.float64]:
    """Return the samples; an empty array where they cannot be used.

    A run file may have been copied without its long columns.
    """
    if process.samples is not None:
        with contextlib.suppress(SchemaError, InvalidParameter):
            return process.samples()
    return np.empty(0)


def _extent(samples: NDArray[np.float64], statistic: str, value: float) -> NDArray[np.float64]:
    """Return how far the parts of a process reach below and above its value."""
    parts = np.array_split(samples, min(PARTS, samples.size))
    values = [_estimate(part, statistic, 0.5).value for part in parts]
    return _reach(Estimate(value, min(values), max(values), 0.5, ""), value)


def _estimate(samples: NDArray[np.float64], statistic: str, confidence: float) -> Estimate:
    if statistic == "mean":
        return mean(samples, confidence)
    return quantile(samples, QUANTILES[statistic], confidence)


def _reach(interval: Estimate | None, value: float) -> NDArray[np.float64]:
    """Return how far the interval reaches below and above the value, as logarithms."""
    low = None if interval is None else interval.low
    high = None if interval is None else interval.high
    below = math.inf if low is None or low <= 0 else max(math.log(value / low), 0.0)
    # A file may claim a value above 0 for samples that are not: they bound nothing.
    above = math.inf if high is None or high <= 0 else max(math.log(high / value), 0.0)
    return np.array([below, above])
