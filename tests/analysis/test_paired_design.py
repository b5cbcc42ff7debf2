"""Pairs judged while they come in."""

from __future__ import annotations

import math

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.analysis.paired_design import LOOKS, PairedDesign
from wording import says


def judge(
    random: np.random.Generator, true_ratio: float, deviation: float, pairs: int, threshold: float
) -> tuple[str, float]:
    """Return the verdict of a whole session and the share of the budget that it took."""
    design = PairedDesign(threshold, error=0.01)
    verdict = "inconclusive"
    for used in LOOKS:
        while design.pairs < round(used * pairs):
            # Heavy tails: every tenth pair is disturbed.
            noise = random.normal(0, deviation * (8 if random.random() < 0.1 else 1))
            design.add(100.0, 100.0 * true_ratio * math.exp(noise))
        if design.pairs == 0:
            continue
        verdict = design.look(used).verdict
        if verdict != "inconclusive":
            return verdict, used
    return verdict, 1.0


def test_identical_sides_raise_no_more_alarms_than_the_error_allows() -> None:
    random = np.random.default_rng(1)
    # A threshold of next to nothing: every deviation that the interval excludes is an alarm.
    alarms = sum(judge(random, 1.0, 0.03, 40, 1e-6)[0] in ("slower", "faster") for _ in range(1000))
    assert alarms <= 1000 * 0.01 + 4 * (1000 * 0.01 * 0.99) ** 0.5


def test_a_clear_slow_down_is_found_early() -> None:
    random = np.random.default_rng(2)
    outcomes = [judge(random, 1.2, 0.03, 200, 0.05) for _ in range(50)]
    assert {verdict for verdict, _ in outcomes} == {"slower"}
    assert max(used for _, used in outcomes) <= 0.2


def test_a_slow_down_beyond_the_threshold_is_found_and_one_within_it_is_not() -> None:
    random = np.random.default_rng(3)
    beyond = [judge(random, 1.10, 0.03, 60, 0.05)[0] for _ in range(100)]
    within = [judge(random, 1.04, 0.03, 60, 0.05)[0] for _ in range(100)]
    assert beyond.count("slower") >= 95
    assert within.count("slower") <= 2


def test_identical_sides_are_called_the_same_before_the_budget_ends() -> None:
    random = np.random.default_rng(4)
    outcomes = [judge(random, 1.0, 0.02, 100, 0.05) for _ in range(50)]
    assert all(verdict == "same" for verdict, _ in outcomes)
    assert max(used for _, used in outcomes) < 1


def test_too_few_pairs_decide_nothing_and_spend_nothing() -> None:
    design = PairedDesign(0.05, 0.01)
    for _ in range(5):
        design.add(1.0, 3.0)
    early = design.look(0.1)
    assert early.verdict == "inconclusive"
    assert early.ratio.low is None
    for _ in range(4):
        design.add(1.0, 3.0)
    assert design.look(1.0).verdict == "slower"


def test_the_effect_is_the_share_of_pairs_that_were_slower() -> None:
    design = PairedDesign(0.05, 0.01)
    for current in (2.0, 2.0, 1.0, 0.5):
        design.add(1.0, current)
    assert design.look(1.0).effect == pytest.approx((2 + 0.5) / 4)


@pytest.mark.parametrize("value", [0.0, -1.0, float("nan"), float("inf")])
def test_a_value_that_has_no_logarithm_is_refused(value: float) -> None:
    design = PairedDesign(0.05, 0.01)
    with pytest.raises(sp.InvalidParameter, match=says("current:", "above 0", "finite")):
        design.add(1.0, value)
    with pytest.raises(sp.InvalidParameter, match="at least one"):
        design.look(0.5)


@pytest.mark.parametrize(
    ("threshold", "error"), [(0.0, 0.01), (5000.0, 0.01), (float("nan"), 0.01), (0.05, 0.0)]
)
def test_a_design_that_cannot_be_is_refused(threshold: float, error: float) -> None:
    with pytest.raises(sp.InvalidParameter, match="must"):
        PairedDesign(threshold, error)
