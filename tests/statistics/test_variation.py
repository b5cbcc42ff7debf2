"""Drift and modes of processes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from stratoperf.statistics.variation import drift, modes

LEAST = 0.05


def test_a_drift_is_its_change_from_first_to_last() -> None:
    found = drift(np.array([1.0, 1.1, 1.2, 1.3, 1.4, 1.5]))
    assert found is not None
    assert found.change == pytest.approx(0.5)
    assert found.chance == pytest.approx(2 / 720)


def test_a_single_slow_process_is_no_drift() -> None:
    found = drift(np.array([1.0, 1.01, 0.99, 1.0, 1.01, 0.99, 1.0, 9.0]))
    assert found is not None
    assert abs(found.change) < 0.05
    assert found.chance > 0.05


@pytest.mark.parametrize("count", [4, 7, 12, 30])
def test_its_chance_is_that_of_kendalls_tau(count: int) -> None:
    values = np.random.default_rng(count).standard_normal(count)
    found = drift(values)
    assert found is not None
    exact = stats.kendalltau(np.arange(count), values, method="exact")
    assert found.chance == pytest.approx(exact.pvalue)


def test_few_values_and_constant_ones_show_no_drift() -> None:
    assert drift(np.array([1.0, 2.0, 3.0])) is None
    assert drift(np.ones(8)) == (0.0, 1.0)


def test_slow_processes_are_a_mode_of_their_own() -> None:
    found = modes(np.log([100, 101, 99, 150, 100, 100.5, 151, 99.5]), LEAST)
    assert found is not None
    assert found.upper == 2
    assert np.expm1(found.apart) == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("upper", [1, 4, 7])
def test_modes_of_any_size_are_told_apart(upper: int) -> None:
    random = np.random.default_rng(upper)
    values = np.concatenate([np.zeros(8 - upper), np.full(upper, 0.2)])
    found = modes(values + 0.005 * random.standard_normal(8), LEAST)
    assert found is not None
    assert found.upper == upper


def test_a_single_mode_is_seldom_split() -> None:
    random = np.random.default_rng(1)
    splits = [modes(0.05 * random.standard_normal(8), LEAST) for _ in range(1000)]
    assert sum(split is not None for split in splits) < 30


@pytest.mark.parametrize("values", [[0.0] * 8, [0.0, 0.01] * 4, [0.0, 1.0], [0.0, 0.0, 1.0, 1.0]])
def test_gaps_too_small_and_processes_too_few_are_no_modes(values: list[float]) -> None:
    assert modes(np.array(values), LEAST) is None
