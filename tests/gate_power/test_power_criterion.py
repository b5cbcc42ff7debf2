"""Criterion's rule against SciPy, and at its edges."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from gate.criterion import Change, change

RANDOM = np.random.default_rng(1)
BASELINE = RANDOM.normal(100, 5, 100)


@pytest.mark.parametrize("shift", [0.0, 0.5, 1.5, 3.0])
def test_its_p_value_is_that_of_welch_s_test_on_normal_samples(shift: float) -> None:
    current = np.random.default_rng(2).normal(100 + shift, 5, 100)
    reference = stats.ttest_ind(current, BASELINE, equal_var=False).pvalue
    assert change(BASELINE, current, seed=0).p_value == pytest.approx(reference, abs=0.02)


def test_its_interval_is_that_of_an_ordinary_percentile_bootstrap() -> None:
    current = np.random.default_rng(3).normal(104, 5, 100)

    def relative(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
        return np.asarray(a.mean(axis=axis) / b.mean(axis=axis) - 1)

    reference = stats.bootstrap(
        (current, BASELINE), relative, method="percentile", n_resamples=20_000, rng=1
    ).confidence_interval
    found = change(BASELINE, current, seed=0)
    width = reference.high - reference.low
    assert found.low == pytest.approx(reference.low, abs=0.12 * width)
    assert found.high == pytest.approx(reference.high, abs=0.12 * width)


def test_it_tells_the_direction_of_a_clear_change() -> None:
    assert change(BASELINE, BASELINE * 1.1, seed=0).verdict() == "slower"
    assert change(BASELINE * 1.1, BASELINE, seed=0).verdict() == "faster"


def test_it_says_same_of_the_very_same_samples() -> None:
    found = change(BASELINE, BASELINE, seed=0)
    assert found.mean == 0
    assert found.verdict() == "same"


def test_constant_samples_are_the_same() -> None:
    constant = np.full(100, 5.0)
    assert change(constant, constant, seed=0).verdict() == "same"


@pytest.mark.parametrize(
    ("low", "high", "p_value", "expected"),
    [
        (0.011, 0.03, 0.001, "slower"),
        (0.009, 0.03, 0.001, "same"),  # reaches into the noise
        (0.011, 0.03, 0.05, "same"),  # not significant
        (-0.03, -0.011, 0.001, "faster"),
        (-0.03, -0.009, 0.001, "same"),
    ],
)
def test_a_change_counts_when_it_is_significant_and_all_beyond_the_noise(
    low: float, high: float, p_value: float, expected: str
) -> None:
    assert Change((low + high) / 2, low, high, p_value).verdict() == expected


def test_the_same_seed_gives_the_same_verdict() -> None:
    current = np.random.default_rng(4).normal(101, 5, 100)
    assert change(BASELINE, current, seed=7) == change(BASELINE, current, seed=7)
