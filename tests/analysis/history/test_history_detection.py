"""Change points on simulated series: where the truth is known."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from stratoperf.analysis.history.detection import LEAST_RUNS, detect, drift_chance

pytest.importorskip("ruptures", reason="needs ruptures: pip install 'stratoperf[history]'")

Array = NDArray[np.float64]
Generator = np.random.Generator
Noise = Callable[[Generator, int], Array]

ERROR = 0.01
THRESHOLD = 0.02
SCATTER = 0.03
SERIES = 400


def independent(generator: Generator, count: int) -> Array:
    return generator.standard_normal(count)


def heavy_tailed(generator: Generator, count: int) -> Array:
    return generator.standard_t(2, count)


def two_speeds(generator: Generator, count: int) -> Array:
    """A machine that takes either of two levels in each run, such as with another memory layout."""
    return 5.0 * generator.integers(0, 2, count) + 0.3 * generator.standard_normal(count)


def correlated(generator: Generator, count: int) -> Array:
    steps = generator.standard_normal(count)
    values = np.empty(count)
    values[0] = steps[0]
    for index in range(1, count):
        values[index] = 0.5 * values[index - 1] + steps[index]
    return values


def walk(generator: Generator, count: int) -> Array:
    return np.cumsum(generator.standard_normal(count))


def walk_and_noise(generator: Generator, count: int) -> Array:
    return 0.3 * walk(generator, count) + generator.standard_normal(count)


def slope(generator: Generator, count: int) -> Array:
    return 0.05 * np.arange(count) + generator.standard_normal(count)


def values_of(noise: Array, scatter: float = SCATTER) -> Array:
    values: Array = 1000.0 * np.exp(scatter * noise)
    return values


def places(values: Array, error: float = ERROR, threshold: float = THRESHOLD) -> list[int]:
    return [change.place for change in detect(values, error, threshold)]


@pytest.mark.parametrize("count", [20, 40, 100])
@pytest.mark.parametrize("noise", [independent, heavy_tailed, two_speeds, correlated, walk, slope])
def test_identical_runs_raise_few_false_alarms(noise: Noise, count: int) -> None:
    generator = np.random.default_rng(1)
    alarms = sum(bool(places(values_of(noise(generator, count)))) for _ in range(SERIES))
    # With a true rate of 0.01 it is more than 11 once in a thousand times.
    assert alarms <= 11


def test_noise_on_a_drift_raises_alarms_at_most_a_few_times_too_often() -> None:
    generator = np.random.default_rng(1)
    alarms = sum(bool(places(values_of(walk_and_noise(generator, 40)))) for _ in range(SERIES))
    assert alarms <= 3 * ERROR * SERIES


@pytest.mark.parametrize("change", [1.1, 1 / 1.1])
@pytest.mark.parametrize("place", [10, 20, 30])
def test_a_change_of_10_percent_among_40_runs_is_found_where_it_is(
    change: float, place: int
) -> None:
    generator = np.random.default_rng(2)
    found = 0
    for _ in range(100):
        values = values_of(independent(generator, 40), 0.02)
        values[place:] *= change
        changes = places(values)
        found += len(changes) == 1 and abs(changes[0] - place) <= 2
    assert found >= 90


def test_a_slow_down_that_was_mended_is_two_changes() -> None:
    values = values_of(independent(np.random.default_rng(3), 60), 0.01)
    values[20:40] *= 1.2
    assert places(values) == [20, 40]


def test_stray_runs_are_no_change_and_hide_none() -> None:
    values = values_of(independent(np.random.default_rng(4), 40), 0.01)
    values[[5, 6, 30]] *= 3.0
    assert places(values) == []
    values[20:] *= 1.1
    assert places(values) == [20]


def test_fewer_runs_than_a_level_needs_are_no_change() -> None:
    values = values_of(independent(np.random.default_rng(5), 40), 0.005)
    values[-LEAST_RUNS + 1 :] *= 1.5
    assert places(values) == []
    values[-LEAST_RUNS] *= 1.5
    assert places(values) == [40 - LEAST_RUNS]


def test_a_change_below_the_threshold_does_not_count() -> None:
    values = values_of(independent(np.random.default_rng(6), 60), 0.001)
    values[30:] *= 1.01
    assert places(values) == []
    assert places(values, threshold=0.005) == [30]


def test_constant_values_have_no_change_and_a_clean_step_has_one() -> None:
    assert places(np.full(40, 7.0)) == []
    assert places(np.repeat([7.0, 9.0], 20)) == [20]


def test_few_distinct_values_are_tested_with_their_ties() -> None:
    generator = np.random.default_rng(7)
    coarse = np.round(values_of(independent(generator, 60), 0.01) / 20) * 20
    assert places(coarse) == []
    coarse[30:] += 100.0
    assert places(coarse) == [30]


@pytest.mark.parametrize("count", range(2 * LEAST_RUNS))
def test_short_series_have_no_change(count: int) -> None:
    assert places(np.linspace(1.0, 100.0, count)) == []


def test_a_smaller_error_needs_more_evidence() -> None:
    values = values_of(independent(np.random.default_rng(8), 20), 0.02)
    values[10:] *= 1.12
    (change,) = detect(values, 0.05, THRESHOLD)
    assert change.place == 10
    assert 0 < change.significance < 0.05
    assert detect(values, change.significance / 2, THRESHOLD) == []


def test_a_long_series_is_searched_in_reasonable_time() -> None:
    values = values_of(walk(np.random.default_rng(9), 1000))
    assert places(values) == []


def test_a_step_is_significant_against_drift_only_where_it_is_sharp() -> None:
    generator = np.random.default_rng(10)
    steady = independent(generator, 40)
    sharp, gradual = steady.copy(), steady.copy()
    sharp[20:] += 6.0
    gradual += np.linspace(0.0, 6.0, 40)
    assert drift_chance(sharp, 20) < 1e-4
    assert drift_chance(gradual, 20) > 0.01
