"""What the intervals of one series promise, whatever the series does."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pytest
from scipy import stats
from scipy.signal import lfilter

from stratoperf import statistics

if TYPE_CHECKING:
    from tests.statistics.conftest import Source

Series = npt.NDArray[np.float64]
Maker = Callable[[np.random.Generator, int], Series]

LENGTHS = (1, 2, 5, 6, 7, 8, 9, 30, 100, 1000, 10_000)
QUANTILES = (0.5, 0.95, 0.99, 0.999)
CONFIDENCES = (0.5, 0.9, 0.95, 0.99, 0.9999)


def _noise(generator: np.random.Generator, n: int) -> Series:
    return generator.normal(100, 1, n)


def _autoregressive(coefficient: float) -> Maker:
    def make(generator: np.random.Generator, n: int) -> Series:
        noise = generator.standard_normal(n) * np.sqrt(1 - coefficient**2)
        return 100 + np.asarray(lfilter([1], [1, -coefficient], noise))

    return make


def _shifted(shift: Callable[[Series], npt.NDArray[np.floating[Any]]]) -> Maker:
    """Return noise with a shift that follows from the position, from 0 to 1."""
    return lambda g, n: np.asarray(_noise(g, n) + shift(np.linspace(0, 1, n)), np.float64)


SERIES: dict[str, Maker] = {
    "noise": _noise,
    "drifting start": _shifted(lambda x: 10 * np.exp(-20 * x)),
    "slow quarter": _shifted(lambda x: 5.0 * (x < 0.25)),
    "step": _shifted(lambda x: 5.0 * (x > 0.5)),
    "slow trend": _shifted(lambda x: 5 * x),
    "periodic": _shifted(lambda x: 5 * np.sin(200 * x)),
    "alternating": lambda g, n: _noise(g, n) + 5.0 * (np.arange(n) % 2),
    "constant": lambda g, n: np.full(n, 7.0),
    "two values in turn": lambda g, n: 7.0 + np.arange(n) // 100 % 2,
    "two modes": lambda g, n: _noise(g, n) + 20.0 * (g.random(n) < 0.3),
    "heavy tail": lambda g, n: 100 + np.abs(g.standard_cauchy(n)),
    "a stall": lambda g, n: _noise(g, n) + 1e6 * (np.arange(n) == n // 2),
} | {f"autoregressive {c}": _autoregressive(c) for c in (0.5, 0.9, 0.99, 0.999)}


MIDDLE_IS_EMPTY = {"periodic", "alternating", "two values in turn"}
"""Half of the samples are low and half are high: the median may lie anywhere between."""


def _made(name: str, n: int) -> Series:
    return SERIES[name](np.random.default_rng(zlib.crc32(f"{name} {n}".encode())), n)


def _width(estimate: statistics.Estimate) -> float:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.high - estimate.low


@pytest.mark.parametrize("name", SERIES)
def test_the_value_lies_between_bounds_that_widen_with_the_confidence(name: str) -> None:
    for n in LENGTHS:
        samples = _made(name, n)
        for q in QUANTILES:
            low, high = np.inf, -np.inf
            for confidence in CONFIDENCES:
                estimate = statistics.quantile(samples, q, confidence)
                below = -np.inf if estimate.low is None else estimate.low
                above = np.inf if estimate.high is None else estimate.high
                assert below <= estimate.value <= above
                assert below <= low
                assert above >= high
                low, high = below, above


@pytest.mark.parametrize("name", SERIES)
def test_a_bound_is_missing_only_where_as_many_independent_samples_would_have_none(
    name: str,
) -> None:
    for n in LENGTHS:
        independent = np.random.default_rng(n).permutation(np.arange(float(n)))
        samples = _made(name, n)
        for q in QUANTILES:
            ours, theirs = statistics.quantile(samples, q), statistics.quantile(independent, q)
            assert (ours.low is None) == (theirs.low is None)
            assert (ours.high is None) == (theirs.high is None)
            if n >= 6 and q == 0.5:
                assert ours.low is not None
                assert ours.high is not None


@pytest.mark.parametrize("n", [1000, 10_000])
@pytest.mark.parametrize("name", [name for name in SERIES if name not in MIDDLE_IS_EMPTY])
def test_the_median_is_not_less_certain_than_the_tail(name: str, n: int) -> None:
    samples = _made(name, n)
    median, tail = (_width(statistics.quantile(samples, q)) for q in (0.5, 0.95))
    # Both are estimates, of a drift that moves both alike.
    assert median <= 1.5 * tail + 1e-9


@pytest.mark.parametrize("name", SERIES)
def test_a_series_in_another_unit_has_the_same_interval(name: str) -> None:
    samples = _made(name, 1000)
    for q in QUANTILES:
        plain, scaled = statistics.quantile(samples, q), statistics.quantile(samples * 1024, q)
        assert scaled.value == pytest.approx(plain.value * 1024)
        for ours, theirs in ((scaled.low, plain.low), (scaled.high, plain.high)):
            assert (ours is None) == (theirs is None)
            if ours is not None and theirs is not None:
                assert ours == pytest.approx(theirs * 1024)


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("drifting start", -0.08, -0.01),
        ("slow quarter", -0.06, -0.04),
        ("step", 0.04, 0.06),
        ("slow trend", 0.03, 0.05),
    ],
)
@pytest.mark.parametrize("n", [1000, 10_000])
def test_a_drift_is_told_with_its_size(name: str, low: float, high: float, n: int) -> None:
    drift = statistics.summarize(_made(name, n)).drift
    assert drift is not None
    assert low < drift < high


@pytest.mark.parametrize(
    "name",
    ["noise", "periodic", "alternating", "constant", "two modes", "heavy tail", "a stall"],
)
def test_what_does_not_move_in_one_direction_has_no_drift(name: str) -> None:
    for n in LENGTHS:
        assert statistics.summarize(_made(name, n)).drift is None


def test_correlation_alone_is_hardly_ever_taken_for_drift() -> None:
    generator = np.random.default_rng(5)
    make = SERIES["autoregressive 0.9"]
    drifts = [statistics.summarize(make(generator, 5000)).drift for _ in range(200)]
    assert sum(drift is not None for drift in drifts) <= 8


def test_the_machine_that_settles_late_costs_width_and_not_the_interval() -> None:
    """The first row of a README had none, where its 95th percentile had an interval."""
    generator = np.random.default_rng(6)
    settling = np.where(np.arange(1500) < 400, 6.6, 6.3) + generator.normal(0, 0.02, 1500)
    summary = statistics.summarize(settling)
    assert _width(summary.p50) < 0.4
    assert summary.drift == pytest.approx(-0.3 / 6.3, rel=0.1)


@pytest.mark.parametrize(
    ("name", "n", "q"),
    [
        ("autoregressive 0.5", 10_000, 0.5),
        ("autoregressive 0.97", 10_000, 0.5),
        ("autoregressive 0.97", 10_000, 0.95),
        ("autoregressive 0.97", 1000, 0.5),
        ("regimes of 100", 10_000, 0.5),
        ("alternating", 10_000, 0.5),
        ("alternating", 1000, 0.95),
    ],
)
def test_intervals_of_stationary_series_cover_93_percent(
    name: str, n: int, q: float, sources: dict[str, Source]
) -> None:
    source = sources[name]
    generator = np.random.default_rng(zlib.crc32(f"{name} {n} {q}".encode()))
    trials = 300
    hits = 0
    for _ in range(trials):
        estimate = statistics.quantile(source.draw(generator, n), q)
        assert estimate.low is not None
        assert estimate.high is not None
        hits += source.cdf(estimate.low) <= q <= source.cdf(estimate.high)
    assert stats.binomtest(hits, trials).proportion_ci(0.95, "exact").high >= 0.95
    assert hits >= 0.93 * trials
