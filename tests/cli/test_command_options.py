from __future__ import annotations

import contextlib
import math

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stratoperf.cli.options import UNITS_S, parse_duration, parse_params, percentage
from stratoperf.presentation.terminal.display import end_text
from wording import says

_COMMAND = click.Command("any")
_NOWHERE = (click.Context(_COMMAND), click.Option(["--threshold"]))


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


@given(st.floats(0.001, 1000), st.sampled_from(sorted(UNITS_S)))
def test_any_number_with_a_unit_is_a_duration(number: float, unit: str) -> None:
    text = f"{number:.6f}{unit}"
    assert parse_duration(text) == pytest.approx(float(f"{number:.6f}") * UNITS_S[unit])


@given(st.text(max_size=12))
def test_any_text_is_a_finite_duration_or_refused(text: str) -> None:
    with contextlib.suppress(ValueError):
        assert math.isfinite(parse_duration(text, positive=False))


@pytest.mark.parametrize(
    "text",
    [
        "nan",
        "inf",
        "-1s",
        "5x",
        "",
        "s",
        "1e400s",
        "\N{ARABIC-INDIC DIGIT ONE}s",
        "1_0s",
        "\ud800",
        "1\0s",
        "10 s s",
        "1,5s",
    ],
)
def test_what_is_no_duration_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValueError, match="write 500ms"):
        parse_duration(text)


@pytest.mark.parametrize("text", ["99999999h", "1000.1h", "9" * 400, "1" + "0" * 10_000 + "us"])
def test_what_lasts_longer_than_anything_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="longer than 1000h") as caught:
        parse_duration(text)
    assert len(str(caught.value)) < 300
    assert parse_duration("1000h") == 3_600_000


@pytest.mark.parametrize("seconds", [90_000.0, 3.6e6 * 10_000, 1e300])
def test_an_end_that_is_days_away_has_no_time_of_day(seconds: float) -> None:
    assert end_text(seconds) == ""
    assert "done by" in end_text(80_000.0)


@pytest.mark.parametrize("text", ["5", " 5 %", "+5.%", "0.5e1"])
def test_percentages_are_read(text: str) -> None:
    assert percentage(100)(*_NOWHERE, text) == pytest.approx(0.05)


@pytest.mark.parametrize(
    "text",
    [
        "nan",
        "inf",
        "1e400",
        "0",
        "-5",
        "101",
        "5%%",
        "",
        "%",
        "\N{ARABIC-INDIC DIGIT FIVE}",
        "1_0",
        "5" * 5000,
        "\ud800",
    ],
)
def test_what_is_not_a_percentage_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="above 0 and at most 100") as caught:
        percentage(100)(*_NOWHERE, text)
    assert len(str(caught.value)) < 300


def test_zero_is_a_warm_up_and_no_duration() -> None:
    assert parse_duration("0", positive=False) == 0
    with pytest.raises(ValueError, match="leaves no time"):
        parse_duration("0ms")


@pytest.mark.parametrize("text", ["a=\0", "a\n=1", "a=\udcff", "a=" + "1" * 20_000, "\x1b[0m=1"])
def test_a_parameter_that_cannot_be_printed_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match=says("NAME=VALUE")):
        parse_params((text,))


def test_parameters_collect_their_values() -> None:
    texts = ("votes=1,10", "byzantine=0.1", "votes=100")
    assert parse_params(texts) == {"votes": ["1", "10", "100"], "byzantine": ["0.1"]}


@pytest.mark.parametrize("text", ["votes", "=1", "votes=", "votes=1,,2", ""])
def test_a_parameter_without_name_or_value_is_refused(text: str) -> None:
    with pytest.raises(click.BadParameter, match="NAME=VALUE"):
        parse_params((text,))


@pytest.mark.parametrize(
    "text", ["9" * 1_000_000 + "\0", " " * 1_000_000 + "x", "1" + " " * 500_000 + "0"]
)
def test_long_texts_are_refused_at_once(text: str) -> None:
    with pytest.raises(ValueError, match="write 500ms"):
        parse_duration(text)
    with pytest.raises(click.BadParameter):
        percentage(100)(*_NOWHERE, text)
