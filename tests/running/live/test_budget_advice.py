"""A budget that is advised is enough in nine of ten cases, on simulated pairs; or none is."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from stratoperf.analysis.paired_design import LOOKS, PairedDesign
from stratoperf.analysis.tails import TailDesign
from stratoperf.cli.options import parse_duration
from stratoperf.running.live.advice import (
    LEAST_FACTOR,
    MOST_FACTOR,
    TRUST,
    budget_text,
    rounded_up,
    settling_factor,
    too_few_pairs,
)
from wording import mentions

Array = NDArray[np.float64]
Noise = Callable[[np.random.Generator, int], Array]

THRESHOLD = 0.05
ERROR = 0.01


def normal(random: np.random.Generator, pairs: int) -> Array:
    return random.normal(size=pairs)


def heavy_tailed(random: np.random.Generator, pairs: int) -> Array:
    return random.standard_t(2, size=pairs)


def peaked(random: np.random.Generator, pairs: int) -> Array:
    noise: Array = random.laplace(size=pairs) - random.laplace(size=pairs)
    return noise


def in_bursts(random: np.random.Generator, pairs: int) -> Array:
    busy = np.repeat(random.random(pairs) < 0.3, 5)[:pairs]
    noise: Array = (0.2 + 2 * busy) * random.normal(size=pairs)
    return noise


def design_with(log_ratios: Array) -> PairedDesign:
    """Return a design that has these pairs."""
    design = PairedDesign(THRESHOLD, ERROR)
    for log_ratio in log_ratios:
        design.add(1.0, math.exp(log_ratio))
    return design


def session(log_ratios: Array) -> tuple[str, Array]:
    """Return the verdict of a session, and the pairs that it needed."""
    design = PairedDesign(THRESHOLD, ERROR)
    for share in LOOKS:
        while design.pairs < round(share * len(log_ratios)):
            design.add(1.0, math.exp(log_ratios[design.pairs]))
        if design.pairs:
            verdict = design.look(share).verdict
            if verdict != "inconclusive":
                return verdict, log_ratios[: design.pairs]
    return "inconclusive", log_ratios


@pytest.mark.parametrize("pairs", [9, 20, 60])
def test_following_the_advice_settles_nine_of_ten_cases(pairs: int) -> None:
    random = np.random.default_rng(pairs)
    followed = settled = 0
    for number in range(400):
        noise = [normal, heavy_tailed, peaked, in_bursts][number % 4]
        center = random.uniform(-0.1, 0.1)
        scale = 0.03 * math.sqrt(pairs / 12) * random.uniform(0.3, 2)
        verdict, log_ratios = session(center + scale * noise(random, pairs))
        factor = settling_factor(design_with(log_ratios))
        if verdict != "inconclusive" or factor is None or factor > 20:
            continue
        followed += 1
        more = center + scale * noise(random, math.ceil(factor * pairs))
        settled += session(more)[0] != "inconclusive"
    assert followed > 30
    # But for a chance of one in a thousand.
    assert settled >= TRUST * followed - 3.1 * math.sqrt(followed * TRUST * (1 - TRUST))


def test_nothing_is_advised_where_nothing_would_help() -> None:
    random = np.random.default_rng(5)
    on_the_threshold = math.log1p(THRESHOLD) + 1e-4 * np.array([-1, 1, -2, 2, 0, 3, -3, 1, -1])
    assert settling_factor(design_with(on_the_threshold)) is None
    assert settling_factor(design_with(random.normal(scale=5.0, size=30))) is None
    assert settling_factor(design_with(np.zeros(1))) is None


def test_of_high_quantiles_too_only_hopeful_cases_get_advice() -> None:
    random = np.random.default_rng(6)

    def factor_of(true_ratio: float, pairs: int) -> float | None:
        design = TailDesign(0.2, ERROR, 0.95)
        for _ in range(pairs):
            design.add(random.lognormal(0, 0.3, 60), true_ratio * random.lognormal(0, 0.3, 60))
        return settling_factor(design)

    few, many = factor_of(1.0, 9), factor_of(1.0, 60)
    assert few is not None
    assert many == LEAST_FACTOR
    assert LEAST_FACTOR <= few < 10
    assert (factor_of(1.2, 20) or math.inf) > 10


def test_less_noise_needs_less_time_and_never_less_than_was_not_enough() -> None:
    pattern = np.array([-2.0, -1, -0.5, 0, 0.5, 1, 2, -1.5, 1.5, 0.1])
    factors = [
        settling_factor(design_with(scale * pattern)) or math.inf
        for scale in (0.0, 0.01, 0.02, 0.03, 1.0)
    ]
    assert factors == sorted(factors)
    assert factors[0] == LEAST_FACTOR
    assert factors[-1] == math.inf
    assert all(factor <= MOST_FACTOR for factor in factors[:-1])


def test_pairs_that_cannot_be_enough_are_told_after_the_first() -> None:
    # A trial of 6 s and a pair of 6 s; two more fit into 30 s.
    warning = too_few_pairs("kv.put", 12.0, 30.0, 8)
    assert warning is not None
    assert mentions(warning, "kv.put", "6 s")
    assert "at most 4 of the 8 pairs" in warning
    assert "(--duration 65s)" in warning
    assert too_few_pairs("kv.put", 12.0, 65.0, 8) is None


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (4.1, "4.1"),
        (4.11, "4.2"),
        (41, "41"),
        (41.01, "42"),
        (99.2, "100"),
        (1234, "1300"),
        (0.0123, "0.013"),
        (9.99, "10"),
        (1e9, "1000000000"),
    ],
)
def test_a_budget_is_rounded_up_to_two_digits(number: float, text: str) -> None:
    assert rounded_up(number) == text


def test_a_budget_is_written_as_the_option_takes_it() -> None:
    for exponent in np.linspace(-3, 6, 500):
        seconds = 10.0**exponent
        option = budget_text(seconds).partition("--duration ")[2].removesuffix(")")
        assert seconds * (1 - 1e-6) <= parse_duration(option) <= 1.11 * seconds
