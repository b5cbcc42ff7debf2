from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
import pytest

from stratoperf.errors import InvalidParameter
from stratoperf.statistics.scaling import MOST, at_speed, scaling

READINGS = np.array([2.8, 4.3, 2.9, 4.5, 2.8, 3.4, 2.9, 4.1])


@pytest.mark.parametrize("power", [0.5, 1.0, 1.3])
def test_the_power_of_times_that_follow_the_speed_is_recovered(power: float) -> None:
    fit = scaling(100 * READINGS**power, READINGS)
    assert fit is not None
    assert fit.power == pytest.approx(power)
    assert fit.error == pytest.approx(0, abs=1e-6)


def test_times_that_react_more_are_not_scaled_by_more() -> None:
    fit = scaling(READINGS**2.2, READINGS)
    assert fit is not None
    assert fit.power == MOST


@pytest.mark.parametrize(
    ("times", "readings"),
    [
        (READINGS[:5], READINGS[:5]),
        (READINGS, np.full(8, 2.8)),
        (np.full(8, 100.0), READINGS),
        (1 / READINGS, READINGS),
        ([5.0, 5.1, 5.2, 4.9, 5.1, 5.3, 5.0, 4.8], READINGS),
        # Readings that hardly differ explain no time.
        (READINGS, 2.8 * (1 + 1e-6 * READINGS)),
    ],
)
def test_a_scaling_that_is_not_shown_is_not_applied(
    times: npt.ArrayLike, readings: npt.ArrayLike
) -> None:
    assert scaling(times, readings) is None
    assert at_speed(times, readings, 2.8) is None


def test_one_slow_process_in_eight_for_another_reason_makes_no_scaling() -> None:
    times = np.array([100.0, 100.3, 99.8, 100.1, 100.2, 99.9, 100.1, 150.0])
    generator = np.random.default_rng(1)
    used = sum(scaling(generator.permutation(times), READINGS) is not None for _ in range(300))
    assert used <= 45


def test_by_chance_one_scaling_in_twenty_is_used() -> None:
    generator = np.random.default_rng(2)
    times = np.exp(0.05 * generator.standard_normal((1000, 8)))
    used = sum(scaling(row, READINGS) is not None for row in times)
    assert 20 < used < 80


def test_the_value_at_the_usual_speed_is_that_of_processes_there() -> None:
    found = at_speed(40 * READINGS, READINGS, 2.5)
    assert found is not None
    assert found.value == pytest.approx(100)
    assert found.low == pytest.approx(100)
    assert found.high == pytest.approx(100)
    assert "1.00" in found.method


def test_the_interval_covers_the_time_at_a_speed_that_the_run_saw_little_of() -> None:
    generator = np.random.default_rng(3)
    covered = applied = 0
    for _ in range(400):
        readings = generator.choice([2.8, 4.3], 10, p=[0.3, 0.7])
        times = 100 * (readings / 2.8) * np.exp(0.03 * generator.standard_normal(10))
        found = at_speed(times, readings, 2.8)
        if found is not None:
            assert found.low is not None
            assert found.high is not None
            applied += 1
            covered += found.low <= 100 <= found.high
    assert applied > 300
    assert covered / applied > 0.93


def test_far_from_the_usual_speed_the_interval_is_wider() -> None:
    times = 40 * READINGS * np.array([1.0, 1.02, 0.98, 1.01, 0.99, 1.0, 1.03, 0.97])
    near, far = at_speed(times, READINGS, 3.4), at_speed(times, READINGS, 34.0)
    assert near is not None
    assert far is not None
    assert near.low is not None
    assert far.low is not None
    assert math.log(far.value / far.low) > 3 * math.log(near.value / near.low)


@pytest.mark.parametrize("wrong", [[1.0, math.nan] * 4, [], [[1.0]]])
def test_bad_values_are_refused_by_name(wrong: npt.ArrayLike) -> None:
    with pytest.raises(InvalidParameter, match="readings"):
        scaling(READINGS, wrong)
