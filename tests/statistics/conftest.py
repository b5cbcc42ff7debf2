"""Series whose truth is known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
from scipy import special, stats

Series = npt.NDArray[np.float64]

# The bimodal distribution: a share of fast and the rest of slow samples.
FAST, SLOW, SPREAD, SHARE = 0.0, 6.0, 0.5, 0.7


@dataclass(frozen=True)
class Source:
    """Draws series of a length, and knows the share of all values that lie at or below x."""

    draw: Callable[[np.random.Generator, int], Series]
    cdf: Callable[[float], float]


def _mixture(generator: np.random.Generator, slow: npt.NDArray[np.bool_]) -> Series:
    return np.where(slow, SLOW, FAST) + SPREAD * generator.standard_normal(len(slow))


def _mixture_cdf(share: float) -> Callable[[float], float]:
    def cdf(x: float) -> float:
        fast, slow = special.ndtr((x - FAST) / SPREAD), special.ndtr((x - SLOW) / SPREAD)
        return float(share * fast + (1 - share) * slow)

    return cdf


def autoregressive(coefficient: float) -> Source:
    """Return a first-order autoregressive source with standard normal values."""
    from scipy.signal import lfilter

    def draw(generator: np.random.Generator, n: int) -> Series:
        noise = generator.standard_normal(n)
        noise[1:] *= np.sqrt(1 - coefficient**2)
        return np.asarray(lfilter([1], [1, -coefficient], noise))

    return Source(draw, lambda x: float(special.ndtr(x)))


def switching(mean_length: float) -> Source:
    """Return a source that switches between two regimes of geometrically distributed length."""

    def draw(generator: np.random.Generator, n: int) -> Series:
        switches = generator.random(n) < 1 / mean_length
        return _mixture(generator, (np.cumsum(switches) + generator.integers(2)) % 2 == 1)

    return Source(draw, _mixture_cdf(0.5))


def disturbed(share: float, length: int) -> Source:
    """Return a source of fast samples in which a share begins a stretch of slow ones."""

    def draw(generator: np.random.Generator, n: int) -> Series:
        begins = np.flatnonzero(generator.random(n + length) < share)
        slow = np.zeros(n + 2 * length, dtype=bool)
        for begin in begins:
            slow[begin : begin + length] = True
        return _mixture(generator, slow[length : n + length])

    return Source(draw, _mixture_cdf((1 - share) ** length))


SOURCES = {
    "normal": Source(lambda g, n: g.standard_normal(n), lambda x: float(special.ndtr(x))),
    "log-normal": Source(
        lambda g, n: g.lognormal(0, 1, n), lambda x: float(stats.lognorm.cdf(x, 1))
    ),
    "bimodal": Source(lambda g, n: _mixture(g, g.random(n) > SHARE), _mixture_cdf(SHARE)),
    "autoregressive 0.5": autoregressive(0.5),
    "autoregressive 0.9": autoregressive(0.9),
    "regimes of 100": switching(100),
    "stretches of 10 in 1000": disturbed(0.001, 10),
    "autoregressive 0.97": autoregressive(0.97),
    "alternating": autoregressive(-0.8),
}


@pytest.fixture(scope="session")
def sources() -> dict[str, Source]:
    """Return the sources by name."""
    return SOURCES
