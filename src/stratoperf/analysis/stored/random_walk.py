"""The largest distance between two blocks of runs that drift alone explains."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

_SIMULATED = 200_000
_AT_ONCE = 5000
"""Walks in memory at a time, so that many runs a side do not fill it."""

_SEED = 20_261_123


def random_walk_quantile(first: int, second: int, confidence: float) -> float:
    """Return how far two blocks of a random walk lie apart, in standard deviations within them.

    Parameters
    ----------
    first, second
        Number of runs in each block; the walk continues from the first to the second.
    confidence
        Probability that they are no further apart.

    Returns
    -------
    float
        The distance, simulated with a fixed seed; at least the distance for independent runs.
    """
    return max(float(np.quantile(distances, confidence)) for distances in _distances(first, second))


@functools.lru_cache(maxsize=16)
def _distances(first: int, second: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the simulated distances for a random walk, and for independent runs."""
    generator = np.random.default_rng(_SEED)
    distances = np.empty((2, _SIMULATED))
    for begin in range(0, _SIMULATED, _AT_ONCE):
        steps = generator.standard_normal((_AT_ONCE, first + second))
        for row, draws in zip(distances, (np.cumsum(steps, axis=1), steps), strict=True):
            row[begin : begin + _AT_ONCE] = _distance(draws, first)
    return distances[0], distances[1]


def _distance(draws: NDArray[np.float64], first: int) -> NDArray[np.float64]:
    before, after = draws[:, :first], draws[:, first:]
    distance = np.abs(after.mean(axis=1) - before.mean(axis=1))
    squares = before.var(axis=1) * before.shape[1] + after.var(axis=1) * after.shape[1]
    pivots: NDArray[np.float64] = distance / np.sqrt(squares / (draws.shape[1] - 2))
    return pivots
