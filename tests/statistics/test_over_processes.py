"""Whether estimates over processes hold for the next run, whatever processes do."""

from __future__ import annotations

import zlib
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from stratoperf.errors import InvalidParameter
from stratoperf.statistics import Estimate
from stratoperf.statistics.processes import location, pooled_tail

Array = NDArray[np.float64]
Law = Callable[[np.random.Generator, int], Array]

LEAST_COVERED = 0.93
SCATTER = 0.02


def normal(random: np.random.Generator, count: int) -> Array:
    return np.exp(SCATTER * random.standard_normal(count))


def log_normal(random: np.random.Generator, count: int) -> Array:
    return np.asarray(1 + 0.1 * np.exp(random.standard_normal(count)), np.float64)


def heavy_tails(random: np.random.Generator, count: int) -> Array:
    return np.asarray(np.exp(SCATTER * random.standard_t(3, count)), np.float64)


def one_slow_in_eight(random: np.random.Generator, count: int) -> Array:
    return normal(random, count) * np.where(random.random(count) < 1 / 8, 1.5, 1.0)


def two_modes(random: np.random.Generator, count: int) -> Array:
    return normal(random, count) * np.where(random.random(count) < 1 / 2, 1.2, 1.0)


def common_drift(random: np.random.Generator, count: int) -> Array:
    slope = 0.1 * float(random.choice([-1, 1]))
    return np.asarray(normal(random, count) * np.exp(slope * np.linspace(-0.5, 0.5, count)))


LAWS: tuple[Law, ...] = (
    normal,
    log_normal,
    heavy_tails,
    one_slow_in_eight,
    two_modes,
    common_drift,
)


def generator_of(*case: object) -> np.random.Generator:
    return np.random.default_rng(zlib.crc32(repr(case).encode()))


def covered(law: Law, count: int, trials: int) -> float:
    """Return the share of runs whose interval holds the median of the values of all runs."""
    random = generator_of(law.__name__, count)
    found = [location(law(random, count)) for _ in range(trials)]
    return share_that_holds(float(np.median([estimate.value for estimate in found])), found)


def share_that_holds(truth: float, found: list[Estimate]) -> float:
    holding = [
        estimate.low is not None
        and estimate.high is not None
        and estimate.low <= truth <= estimate.high
        for estimate in found
    ]
    return sum(holding) / len(found)


@pytest.mark.slow("simulates 1000 runs for each law and count")
@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
@pytest.mark.parametrize("count", [2, 3, 4, 5, 6, 7, 8, 12, 20, 30])
def test_the_interval_of_a_run_holds_the_median_of_all_runs(law: Law, count: int) -> None:
    assert covered(law, count, 1000) >= LEAST_COVERED


@pytest.mark.parametrize("law", LAWS, ids=lambda law: law.__name__)
def test_the_interval_of_eight_processes_holds_the_median_of_all_runs(law: Law) -> None:
    assert covered(law, 8, 800) >= LEAST_COVERED


@pytest.mark.parametrize(("correlation", "least"), [(0.3, 0.9), (0.5, 0.84)])
def test_neighbors_that_are_alike_widen_the_interval(correlation: float, least: float) -> None:
    random = generator_of("alike", correlation)
    found = []
    for _ in range(600):
        steps = random.standard_normal(12)
        for index in range(1, 12):
            steps[index] *= (1 - correlation**2) ** 0.5
            steps[index] += correlation * steps[index - 1]
        found.append(location(np.exp(SCATTER * steps)))
    assert share_that_holds(1.0, found) >= least
    assert any("alike" in estimate.method for estimate in found)


def test_the_interval_of_normal_processes_is_hardly_wider_than_students() -> None:
    random = generator_of("width")
    found = [location(normal(random, 10)) for _ in range(400)]
    widths = [(estimate.high or 0) - (estimate.low or 0) for estimate in found]
    student = 2 * 2.262 * SCATTER / np.sqrt(10)
    assert np.median(widths) < 1.2 * student


@pytest.mark.parametrize("count", range(1, 40))
def test_value_and_bounds_are_in_order_and_scale_with_the_unit(count: int) -> None:
    values = heavy_tails(generator_of("order", count), count)
    found, scaled = location(values), location(1e6 * values)
    assert scaled.value == pytest.approx(1e6 * found.value)
    assert (found.low is None) == (count == 1)
    if found.low is not None and found.high is not None:
        assert found.low <= found.value <= found.high
        assert scaled.low == pytest.approx(1e6 * found.low)
        assert scaled.high == pytest.approx(1e6 * found.high)


@pytest.mark.parametrize(
    "values",
    [
        [0.0] * 8,
        [-3.0, -2.0, -2.5, -2.2, -3.1, -2.7, -2.4],
        [0.0, 1.0, 0.0, 2.0, 1.0, 0.0],
        [-1.0, 1.0],
        [0.0, 0.0, 1e-9],
    ],
)
def test_values_without_a_logarithm_have_an_interval_too(values: list[float]) -> None:
    found = location(values)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= found.value <= found.high
    assert "logarithm" not in found.method


def test_one_slow_process_moves_neither_value_nor_bounds_far() -> None:
    calm = [100.0, 101.0, 99.0, 100.5, 99.5, 100.2, 99.8, 100.0, 100.7, 99.2]
    found = location([*calm[:-1], 150.0])
    assert found.value == pytest.approx(100, rel=0.01)
    assert found.high is not None
    assert location([*calm[:-1], 1e9]).value == pytest.approx(found.value)


def test_few_processes_allow_for_a_mode_that_none_was_in() -> None:
    found = location([100.0, 100.1, 99.9, 100.0])
    assert found.low is not None
    assert found.high is not None
    assert found.low < 100 / 1.08
    assert found.high > 100 * 1.08
    assert "second mode" in found.method


def test_values_of_absurd_sizes_raise_nothing() -> None:
    found = location([1e-60, 1e60])
    assert found.low is not None
    assert found.high is not None


def test_no_values_are_refused() -> None:
    with pytest.raises(InvalidParameter, match="values"):
        location([])


def tailed(
    random: np.random.Generator, levels: Array, samples: int, share: float = 0.03
) -> list[Array]:
    """Return the samples of processes: a share of them is late by an exponential time."""
    drawn = []
    for level in levels:
        late = (random.random(samples) < share) * random.exponential(0.5, samples)
        drawn.append(level * np.exp(SCATTER * random.standard_normal(samples) + late))
    return drawn


@pytest.mark.parametrize("law", [normal, one_slow_in_eight, two_modes])
@pytest.mark.parametrize(("q", "widest"), [(0.95, 0.25), (0.99, 1.1)])
def test_the_tail_of_few_samples_a_process_is_neither_biased_nor_too_sure(
    law: Law, q: float, widest: float
) -> None:
    random = generator_of(law.__name__, q)
    level = location(law(random, 2000)).value
    (many,) = tailed(random, np.array([level]), 1_000_000)
    truth = float(np.quantile(many, q))
    found = [pooled_tail(tailed(random, law(random, 8), 125), q) for _ in range(150)]
    assert share_that_holds(truth, found) >= LEAST_COVERED
    assert np.median([estimate.value for estimate in found]) == pytest.approx(truth, rel=0.04)
    widths = [np.log((estimate.high or np.inf) / (estimate.low or 1e-9)) for estimate in found]
    assert np.median(widths) < widest


def test_a_tail_beyond_all_samples_has_no_upper_bound() -> None:
    found = pooled_tail(tailed(generator_of("p999"), np.ones(8), 125), 0.999)
    assert found.high is None
    assert found.low is not None


@pytest.mark.parametrize("samples", [1, 2, 5, 19, 20, 40])
def test_a_tail_needs_no_least_number_of_samples(samples: int) -> None:
    found = pooled_tail(tailed(generator_of(samples), np.ones(3), samples), 0.95)
    assert found.low is None or found.low <= found.value
    assert found.high is None or found.value <= found.high


def test_the_tail_of_differences_stays_in_their_unit() -> None:
    random = generator_of("differences")
    parts = [random.standard_normal(60) for _ in range(8)]
    found = pooled_tail(parts, 0.95)
    assert found.value == pytest.approx(1.64, abs=0.3)
    assert pooled_tail([10 * part for part in parts], 0.95).value == pytest.approx(10 * found.value)
