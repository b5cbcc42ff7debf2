"""Which processes count when some were disturbed, and when another is measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratoperf.running.undisturbed import MOST_TIMES, choose, wants_another

WAITED = "waited for a CPU {} % of the time while other processes were running"


def parts_of(pattern: str) -> list[dict[str, Any]]:
    """Return parts, a disturbed one for each ``x``."""
    return [
        {"process": number, "disturbed": WAITED.format(number + 10.5) if mark == "x" else None}
        for number, mark in enumerate(pattern)
    ]


patterns = st.text("x.", max_size=30)


@pytest.mark.parametrize(
    ("pattern", "least", "kept", "is_disturbed"),
    [
        ("......", 6, "......", False),
        ("x......", 6, "......", False),
        ("xxxxxx......", 6, "......", False),
        ("xxxxxxx.....", 6, "xxxxxxx.....", True),
        ("xxxxxxxxxxxx", 6, "xxxxxxxxxxxx", True),
        # The time was over: what most of them say stands.
        ("x...", 6, "...", False),
        ("xx..", 6, "xx..", True),
        (".", 1, ".", False),
        ("x", 1, "x", True),
        ("x.", 1, ".", False),
    ],
)
def test_disturbed_processes_count_only_where_there_is_nothing_better(
    pattern: str, least: int, kept: str, is_disturbed: bool
) -> None:
    choice = choose(parts_of(pattern), least)
    assert "".join("x" if part["disturbed"] else "." for part in choice.kept) == kept
    assert (choice.disturbed is not None) == is_disturbed
    assert len(choice.left_out) == len(pattern) - len(kept)
    assert (choice.note is not None) == bool(choice.left_out)


@given(patterns, st.integers(1, 12))
def test_the_order_is_kept_and_an_estimate_never_mixes_silently(pattern: str, least: int) -> None:
    choice = choose(parts_of(pattern), least)
    numbers = [part["process"] for part in choice.kept]
    assert numbers == sorted(numbers)
    is_noisy = any(part["disturbed"] for part in choice.kept)
    assert is_noisy == (choice.disturbed is not None)
    assert bool(choice.kept) == bool(pattern)


def test_what_disturbed_is_told_by_its_worst() -> None:
    assert choose(parts_of("x"), 1).disturbed == WAITED.format(10.5)
    sentence = choose(parts_of("xx."), 6).disturbed or ""
    assert WAITED.format(11.5) in sentence
    assert sentence.startswith("2 of 3 processes")
    assert "the worst of 2" not in sentence
    note = choose(parts_of("x......"), 6).note or ""
    assert "1 of 7 processes" in note
    assert WAITED.format(10.5) in note


@given(patterns, st.integers(1, 12))
def test_a_case_ends(pattern: str, planned: int) -> None:
    parts = parts_of(pattern)
    while wants_another(parts, planned):
        parts += parts_of("x")
        assert len(parts) <= MOST_TIMES * planned


@pytest.mark.parametrize(
    ("pattern", "planned", "wanted"),
    [
        ("", 6, True),
        (".....", 6, True),
        ("......", 6, False),
        ("x.....", 6, True),
        ("x......", 6, False),
        ("xxxxxxxxxxx", 6, True),
        ("xxxxxxxxxxxx", 6, False),
        ("x", 1, True),
        ("xx", 1, False),
    ],
)
def test_a_disturbed_process_is_measured_again_within_bounds(
    pattern: str, planned: int, wanted: bool
) -> None:
    assert wants_another(parts_of(pattern), planned) == wanted


def test_the_values_do_not_choose() -> None:
    """Processes of which a quarter is disturbed at random: the estimate stays in its place."""
    random = np.random.default_rng(20261128)
    means = []
    for _ in range(2000):
        parts: list[dict[str, Any]] = []
        while wants_another(parts, 6):
            noise = "steal" if random.random() < 0.25 else None
            parts.append({"value": random.lognormal(), "disturbed": noise})
        means.append(np.mean([part["value"] for part in choose(parts, 6).kept]))
    error = np.std(means) / len(means) ** 0.5
    assert abs(np.mean(means) - np.exp(0.5)) < 4 * error


def test_a_slow_part_is_kept_whatever_it_measured() -> None:
    parts = [{"value": value, "disturbed": None} for value in (1.0, 1e9, 1.0, 1.0, 1.0, 1.0)]
    assert choose(parts, 6).kept == parts
