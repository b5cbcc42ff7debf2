"""High quantiles of sides whose processes have few samples, and not as many of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from numpy.random import Generator
from numpy.typing import NDArray

from stratoperf.analysis.stored.intervals import (
    MOST_BIAS,
    TAIL_BIAS,
    ratio_interval,
    with_unlike_counts,
)
from stratoperf.analysis.stored.sides import Process
from stratoperf.analysis.verdicts import verdict_of
from stratoperf.statistics.estimates import QUANTILES

THRESHOLD = 0.05
PROCESSES = 10

Draw = Callable[[Generator, tuple[int, int]], NDArray[np.float64]]

TAILS: dict[str, Draw] = {
    "exponential": lambda random, shape: random.exponential(size=shape),
    "log-normal": lambda random, shape: np.exp(random.standard_normal(shape)),
    "Pareto": lambda random, shape: 1 + random.pareto(3, shape),
}


def side(
    random: Generator, draw: Draw, count: int, run: str, statistic: str = "p99", factor: float = 1
) -> list[Process]:
    samples = draw(random, (PROCESSES, count))
    values = factor * np.quantile(samples, QUANTILES[statistic], axis=1)
    return [
        Process(
            value=float(value),
            moment=(0.0, index),
            run=run,
            statistic=statistic,
            speeds={"integer": 1.0},
            count=count,
        )
        for index, value in enumerate(values)
    ]


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("count", [20, 50, 100, 250, 1000])
def test_the_bias_is_no_larger_than_what_is_allowed_for(tail: str, count: int) -> None:
    random = np.random.default_rng(count)
    q = QUANTILES["p99"]
    true = np.quantile(TAILS[tail](random, (1, 2_000_000)), q)
    bias = np.log(true) - np.median(np.log(np.quantile(TAILS[tail](random, (4000, count)), q, 1)))
    assert 0 < bias < min(TAIL_BIAS / (count * (1 - q)), MOST_BIAS)


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize(("before", "after"), [(50, 1000), (125, 1000), (1000, 125), (20, 100)])
def test_the_same_code_is_not_called_slower_or_faster(tail: str, before: int, after: int) -> None:
    random = np.random.default_rng(before + after)
    alarms = 0
    for _ in range(100):
        sides = [
            side(random, TAILS[tail], count, run)
            for count, run in ((before, "before"), (after, "after"))
        ]
        found = with_unlike_counts(ratio_interval(sides[0], sides[1], 0.99), sides[0], sides[1])
        alarms += verdict_of(found.ratio, THRESHOLD) in ("slower", "faster")
        assert f"p99 of {before:.3g} and {after:.3g} samples a process" in found.assumed
    assert alarms <= 2


def test_what_is_slower_by_more_than_that_is_found() -> None:
    random = np.random.default_rng(1)
    before = side(random, TAILS["exponential"], 125, "before")
    after = side(random, TAILS["exponential"], 1000, "after", factor=3)
    found = with_unlike_counts(ratio_interval(before, after, 0.99), before, after)
    assert verdict_of(found.ratio, THRESHOLD) == "slower"


@pytest.mark.parametrize(
    ("statistic", "counts"), [("p99", (125, 125)), ("p50", (125, 1000)), ("p95", (10**5, 10**6))]
)
def test_nothing_is_widened_where_the_bias_cancels_or_is_small(
    statistic: str, counts: tuple[int, int]
) -> None:
    random = np.random.default_rng(2)
    before, after = (
        side(random, TAILS["exponential"], count, str(number), statistic)
        for number, count in enumerate(counts)
    )
    found = ratio_interval(before, after, 0.99)
    assert with_unlike_counts(found, before, after) == found
