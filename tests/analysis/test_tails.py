"""The ratio of a high quantile: error rates, power and coverage where the truth is known."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

import stratoperf as sp
from stratoperf.analysis.paired_design import Look, PairedDesign
from stratoperf.analysis.tails import LEAST_BEYOND, TailDesign, design_of, is_tail

Array = NDArray[np.float64]
Machine = Callable[[np.random.Generator, int], tuple[Array, Array]]
"""Draws so many samples of a fixed piece of work for either moment of a pair."""


def quiet(random: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Return samples that scatter little."""
    first, second = 1 + random.gamma(2, 0.02, (2, count))
    return first, second


def preempted(random: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Return samples of which about one in a hundred is a hundred times as long, in some pairs."""
    share = random.choice([0.002, 0.01, 0.03])
    first, second = (1 + random.gamma(2, 0.02, (2, count))) * np.where(
        random.random((2, count)) < share, 100 * random.random((2, count)) + 1, 1
    )
    return first, second


def in_two_modes(random: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Return processes of which one in four is slower, on either side at random."""
    speed = np.where(random.random((2, 1)) < 0.25, 1.4, 1.0)
    first, second = speed * (1 + random.gamma(2, 0.02, (2, count)))
    return first, second


def later_suffers(random: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Return a machine whose tail is longer for whatever comes second."""
    first, second = quiet(random, count)
    return first, second * np.where(random.random(count) < 0.1, 3, 1)


def coarse(random: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Return samples of a clock that knows five values: nearly all are ties."""
    first, second = 1 + random.integers(0, 5, (2, count)).astype(np.float64)
    return first, second


def uneven(random: np.random.Generator, count: int) -> tuple[Array, Array]:
    """Return moments of which the slower one has fewer samples, as in slices of equal length."""
    first, second = in_two_modes(random, count)
    return first[: int(count / first.mean())], second[: int(count / second.mean())]


MACHINES = [quiet, preempted, in_two_modes, later_suffers, coarse, uneven]


def look(
    machine: Machine,
    random: np.random.Generator,
    change: Callable[[Array], Array] = lambda samples: samples,
    *,
    quantile: float = 0.95,
    threshold: float = 0.2,
    error: float = 0.01,
    pairs: int = 12,
    samples: int = 300,
) -> Look:
    """Return the only look at some pairs, a coin deciding who has which moment."""
    design = TailDesign(threshold, error, quantile)
    for _ in range(pairs):
        moments = machine(random, samples)
        baseline, current = moments if random.random() < 0.5 else moments[::-1]
        design.add(baseline, change(current))
    return design.look(1.0)


def most(count: int, rate: float) -> float:
    """Return how many of `count` may be, at that rate, but for one chance in 30,000."""
    return count * rate + 4 * math.sqrt(count * rate * (1 - rate)) + 1


@pytest.mark.parametrize("ratio", [1.0, 1.3])
@pytest.mark.parametrize("machine", MACHINES)
def test_intervals_miss_the_ratio_of_scaled_sides_no_more_often_than_admitted(
    machine: Machine, ratio: float
) -> None:
    count = 150
    random = np.random.default_rng(1)
    missed = 0
    for _ in range(count):
        found = look(machine, random, lambda samples: ratio * samples, error=0.05).ratio
        assert found.low is not None
        assert found.high is not None
        # The bounds are known to a hair.
        missed += not found.low * (1 - 1e-4) <= ratio <= found.high * (1 + 1e-4)
    assert missed <= most(count, 0.05)


@pytest.mark.parametrize("machine", [quiet, preempted, uneven])
def test_a_planted_tail_is_found_though_the_median_stays(machine: Machine) -> None:
    random = np.random.default_rng(3)

    def planted(samples: Array) -> Array:
        return samples * np.where(random.random(len(samples)) < 0.06, 2, 1)

    for _ in range(3):
        found = look(machine, random, planted, pairs=30, samples=1000)
        assert found.verdict == "slower"
        assert found.effect > 0.8
        assert 1.5 < found.ratio.value < 2.1
    swapped = TailDesign(0.2, 0.01, 0.95)
    for _ in range(30):
        first, second = machine(random, 1000)
        swapped.add(planted(first), second)
    assert swapped.look(1.0).verdict == "faster"


def test_disturbances_of_both_sides_cancel_where_single_ratios_say_nothing() -> None:
    random = np.random.default_rng(4)
    tails, values = TailDesign(0.2, 0.01, 0.99), PairedDesign(0.2, 0.01)
    for _ in range(60):
        baseline, current = preempted(random, 1000)
        tails.add(baseline, current)
        values.add(float(np.quantile(baseline, 0.99)), float(np.quantile(current, 0.99)))
    of_tails, of_values = tails.look(1.0), values.look(1.0)

    def width(look: Look) -> float:
        assert look.ratio.low is not None
        assert look.ratio.high is not None
        return math.log(look.ratio.high / look.ratio.low)

    assert width(of_tails) < width(of_values) / 2


@pytest.mark.parametrize("ratio", [0.7, 1.0, 1.3])
@pytest.mark.parametrize("quantile", [0.95, 0.99, 0.999])
def test_the_value_is_the_ratio_of_the_quantiles(quantile: float, ratio: float) -> None:
    random = np.random.default_rng(5)
    design = TailDesign(0.2, 0.01, quantile)
    for _ in range(20):
        baseline, current = quiet(random, 5000)
        design.add(baseline, ratio * current)
    found = design.look(1.0).ratio
    assert found.value == pytest.approx(ratio, rel=0.02)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= ratio <= found.high


def test_swapping_the_sides_inverts_the_ratio() -> None:
    random = np.random.default_rng(6)
    there, back = TailDesign(0.2, 0.01, 0.95), TailDesign(0.2, 0.01, 0.95)
    for _ in range(12):
        baseline, current = uneven(random, 300)
        there.add(baseline, 1.2 * current)
        back.add(1.2 * current, baseline)
    one, other = there.look(1.0), back.look(1.0)
    assert one.ratio.low is not None
    assert other.ratio.high is not None
    assert one.ratio.value == pytest.approx(1 / other.ratio.value, rel=1e-4)
    assert one.ratio.low == pytest.approx(1 / other.ratio.high, rel=1e-4)
    assert one.effect == pytest.approx(1 - other.effect)


def test_samples_that_are_all_the_same_have_a_ratio_of_one() -> None:
    design = TailDesign(0.2, 0.01, 0.95)
    for _ in range(10):
        design.add(np.full(50, 3.0), np.full(60, 3.0))
    found = design.look(1.0)
    assert found.ratio.low == pytest.approx(1, rel=1e-4)
    assert found.ratio.high == pytest.approx(1, rel=1e-4)
    assert (found.verdict, found.effect) == ("same", 0.5)


def test_pairs_with_few_samples_are_taken_together() -> None:
    random = np.random.default_rng(7)
    design = TailDesign(0.2, 0.01, 0.95)
    assert design.least_samples == LEAST_BEYOND * 20
    design.add(*quiet(random, 5))
    # 40 samples are in 8 pairs.
    assert design.units == 0
    assert design.least_pairs() == 8 * 8
    early = design.look(0.01)
    assert (early.verdict, early.ratio.low, early.pairs) == ("inconclusive", None, 1)
    for _ in range(79):
        design.add(*quiet(random, 5))
    assert (design.pairs, design.units) == (80, 10)
    found = design.look(1.0)
    assert found.ratio.low is not None
    assert "10 groups of some 8 pairs" in found.ratio.method


def test_a_clock_that_shows_no_time_at_all_does_no_harm() -> None:
    design = TailDesign(0.2, 0.01, 0.95)
    samples = np.array([0.0] * 95 + [1.0] * 5)
    for _ in range(10):
        design.add(samples, samples)
    assert design.look(1.0).ratio.value == pytest.approx(1, rel=1e-3)


def test_only_high_quantiles_are_tails() -> None:
    names = ("mean", "p50", "p95", "p99", "p999", "throughput")
    assert [name for name in names if is_tail(name)] == ["p95", "p99", "p999"]
    assert isinstance(design_of("p99", 0.05, 0.01), TailDesign)
    assert isinstance(design_of("mean", 0.05, 0.01), PairedDesign)


def test_without_pairs_there_is_nothing_to_look_at() -> None:
    with pytest.raises(sp.InvalidParameter, match="at least one"):
        TailDesign(0.2, 0.01, 0.95).look(0.5)
