from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from stratoperf import statistics
from stratoperf.errors import InvalidParameter
from wording import says

SERIES = hnp.arrays(
    np.float64,
    st.integers(1, 200),
    elements=st.floats(-1e9, 1e9) | st.integers(0, 5).map(float),
)


def width(estimate: statistics.Estimate) -> float:
    assert estimate.low is not None
    assert estimate.high is not None
    return estimate.high - estimate.low


OF_SAMPLES: list[Callable[[Any], object]] = [
    lambda samples: statistics.quantile(samples, 0.5),
    statistics.mean,
    statistics.summarize,
    statistics.median_absolute_deviation,
    statistics.effective_sample_size,
    lambda samples: statistics.autocorrelation(samples, 0),
    statistics.bootstrap,
    lambda samples: statistics.bootstrap_ratio([1.0, 2.0], samples),
]


@given(SERIES, st.floats(0, 1), st.floats(0.5, 0.999))
def test_a_quantile_is_that_of_numpy_and_lies_between_its_bounds(
    samples: np.ndarray, q: float, confidence: float
) -> None:
    estimate = statistics.quantile(samples, q, confidence)
    assert estimate.value == pytest.approx(np.quantile(samples, q), rel=1e-12, abs=1e-6)
    assert estimate.low is None or estimate.low <= estimate.value
    assert estimate.high is None or estimate.high >= estimate.value


@pytest.mark.parametrize("n", [5, 6, 10, 99, 1000, 10_000])
@pytest.mark.parametrize("q", [0.0, 0.1, 0.5, 0.95, 0.99, 0.999, 1.0])
def test_the_bounds_stand_at_the_ranks_of_the_binomial_distribution(n: int, q: float) -> None:
    samples = np.random.default_rng(n).permutation(np.arange(1.0, n + 1))
    estimate = statistics.quantile(samples, q, 0.95)
    ranks = np.arange(1, n + 1)
    low = ranks[stats.binom.cdf(ranks - 1, n, q) <= 0.025]
    high = ranks[stats.binom.sf(ranks - 1, n, q) <= 0.025]
    # The samples are their own ranks; the bounds enclose the value.
    around = 1 + (n - 1) * q
    assert estimate.low == (min(low.max(), np.floor(around)) if len(low) else None)
    assert estimate.high == (max(high.min(), np.ceil(around)) if len(high) else None)


@given(SERIES)
def test_a_summary_agrees_with_numpy(samples: np.ndarray) -> None:
    summary = statistics.summarize(samples)
    assert summary.count == len(samples)
    assert summary.mean == pytest.approx(samples.mean(), rel=1e-9, abs=1e-6)
    assert summary.min == samples.min()
    assert summary.max == samples.max()
    if len(samples) == 1:
        assert summary.stdev is None
    else:
        assert summary.stdev == pytest.approx(samples.std(ddof=1), rel=1e-6, abs=1e-6)
    assert summary.p95 == statistics.quantile(samples, 0.95)
    assert summary.p999 == statistics.quantile(samples, 0.999)
    assert summary.stopped_because is None


def test_the_3_sigma_view_drops_what_lies_far_from_the_mean_once() -> None:
    samples = np.append(np.random.default_rng(1).normal(100, 1, 1000), [1000.0, 1e6])
    outliers = statistics.summarize(samples).outliers
    far = np.abs(samples - samples.mean()) > 3 * samples.std(ddof=1)
    assert outliers.count == far.sum() == 1
    assert outliers.fraction == pytest.approx(1 / 1002)
    assert outliers.sigma == 3
    assert outliers.mean == pytest.approx(samples[~far].mean())
    assert outliers.stdev == pytest.approx(samples[~far].std(ddof=1))


def test_the_interval_of_the_mean_is_that_of_student() -> None:
    samples = np.random.default_rng(2).normal(5, 2, 30)
    estimate = statistics.mean(samples, 0.9)
    theirs = stats.ttest_1samp(samples, 0).confidence_interval(0.9)
    assert estimate.low == pytest.approx(theirs.low, rel=1e-9)
    assert estimate.high == pytest.approx(theirs.high, rel=1e-9)
    assert estimate.method == "Student's t"


@given(SERIES)
def test_the_median_absolute_deviation_is_that_of_scipy(samples: np.ndarray) -> None:
    ours = statistics.median_absolute_deviation(samples)
    assert ours == pytest.approx(stats.median_abs_deviation(samples), rel=1e-9, abs=1e-6)


@pytest.mark.parametrize("samples", [[3.0], [1.0, 2.0]])
def test_one_or_two_samples_bound_the_median_on_neither_side(samples: list[float]) -> None:
    summary = statistics.summarize(samples)
    assert summary.p50.low is None
    for estimate in (summary.p50, summary.p95, summary.p99, summary.p999):
        assert estimate.high is None
    assert summary.p99.low == samples[0]  # below the 99th percentile in 99 % of all cases
    assert (statistics.mean(samples).low is None) == (len(samples) == 1)


def test_equal_samples_have_an_interval_of_no_width() -> None:
    summary = statistics.summarize(np.full(5000, 0.1))
    assert (summary.p50.low, summary.p50.value, summary.p50.high) == (0.1, 0.1, 0.1)
    assert summary.mean == 0.1
    assert summary.outliers.count == 0
    assert "widened" not in summary.p50.method


def test_ties_do_not_pass_for_correlation() -> None:
    ticks = np.random.default_rng(3).choice([20.0, 21.0, 22.0], 10_000, p=[0.3, 0.6, 0.1])
    estimate = statistics.quantile(ticks, 0.5)
    assert (estimate.low, estimate.value, estimate.high) == (21, 21, 21)
    assert estimate.method == "order statistics"


def test_the_order_of_the_samples_matters_only_through_their_correlation() -> None:
    generator = np.random.default_rng(4)
    drifting = np.sort(generator.normal(size=10_000))
    mixed = generator.permutation(drifting)
    assert statistics.quantile(drifting, 0.5).value == statistics.quantile(mixed, 0.5).value
    assert width(statistics.quantile(drifting, 0.5)) > 2
    assert width(statistics.quantile(mixed, 0.5)) < 0.1


@pytest.mark.parametrize("function", OF_SAMPLES)
@pytest.mark.parametrize(
    ("samples", "complaint"),
    [
        ([], says("at least one")),
        ([1.0, np.nan], says("index 1", "finite")),
        ([np.inf, 1.0], says("index 0", "finite")),
        ([[1.0, 2.0]], "expected one dimension"),
        (1.0, "expected one dimension"),
        ([True, False], says("real", "numbers")),
        (["fast", "slow"], "expected real numbers"),
        ([1.0, [2.0, 3.0]], says("sequence of numbers")),
        ([1 + 2j], "expected real numbers"),
        ([None, 1.0], "expected real numbers"),
    ],
)
def test_bad_samples_are_refused_by_name(
    function: Callable[[Any], object], samples: object, complaint: str
) -> None:
    with pytest.raises(InvalidParameter, match=rf"^(samples|denominator): .*{complaint}"):
        function(samples)


@pytest.mark.parametrize("q", [-0.1, 1.1, 95, np.nan])
def test_a_quantile_out_of_range_is_refused(q: float) -> None:
    with pytest.raises(InvalidParameter, match=says("q:", "[0", "1]")):
        statistics.quantile([1.0, 2.0], q)


@pytest.mark.parametrize("confidence", [0, 1, 95, np.nan])
def test_a_confidence_out_of_range_is_refused(confidence: float) -> None:
    for call in (
        lambda: statistics.quantile([1.0, 2.0], 0.5, confidence),
        lambda: statistics.mean([1.0, 2.0], confidence),
        lambda: statistics.summarize([1.0, 2.0], confidence),
        lambda: statistics.bootstrap([1.0, 2.0], confidence=confidence),
    ):
        with pytest.raises(InvalidParameter, match=says("confidence:", "0", "1")):
            call()


def test_integers_lists_and_strided_arrays_are_samples_too() -> None:
    expected = statistics.quantile(np.array([2.0, 4.0, 6.0]), 0.5)
    assert statistics.quantile([2, 4, 6], 0.5) == expected
    assert statistics.quantile(np.arange(8)[2::2], 0.5) == expected
    assert statistics.quantile(np.array([2, 4, 6], dtype=np.float32), 0.5) == expected
