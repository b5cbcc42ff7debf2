"""The interval of paired differences: against SciPy's test, and against truth."""

from __future__ import annotations

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf.statistics import signed_rank
from stratoperf.statistics.signed_rank import least_differences


def test_the_value_is_the_median_of_pairwise_means() -> None:
    assert signed_rank([1.0, 2.0, 10.0]).value == pytest.approx(np.median([1, 2, 10, 1.5, 5.5, 6]))


@pytest.mark.parametrize("count", [8, 20, 60])
def test_bounds_are_the_centers_that_wilcoxons_test_stops_rejecting(count: int) -> None:
    data = np.random.default_rng(count).normal(0.3, 1.0, count)
    estimate = signed_rank(data, confidence=0.95)
    assert estimate.low is not None
    assert estimate.high is not None
    for bound, outwards in ((estimate.low, -1), (estimate.high, 1)):
        inside = scipy.stats.wilcoxon(data - bound + 1e-9 * outwards, method="exact").pvalue
        outside = scipy.stats.wilcoxon(data - bound - 1e-9 * outwards, method="exact").pvalue
        beyond, within = sorted((inside, outside))
        assert beyond <= 0.05 < within


def test_an_interval_needs_enough_differences() -> None:
    assert least_differences(0.99) == 8
    assert signed_rank(np.arange(7.0), 0.99).low is None
    assert signed_rank(np.arange(8.0), 0.99).low == 0.0


@pytest.mark.parametrize("count", [10, 40, 150])
@pytest.mark.parametrize("shape", ["normal", "cauchy", "two-points"])
def test_intervals_cover_the_center_of_symmetric_noise(count: int, shape: str) -> None:
    random = np.random.default_rng([count, len(shape)])
    trials = 600
    draws = {
        "normal": random.normal(size=(trials, count)),
        "cauchy": random.standard_cauchy(size=(trials, count)),
        "two-points": random.choice([-1.0, 1.0], size=(trials, count)),
    }[shape]
    covered = 0
    for draw in draws:
        estimate = signed_rank(draw, 0.95)
        assert estimate.low is not None
        assert estimate.high is not None
        covered += estimate.low <= 0.0 <= estimate.high
    # 0.95 less four standard errors.
    assert covered / trials >= 0.95 - 4 * (0.95 * 0.05 / trials) ** 0.5


@given(st.lists(st.floats(-1e6, 1e6), min_size=9, max_size=40), st.floats(-1e3, 1e3))
def test_negating_the_differences_mirrors_the_interval(data: list[float], shift: float) -> None:
    samples = np.asarray(data) + shift
    straight, mirrored = signed_rank(samples, 0.99), signed_rank(-samples, 0.99)
    assert straight.low is not None
    assert straight.high is not None
    assert straight.low <= straight.value <= straight.high
    assert (mirrored.value, mirrored.low, mirrored.high) == (
        -straight.value,
        -straight.high,
        -straight.low,
    )


def test_one_outlier_does_not_move_the_interval_far() -> None:
    data = np.random.default_rng(1).normal(0.0, 1.0, 30)
    plain = signed_rank(data)
    data[3] = 1e9
    assert abs(signed_rank(data).value - plain.value) < 0.2


@pytest.mark.parametrize("data", [[], [1.0, float("nan")], [[1.0], [2.0]]])
def test_bad_differences_are_refused_by_name(data: list[float]) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^differences: "):
        signed_rank(data)
