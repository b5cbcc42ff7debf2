"""How far two blocks of runs lie apart by drift alone, at worst."""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

_SIMULATED = 200_000
_SEED = 20_261_123


@functools.lru_cache(maxsize=256)
def random_walk_quantile(first: int, second: int, confidence: float) -> float:
    """Return how far two blocks of a random walk lie apart, in standard deviations within them.

    Parameters
    ----------
    first, second
        Runs in each block; the walk goes on from the one to the other.
    confidence
        The probability with which they lie no further apart.

    Returns
    -------
    float
        Simulated with a fixed seed. Never below what independent runs need.
    """
    generator = np.random.default_rng(_SEED)
    steps = generator.standard_normal((_SIMULATED, first + second))
    draws = (np.cumsum(steps, axis=1), steps)
    return max(_pivot_quantile(one, first, confidence) for one in draws)


def _pivot_quantile(draws: NDArray[np.float64], first: int, confidence: float) -> float:
    before, after = draws[:, :first], draws[:, first:]
    distance = np.abs(after.mean(axis=1) - before.mean(axis=1))
    squares = before.var(axis=1) * before.shape[1] + after.var(axis=1) * after.shape[1]
    return float(np.quantile(distance / np.sqrt(squares / (draws.shape[1] - 2)), confidence))
