from __future__ import annotations

import contextlib
import math

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratoperf.cli.options import UNITS_S, parse_duration, parse_params


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("500ms", 0.5),
        ("60s", 60),
        ("5m", 300),
        ("1h", 3600),
        ("2", 2),
        ("1.5 s", 1.5),
        (".5s", 0.5),
    ],
)
def test_durations_are_read_with_their_unit(text: str, seconds: float) -> None:
    assert parse_duration(text) == pytest.approx(seconds)


@given(st.floats(0.001, 1e6), st.sampled_from(sorted(UNITS_S)))
def test_any_number_with_a_unit_is_a_duration(number: float, unit: str) -> None:
    text = f"{number:.6f}{unit}"
    assert parse_duration(text) == pytest.approx(float(f"{number:.6f}") * UNITS_S[unit])


@given(st.text(max_size=12))
def test_any_text_is_a_finite_duration_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert math.isfinite(parse_duration(text, positive=False))


@pytest.mark.parametrize("text", ["nan", "inf", "-1s", "5x", "", "s", "1e400", "10 s s", "1,5s"])
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write 500ms"):
        parse_duration(text)


def test_a_number_too_large_for_a_float_is_refused() -> None:
    with pytest.raises(ValueError, match="no finite duration"):
        parse_duration("9" * 400)


def test_zero_is_a_warm_up_and_no_duration() -> None:
    assert parse_duration("0", positive=False) == 0
    with pytest.raises(ValueError, match="leaves no time"):
        parse_duration("0ms")


def test_parameters_collect_their_values() -> None:
    texts = ("votes=1,10", "byzantine=0.1", "votes=100")
    assert parse_params(texts) == {"votes": ["1", "10", "100"], "byzantine": ["0.1"]}


@pytest.mark.parametrize("text", ["votes", "=1", "votes=", "votes=1,,2", ""])
def test_a_parameter_without_name_or_value_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="NAME=VALUE"):
        parse_params((text,))
