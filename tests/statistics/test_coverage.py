"""Whether the intervals cover the truth as often as they promise.

Each test repeats an experiment and compares the number of hits with what it promises by a
binomial test at `LEVEL`: it fails only when the promise is all but certainly broken. The seeds are
fixed, so a test that passes once passes always.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

import numpy as np
import pytest
from scipy import stats

from stratoperf import statistics

if TYPE_CHECKING:
    from tests.statistics.conftest import Source

LEVEL = 1e-3

INDEPENDENT = ["normal", "log-normal", "bimodal"]
CORRELATED = ["autoregressive 0.5", "autoregressive 0.9", "regimes of 100"]


def covers(source: Source, estimate: statistics.Estimate, q: float) -> bool:
    """Whether the interval holds the true quantile; a missing bound does not exclude it."""
    above = estimate.low is None or source.cdf(estimate.low) <= q
    return above and (estimate.high is None or source.cdf(estimate.high) >= q)


def generator_of(*case: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(case).encode()))


def assert_at_least(hits: int, trials: int, promised: float) -> None:
    high = stats.binomtest(hits, trials).proportion_ci(1 - 2 * LEVEL, "exact").high
    assert high >= promised, f"{hits} of {trials} cover, {promised:.0%} were promised"


def assert_at_most(hits: int, trials: int, promised: float) -> None:
    low = stats.binomtest(hits, trials).proportion_ci(1 - 2 * LEVEL, "exact").low
    assert low <= promised, f"{hits} of {trials}, at most {promised:.0%} were promised"


@pytest.mark.parametrize("n", [1000, 10_000])
@pytest.mark.parametrize("name", INDEPENDENT)
def test_intervals_of_independent_draws_cover_between_95_and_99_percent(
    name: str, n: int, sources: dict[str, Source]
) -> None:
    source, generator = sources[name], generator_of(name, n)
    trials = 800
    quantiles = (0.5, 0.95, 0.99)
    hits = dict.fromkeys(quantiles, 0)
    widened = 0
    for _ in range(trials):
        samples = source.draw(generator, n)
        for q in quantiles:
            estimate = statistics.quantile(samples, q)
            hits[q] += covers(source, estimate, q)
            if "widened" in estimate.method:
                widened += 1
            else:
                assert estimate.low is not None
                assert estimate.high is not None
    for count in hits.values():
        assert_at_least(count, trials, 0.95)
        assert_at_most(count, trials, 0.99)
    # The tests for correlation may raise a false alarm in 0.1 % of the series.
    assert_at_most(widened, trials * len(quantiles), 0.001)


@pytest.mark.parametrize("name", CORRELATED)
def test_summaries_of_correlated_series_cover_the_median_and_say_that_they_widened(
    name: str, sources: dict[str, Source]
) -> None:
    source, generator = sources[name], generator_of(name)
    trials = 600
    hits = 0
    for _ in range(trials):
        median = statistics.summarize(source.draw(generator, 10_000)).p50
        assert "widened for correlation" in median.method
        hits += covers(source, median, 0.5)
    # What must hold is 90 %; the lower bound itself is held to it, not the benefit of the doubt.
    assert stats.binomtest(hits, trials).proportion_ci(0.95, "exact").low >= 0.9


@pytest.mark.parametrize("q", [0.95, 0.99])
def test_regimes_that_barely_show_at_a_high_percentile_still_widen_it(
    q: float, sources: dict[str, Source]
) -> None:
    source, generator = sources["regimes of 100"], generator_of("tail", q)
    trials = 300
    hits = sum(
        covers(source, statistics.quantile(source.draw(generator, 10_000), q), q)
        for _ in range(trials)
    )
    assert_at_least(hits, trials, 0.9)


@pytest.mark.parametrize("q", [0.5, 0.95])
def test_isolated_disturbances_neither_spoil_an_interval_nor_take_it_away(
    q: float, sources: dict[str, Source]
) -> None:
    source, generator = sources["stretches of 10 in 1000"], generator_of("disturbed", q)
    trials = 400
    hits = 0
    for _ in range(trials):
        estimate = statistics.quantile(source.draw(generator, 10_000), q)
        assert estimate.low is not None
        assert estimate.high is not None
        hits += covers(source, estimate, q)
    assert_at_least(hits, trials, 0.94)
    assert_at_most(hits, trials, 0.99)


@pytest.mark.parametrize("coefficient", [0.5, 0.9])
def test_the_interval_of_the_mean_covers_in_spite_of_correlation(
    coefficient: float, sources: dict[str, Source]
) -> None:
    source, generator = sources[f"autoregressive {coefficient}"], generator_of(coefficient)
    trials = 400
    hits = 0
    for _ in range(trials):
        estimate = statistics.mean(source.draw(generator, 4000))
        assert estimate.low is not None
        assert estimate.high is not None
        hits += estimate.low <= 0 <= estimate.high
    assert_at_least(hits, trials, 0.94)


@pytest.mark.parametrize("statistic", ["median", "mean", 0.9])
@pytest.mark.parametrize("coefficient", [0.0, 0.9])
def test_bootstrap_intervals_cover(
    statistic: str | float, coefficient: float, sources: dict[str, Source]
) -> None:
    source = sources["autoregressive 0.9" if coefficient else "normal"]
    generator = generator_of(statistic, coefficient)
    q = statistic if isinstance(statistic, float) else 0.5  # the mean is the median here
    trials = 200
    hits = sum(
        covers(
            source,
            statistics.bootstrap(source.draw(generator, 4000), statistic, resamples=400, seed=seed),
            q,
        )
        for seed in range(trials)
    )
    # Percentile intervals from few blocks are a little short; they are approximate by nature.
    assert_at_least(hits, trials, 0.92 if coefficient else 0.94)


def test_the_interval_of_a_ratio_covers() -> None:
    generator = generator_of("ratio")
    trials = 300
    hits = 0
    for seed in range(trials):
        numerator = generator.lognormal(np.log(3), 0.5, 400)
        denominator = generator.lognormal(0, 1, 600)
        ratio = statistics.bootstrap_ratio(numerator, denominator, resamples=400, seed=seed)
        assert ratio.low is not None
        assert ratio.high is not None
        hits += ratio.low <= 3 <= ratio.high
    assert_at_least(hits, trials, 0.94)
