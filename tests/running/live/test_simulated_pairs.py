"""The error rates of the paired design, where the truth is known: on simulated machines.

A pair is two moments of a machine and a coin that gives one to each side, as in a live comparison.
Whatever the machine does, identical sides then differ by the coin alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from numpy.typing import NDArray

from stratoperf.analysis.paired_design import LOOKS, Look, PairedDesign

Array = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Array]
"""Draws the logarithm of what a fixed piece of work takes at each of so many pairs of moments."""

ERROR = 0.05
PAIRS = 60

# Far below any noise: each interval that excludes 1 is an alarm.
NEXT_TO_NOTHING = 1e-9


def heavy_tailed(random: np.random.Generator, pairs: int) -> Array:
    """Return noise without a variance (Student, two degrees of freedom)."""
    return 0.02 * random.standard_t(2, size=(pairs, 2))


def skewed(random: np.random.Generator, pairs: int) -> Array:
    """Return delays: there is a floor, and rare disturbances are long."""
    return np.log1p(random.exponential(0.02, size=(pairs, 2)) + random.pareto(1.5, (pairs, 2)) / 50)


def drifting(random: np.random.Generator, pairs: int) -> Array:
    """Return a machine that gets slower, in steps and at random, beside some noise."""
    moments = 2 * pairs
    ramp = np.linspace(0, 0.4, moments)
    steps = 0.3 * (np.arange(moments) > random.integers(moments))
    walk = np.cumsum(random.normal(0, 0.02, moments))
    noise: Array = ramp + steps + walk + random.normal(0, 0.01, moments)
    return noise.reshape(pairs, 2)


def in_bursts(random: np.random.Generator, pairs: int) -> Array:
    """Return a machine that is disturbed for several pairs on end."""
    busy = np.repeat(random.random(pairs) < 0.3, 10)[: 2 * pairs].astype(np.float64)
    depth = (0.02 + 0.3 * busy).reshape(pairs, 2)
    noise: Array = depth * np.square(random.standard_normal((pairs, 2)))
    return noise


def later_is_slower(random: np.random.Generator, pairs: int) -> Array:
    """Return a machine on which whatever comes second in a pair suffers."""
    noise: Array = random.normal(0, 0.01, (pairs, 2)) + np.array([0.0, 0.1])
    return noise


NOISES = [heavy_tailed, skewed, drifting, in_bursts, later_is_slower]


def looks(
    noise: Noise, seed: int, true_ratio: float, threshold: float, pairs: int = PAIRS
) -> Iterator[tuple[Look, float]]:
    """Yield the looks of a session, each with the share of the budget."""
    random = np.random.default_rng(seed)
    moments = noise(random, pairs)
    is_first = random.random(pairs) < 0.5
    design = PairedDesign(threshold, ERROR)
    for share in LOOKS:
        while design.pairs < round(share * pairs):
            early, late = moments[design.pairs]
            baseline, current = (early, late) if is_first[design.pairs] else (late, early)
            design.add(math.exp(baseline), true_ratio * math.exp(current))
        yield design.look(share), share


def session(
    noise: Noise, seed: int, true_ratio: float, threshold: float, pairs: int = PAIRS
) -> tuple[str, float]:
    """Return the verdict of a session, and the share of the budget that it took."""
    for look, share in looks(noise, seed, true_ratio, threshold, pairs):
        if look.verdict != "inconclusive":
            return look.verdict, share
    return "inconclusive", 1.0


def most(count: int, rate: float) -> float:
    """Return how many of `count` may be, at that rate, but for one chance in 30,000."""
    return count * rate + 4 * math.sqrt(count * rate * (1 - rate)) + 1


def covers(look: Look, ratio: float) -> bool:
    low, high = look.ratio.low, look.ratio.high
    return (low is None or low <= ratio) and (high is None or ratio <= high)


@pytest.mark.parametrize("noise", NOISES)
def test_identical_sides_raise_alarms_no_more_often_than_admitted(noise: Noise) -> None:
    count = 500
    verdicts = [session(noise, seed, 1.0, NEXT_TO_NOTHING)[0] for seed in range(count)]
    alarms = [verdict for verdict in verdicts if verdict != "inconclusive"]
    assert len(alarms) <= most(count, ERROR)
    # On one side or the other alike.
    assert alarms.count("slower") <= most(count, ERROR / 2)
    assert alarms.count("faster") <= most(count, ERROR / 2)


@pytest.mark.parametrize("true_ratio", [0.8, 1.0, 1.07])
@pytest.mark.parametrize("noise", NOISES)
def test_intervals_cover_the_true_ratio_at_every_look(noise: Noise, true_ratio: float) -> None:
    count = 150
    missed = sum(
        not all(covers(look, true_ratio) for look, _ in looks(noise, seed, true_ratio, 0.05))
        for seed in range(count)
    )
    assert missed <= most(count, ERROR)


@pytest.mark.parametrize("noise", NOISES)
def test_a_slow_down_within_the_threshold_is_no_alarm(noise: Noise) -> None:
    count = 150
    verdicts = [session(noise, seed, 1.05, 0.05)[0] for seed in range(count)]
    assert verdicts.count("slower") <= most(count, ERROR / 2)


@pytest.mark.parametrize("noise", NOISES)
def test_a_clear_slow_down_is_found_whatever_the_noise(noise: Noise) -> None:
    found = [session(noise, seed, 1.5, 0.05, pairs=200) for seed in range(40)]
    assert [verdict for verdict, _ in found].count("slower") == len(found)
    # Most of them long before the budget is used.
    assert float(np.median([share for _, share in found])) <= 0.35
    swapped = [session(noise, seed, 1 / 1.5, 0.05, pairs=200)[0] for seed in range(40)]
    assert swapped.count("faster") == len(swapped)


def test_a_look_spends_no_more_than_has_become_due() -> None:
    design = PairedDesign(0.05, ERROR)
    for _ in range(100):
        design.add(1.0, 1.01)
    spent = 0.0
    for share in (*LOOKS, 1.0, 1.0):
        design.look(share)
        assert spent <= design._spent <= ERROR * share**1.5 + 1e-12
        spent = design._spent
    assert spent == pytest.approx(ERROR)
