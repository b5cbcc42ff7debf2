"""Many cases in one phrase."""

from __future__ import annotations

import pytest

from stratoperf.text.alike_cases import cases_of


@pytest.mark.parametrize(
    ("benchmarks", "phrase"),
    [
        (["a"], "1 case of a"),
        (["a", "a"], "2 cases of a"),
        (["a", "b", "a"], "3 cases of a and b"),
        (["a", "b", "c"], "3 cases of a, b and c"),
        (["a", "b", "c", "d"], "4 cases of a, b, c and d"),
        (["a", "b", "c", "d", "e", "e"], "6 cases of a, b, c and 2 more"),
    ],
)
def test_cases_are_counted_and_their_benchmarks_named(benchmarks: list[str], phrase: str) -> None:
    assert cases_of(benchmarks) == phrase
