"""Numbers for people: each reads back, and none says what is not so."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from stratoperf.statistics import Estimate
from stratoperf.text.units import (
    duration,
    interval,
    parameter,
    percent,
    quantity,
    ratio_change,
    ratio_interval,
    scale_of,
    significant,
    size,
)

NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:e-?[0-9]+)?")
SIZES = {"E": 18, "P": 15, "T": 12, "G": 9, "M": 6, "k": 3, "m": -3, "µ": -6, "n": -9, "": 0}
UNITS = ("ns", "us", "ms", "s", "votes/s", "round trips/s", "bytes/s", "GB/s", "B", "bytes", "")

finite = st.floats(allow_nan=False, allow_infinity=False)
anything = st.floats()
estimates = st.builds(
    Estimate,
    anything,
    st.none() | anything,
    st.none() | anything,
    st.just(0.95),
    st.just("order statistics"),
)


def estimate(value: float, low: float | None, high: float | None) -> Estimate:
    return Estimate(value, low, high, 0.95, "order statistics")


def last_digit(text: str) -> Fraction:
    """Return what one step of the last digit of a number is."""
    return Fraction(10) ** int(Decimal(text).as_tuple().exponent)


def factor_of(unit: str) -> Fraction:
    """Return a unit in seconds, bytes or things, from its prefix."""
    if unit == "bytes" or unit == "bytes/s":
        return Fraction(1)
    prefix = unit[0] if unit[:1] in SIZES and unit[1:2] in ("s", "B", " ") else ""
    prefix = "µ" if unit == "us" else prefix
    return Fraction(10) ** SIZES[prefix]


def is_near(text: str, value: float) -> bool:
    """Tell whether a number is within half a unit of its last digit, but for the last bits."""
    slack = abs(Fraction(value)) * Fraction(1, 2**50)
    return abs(Fraction(Decimal(text)) - Fraction(value)) <= last_digit(text) / 2 + slack


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (12_345.6, "ns", "12.3 µs"),
        (999.96, "ns", "1.00 µs"),
        (999.4, "ns", "999 ns"),
        (999_600.0, "ns", "1.00 ms"),
        (9.996, "ns", "10.0 ns"),
        (1e-3, "ns", "0.00100 ns"),
        (1e-5, "ns", "1.00e-5 ns"),
        (123.4, "s", "123 s"),
        (1e12, "s", "1.00e12 s"),
        (0.25, "s", "250 ms"),
        (0.5, "us", "500 ns"),
        (0.0, "us", "0 µs"),
        (-0.0, "ns", "0 ns"),
        (-1500.0, "ns", "-1.50 µs"),
        (math.inf, "ns", "inf s"),
        (-math.inf, "votes/s", "-inf E votes/s"),
        (math.nan, "ns", "nan ns"),
        (None, "ns", "-"),
        (2.61e9, "votes/s", "2.61 G votes/s"),
        (1e15, "votes/s", "1.00 P votes/s"),
        (0.5, "votes/s", "0.500 votes/s"),
        (999_960.0, "votes/s", "1.00 M votes/s"),
        (2.5e9, "bytes/s", "2.50 GB/s"),
        (2500.0, "GB/s", "2.50 TB/s"),
        (12.0, "bytes", "12.0 B"),
        (0.000123, "", "1.23e-4"),
        (54_321.0, "nodes", "54321 nodes"),
        (1_234_567.0, "nodes", "1.23e6 nodes"),
    ],
)
def test_a_value_has_three_digits_and_the_unit_that_reads_best(
    value: float | None, unit: str, text: str
) -> None:
    assert quantity(value, unit) == text


@given(finite, st.sampled_from(UNITS))
@example(999.4999999999999, "ns")
@example(9.995, "ms")
@example(5e-324, "s")
@example(1.7976931348623157e308, "ns")
def test_a_value_reads_back_within_half_of_its_last_digit(value: float, unit: str) -> None:
    text = quantity(value, unit)
    number, _, shown = text.partition(" ")
    assert NUMBER.fullmatch(number)
    # The difference is a ratio of units: exact, as no float is.
    own, other = factor_of(unit), factor_of(shown)
    slack = abs(Fraction(value)) * Fraction(1, 2**50) + Fraction(5e-324)
    error = abs(Fraction(Decimal(number)) * other / own - Fraction(value))
    assert error <= last_digit(number) / 2 * other / own + slack


@given(finite, st.sampled_from(UNITS))
def test_a_value_is_not_written_with_more_than_six_digits_before_the_point(
    value: float, unit: str
) -> None:
    whole = quantity(value, unit).partition(" ")[0].partition(".")[0]
    assert len(whole.removeprefix("-").partition("e")[0]) <= 6


@pytest.mark.parametrize(
    ("value", "low", "high", "text"),
    [
        (12_300.0, 12_100.0, 12_700.0, "12.3 [12.1, 12.7] µs"),
        (4.0004, 4.0001, 4.006, "4.000 [4.000, 4.006] ns"),
        (4.0, 4.0, 4.0, "4.00 [4.00, 4.00] ns"),
        (10.02, 9.98, 10.06, "10.02 [9.98, 10.06] ns"),
        (9.996, 9.99, 10.2, "10.0 [9.99, 10.2] ns"),
        (1e-5, 0.0, 1.0, "1.00e-5 [0, 1.00] ns"),
        (0.0, -1.0, 1.0, "0 [-1.00, 1.00] ns"),
        (999.96, 990.0, 1010.0, "1.00 [0.990, 1.01] µs"),
        (5.0, None, 6.0, "5.00 [?, 6.00] ns"),
        (math.nan, 1.0, math.inf, "nan [1.00, inf] ns"),
    ],
)
def test_an_interval_has_the_digits_that_its_width_justifies(
    value: float, low: float | None, high: float | None, text: str
) -> None:
    assert interval(estimate(value, low, high), "ns") == text


@given(st.lists(finite, min_size=3, max_size=3), st.sampled_from(UNITS))
@example([4.0, 4.0000001, 4.0000002], "ns")
@example([0.9999, 1.0, 1.00001], "s")
@example([-1e300, 0.0, 1e300], "votes/s")
@example([-1.8e305, 0.5, 1.0], "us")
def test_the_bounds_of_an_interval_hold_the_value_and_differ_where_they_do(
    numbers: list[float], unit: str
) -> None:
    low, value, high = sorted(numbers)
    for text in (
        interval(estimate(value, low, high), unit),
        ratio_interval(estimate(value, low, high)),
    ):
        shown, first, last = map(Decimal, NUMBER.findall(text)[:3])
        assert first <= shown <= last
        # Below the precision of a float, scaling may make two numbers one.
        if high - low > 1e-14 * max(abs(low), abs(high)) and high - low > 1e-300:
            assert first < last


@given(st.lists(finite, min_size=3, max_size=3))
def test_every_number_of_an_interval_is_within_half_of_its_last_digit(
    numbers: list[float],
) -> None:
    low, value, high = sorted(numbers)
    divisor = scale_of(value, "ns").divisor
    texts = NUMBER.findall(interval(estimate(value, low, high), "ns"))
    for text, number in zip(texts[:3], (value, low, high), strict=True):
        assert is_near(text, number / divisor)


@given(estimates, st.sampled_from(UNITS))
def test_whatever_an_estimate_holds_can_be_shown(some: Estimate, unit: str) -> None:
    for text in (interval(some, unit), ratio_interval(some), quantity(some.value, unit)):
        assert text
        assert "e+" not in text
        assert "e0" not in text
    for text in (ratio_change(some.value), percent(some.value), duration(some.value)):
        assert text
    assert significant(some.value)


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        ((1.042, 1.031, 1.053), "1.042 [1.031, 1.053]"),
        ((1.2e-5, 1.1e-5, 1.3e-5), "1.20e-5 [1.10e-5, 1.30e-5]"),
        ((0.00042, 0.0004, 0.0005), "4.20e-4 [4.00e-4, 5.00e-4]"),
        ((1.0, 1.0, 1.0), "1.000 [1.000, 1.000]"),
        ((1.00002, 1.00001, 1.00003), "1.00002 [1.00001, 1.00003]"),
        ((83_000.0, 82_000.0, None), "83000 [82000, ?]"),
        ((4e9, None, None), "4.00e9 [?, ?]"),
    ],
)
def test_a_ratio_of_any_size_has_digits(
    ratio: tuple[float, float | None, float | None], text: str
) -> None:
    assert ratio_interval(estimate(*ratio)) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [
        (1.0424, "4.24 % slower"),
        (1.2, "20 % slower"),
        (0.5, "100 % faster"),
        (1.00001, "0.001 % slower"),
        (1 + 1e-9, "1e-7 % slower"),
        (12.34, "12.3 times slower"),
        (1.2e-5, "83333 times faster"),
        (0.0, "0 times the time"),
        (math.nan, "nan times the time"),
    ],
)
def test_a_change_is_a_percentage_or_a_factor(ratio: float, text: str) -> None:
    assert ratio_change(ratio) == text


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0.05, "5 %"),
        (0.0424, "4.24 %"),
        (0.000_05, "0.005 %"),
        (1e-7, "1e-5 %"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (11.0, "1100 %"),
        (None, "-"),
    ],
)
def test_a_percentage_has_no_needless_digits_and_is_never_lost(
    fraction: float | None, text: str
) -> None:
    assert percent(fraction) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "1 s"),
        (0.3, "1 s"),
        (45.0, "45 s"),
        (60.2, "61 s"),
        (99.4, "1:40 min"),
        (200.0, "3:20 min"),
        (5999.7, "1:40 h"),
        (7470.0, "2:05 h"),
        (3600.0 * 24 * 10, "10.0 days"),
        (math.inf, "an unknown time"),
    ],
)
def test_a_length_of_time_is_rounded_up_so_that_it_is_a_bound(seconds: float, text: str) -> None:
    assert duration(seconds) == text


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (512, "512 B"), (999.7, "1.00 kB"), (1.2e6, "1.20 MB"), (999_999, "1.00 MB")],
)
def test_a_size_never_says_a_thousand_of_a_smaller_unit(count: float, text: str) -> None:
    assert size(count) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (0.33, "0.33"),
        (1e6, "1000000"),
        (0.1 + 0.2, "0.30000000000000004"),
        (10_000, "10000"),
        (True, "True"),
        ("1.0", "1.0"),
    ],
)
def test_a_parameter_is_exact(value: object, text: str) -> None:
    assert parameter(value) == text
