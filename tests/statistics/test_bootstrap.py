from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy import stats

from stratoperf import statistics
from stratoperf.errors import InvalidParameter
from wording import says

if TYPE_CHECKING:
    from tests.statistics.conftest import Source

SKEWED = np.random.default_rng(1).lognormal(0, 1, 2000)


@pytest.mark.parametrize(
    ("statistic", "function"),
    [
        ("median", np.median),
        ("mean", np.mean),
        (0.9, lambda x, axis=-1: np.quantile(x, 0.9, axis=axis)),
    ],
)
def test_the_interval_agrees_with_that_of_scipy(
    statistic: str | float, function: Callable[..., Any]
) -> None:
    theirs = stats.bootstrap(
        (SKEWED,), function, n_resamples=8000, method="percentile", batch=1000, rng=2
    ).confidence_interval
    ours = statistics.bootstrap(SKEWED, statistic, resamples=8000)
    called = statistics.bootstrap(SKEWED, lambda x: float(function(x)), resamples=2000)
    width = theirs.high - theirs.low
    assert ours.value == called.value == pytest.approx(function(SKEWED))
    for estimate, slack in ((ours, 0.06), (called, 0.1)):
        assert estimate.low == pytest.approx(theirs.low, abs=slack * width)
        assert estimate.high == pytest.approx(theirs.high, abs=slack * width)


def test_the_interval_of_a_ratio_agrees_with_that_of_scipy() -> None:
    other = np.random.default_rng(3).lognormal(1, 0.5, 200)

    def ratio(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(np.median(a, axis=axis) / np.median(b, axis=axis))

    theirs = stats.bootstrap(
        (SKEWED, other), ratio, n_resamples=8000, method="percentile", batch=1000, rng=4
    ).confidence_interval
    ours = statistics.bootstrap_ratio(SKEWED, other, resamples=8000)
    slack = 0.06 * (theirs.high - theirs.low)
    assert ours.value == pytest.approx(np.median(SKEWED) / np.median(other))
    assert ours.low == pytest.approx(theirs.low, abs=slack)
    assert ours.high == pytest.approx(theirs.high, abs=slack)


def test_the_seed_decides_the_interval() -> None:
    for statistic in ("mean", 0.75, lambda x: float(np.max(x) - np.min(x))):
        first = statistics.bootstrap(SKEWED, statistic, resamples=200, seed=1)
        assert statistics.bootstrap(SKEWED, statistic, resamples=200, seed=1) == first
        assert statistics.bootstrap(SKEWED, statistic, resamples=200, seed=2) != first


def test_correlated_samples_are_resampled_in_blocks_and_get_wider_intervals(
    sources: dict[str, Source],
) -> None:
    samples = sources["autoregressive 0.9"].draw(np.random.default_rng(7), 5000)
    chosen = statistics.bootstrap(samples, "median", resamples=500)
    single = statistics.bootstrap(samples, "median", resamples=500, block=1)
    assert "in blocks of" in chosen.method
    assert "blocks" not in single.method
    widths = [e.high - e.low for e in (chosen, single) if e.high is not None and e.low is not None]
    assert widths[0] > 2 * widths[1]


def test_the_native_block_bootstrap_agrees_with_the_one_in_numpy(
    sources: dict[str, Source],
) -> None:
    samples = sources["autoregressive 0.5"].draw(np.random.default_rng(8), 1000)
    native = statistics.bootstrap(samples, 0.9, resamples=4000, block=25)
    called = statistics.bootstrap(
        samples, lambda x: float(np.quantile(x, 0.9)), resamples=4000, block=25
    )
    assert native.low == pytest.approx(called.low, abs=0.05)
    assert native.high == pytest.approx(called.high, abs=0.05)
    assert native.method == "percentile bootstrap, 4000 resamples in blocks of 25"


def test_a_single_sample_has_no_bounds() -> None:
    estimate = statistics.bootstrap([2.0])
    assert (estimate.value, estimate.low, estimate.high) == (2.0, None, None)
    ratio = statistics.bootstrap_ratio([3.0], [1.0, 2.0])
    assert (ratio.value, ratio.low, ratio.high) == (2.0, None, None)


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ({"statistic": "medain"}, "statistic: unknown name 'medain'; did you mean 'median'?"),
        ({"statistic": 1.5}, "q: must lie in"),
        ({"statistic": lambda x: float("nan")}, "statistic: must return one finite number"),
        ({"statistic": lambda x: x}, "statistic: must return one finite number"),
        ({"resamples": 10}, "resamples: a confidence of 0.95 needs at least 80, got 10"),
        ({"block": 0}, "block: expected 1 to 3, got 0"),
        ({"block": 4}, "block: expected 1 to 3, got 4"),
        ({"seed": -1}, "seed: expected 0 to 18446744073709551615, got -1"),
    ],
)
def test_bad_arguments_are_refused(arguments: dict[str, Any], complaint: str) -> None:
    with pytest.raises(InvalidParameter) as caught:
        statistics.bootstrap([1.0, 2.0, 3.0], **arguments)
    assert complaint in str(caught.value)


def test_a_ratio_to_zero_is_refused() -> None:
    for denominator in ([0.0, 0.0], [0.0, 0.0, 1.0]):
        with pytest.raises(InvalidParameter, match=says("denominator:", "statistic", "zero")):
            statistics.bootstrap_ratio([1.0, 2.0], denominator)


def test_an_error_of_the_statistic_comes_through() -> None:
    def broken(samples: np.ndarray) -> float:
        raise RuntimeError("mine")

    with pytest.raises(RuntimeError, match="mine"):
        statistics.bootstrap([1.0, 2.0], broken)
