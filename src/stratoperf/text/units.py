"""Values in units that a person reads at a glance: the one place that writes numbers for people.

A number has three significant digits, or as many as its interval justifies. What is below 0.001 or
from a million on has an exponent, such as ``1.20e-5``. The text of a value is within half a unit
of its last digit.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple, Protocol

NOTHING = "-"
"""Stands for a value that does not exist."""

_DIGITS = 3
_MOST_DIGITS = 17
"""More digits than a double has say nothing."""

_FIXED = range(-3, 6)
"""Powers of ten that are written without an exponent."""

_TIME = {"s": 1e9, "ms": 1e6, "µs": 1e3, "ns": 1.0}
_PREFIXES = {"E": 1e18, "P": 1e15, "T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "": 1.0}
_BYTES = {"B": 1.0, "bytes": 1.0} | {f"{prefix}B": _PREFIXES[prefix] for prefix in "kMGT"}

_LARGE_FACTOR = 10
"""Differences from this factor on are factors, smaller ones are percentages."""

_RATIO_DECIMALS = 3


class Interval(Protocol):
    """A value with bounds, of which either may be missing, as an `stratoperf.Estimate` is."""

    @property
    def value(self) -> float:
        """The value itself."""

    @property
    def low(self) -> float | None:
        """The lower bound, or ``None``."""

    @property
    def high(self) -> float | None:
        """The upper bound, or ``None``."""


class Scale(NamedTuple):
    """What a value is divided by, and the unit that it then has."""

    divisor: float
    unit: str


def scale_of(value: float, unit: str) -> Scale:
    """Return the scale in which a value reads best.

    Parameters
    ----------
    value
        The value, in `unit`.
    unit
        A time such as ``"ns"``, bytes (``"B"``, ``"bytes"``, ``"GB"``), or a rate such as
        ``"votes/s"`` gets the prefix that reads best; any other unit stays.
    """
    counted = unit.removesuffix("/s")
    per = unit[len(counted) :]
    plain = "µs" if unit == "us" else unit
    if plain in _TIME:
        units = {name: size / _TIME[plain] for name, size in _TIME.items()}
    elif counted in _BYTES:
        own = _BYTES[counted]
        units = {f"{prefix}B{per}": size / own for prefix, size in _PREFIXES.items()}
    elif per:
        units = {f"{prefix} {unit}".lstrip(): size for prefix, size in _PREFIXES.items()}
    else:
        return Scale(1.0, plain)
    # A value that its rounding lifts into the next unit is written in that one: 1.00 µs, not
    # 1000 ns.
    rounded = abs(float(f"{value:.{_DIGITS - 1}e}"))
    name = next((name for name, size in units.items() if rounded >= size), None)
    if name is None:
        # A zero and a NaN keep their unit; what is smaller than the smallest unit has that one.
        nothing = rounded == 0 or math.isnan(rounded)
        name = plain if nothing and plain in units else list(units)[-1]
    return Scale(units[name], name)


def quantity(value: float | None, unit: str) -> str:
    """Format a value with three significant digits in the unit that reads best.

    Examples
    --------
    >>> quantity(12_345.6, "ns")
    '12.3 µs'
    >>> quantity(2.61e9, "votes/s")
    '2.61 G votes/s'
    """
    if value is None:
        return NOTHING
    scale = scale_of(value, unit)
    return f"{significant(value / scale.divisor)} {scale.unit}".rstrip()


def interval(estimate: Interval, unit: str) -> str:
    """Format an estimate with its interval, such as ``12.3 [12.1, 12.7] µs``.

    A ``?`` stands for a side that the samples leave open.
    """
    bounds = (estimate.low, estimate.high)
    scale = scale_of(estimate.value, unit)
    known = [abs(number) for number in (estimate.value, *bounds) if number is not None]
    largest = max(filter(math.isfinite, known), default=0.0)
    if math.isinf(largest / scale.divisor):
        scale = scale_of(largest, unit)
    low, high = (None if bound is None else bound / scale.divisor for bound in bounds)
    return f"{_with_bounds(estimate.value / scale.divisor, low, high)} {scale.unit}".rstrip()


def ratio_interval(estimate: Interval | None) -> str:
    """Format a ratio with its interval, such as ``1.042 [1.031, 1.053]``."""
    if estimate is None:
        return NOTHING
    least = _RATIO_DECIMALS if abs(estimate.value) < _LARGE_FACTOR else None
    return _with_bounds(estimate.value, estimate.low, estimate.high, least)


def significant(value: float) -> str:
    """Format a number with three significant digits."""
    return _number(value, None)


def percent(fraction: float | None, digits: int = _DIGITS) -> str:
    """Format a fraction in percent, such as ``4.24 %`` for 0.0424, and ``5 %`` for 0.05."""
    if fraction is None:
        return NOTHING
    mantissa, exponent, power = _number(100 * fraction, None, digits).partition("e")
    if "." in mantissa:
        mantissa = mantissa.rstrip("0").removesuffix(".")
    return f"{mantissa}{exponent}{power} %"


def ratio_change(ratio: float) -> str:
    """Return what a ratio of times means, such as ``4.24 % slower`` or ``83.0 times faster``."""
    if not 0 < ratio < math.inf:
        return f"{significant(ratio)} times the time"
    factor, word = (ratio, "slower") if ratio >= 1 else (1 / ratio, "faster")
    if is_large(ratio):
        return f"{significant(factor)} times {word}"
    return f"{percent(factor - 1)} {word}"


def is_large(ratio: float) -> bool:
    """Tell whether a ratio reads better as a factor than as a percentage."""
    return not 1 / _LARGE_FACTOR < ratio < _LARGE_FACTOR


def duration(seconds: float) -> str:
    """Return a length of time, rounded up, such as ``45 s``, ``3:20 min`` or ``2:05 h``."""
    if not math.isfinite(seconds):
        return "an unknown time"
    whole = math.ceil(seconds)
    if whole < 100:
        return f"{max(whole, 1)} s"
    minutes, rest = divmod(whole, 60)
    if minutes < 100:
        return f"{minutes}:{rest:02} min"
    hours, rest = divmod(math.ceil(whole / 60), 60)
    if hours < 100:
        return f"{hours}:{rest:02} h"
    return f"{significant(whole / 86_400)} days"


def size(count: float) -> str:
    """Return a number of bytes, such as ``12.0 MB`` or ``512 B``."""
    return f"{count:.0f} B" if 0 <= count < 999.5 else quantity(count, "B")


def samples(count: int, batch: int) -> str:
    """Return how many samples there are, and of how many iterations where that is not one."""
    return f"{count} samples" if batch == 1 else f"{count} samples of {batch} iterations each"


def parameter(value: object) -> str:
    """Return a parameter's value, exactly and without a needless ``.0``."""
    return str(value).removesuffix(".0") if isinstance(value, float) else str(value)


def parameters(values: Iterable[tuple[str, object]]) -> str:
    """Return parameters in one line, such as ``size=64 votes=1000``."""
    return " ".join(f"{name}={parameter(value)}" for name, value in values)


def _with_bounds(
    value: float, low: float | None, high: float | None, least: int | None = None
) -> str:
    """Format three numbers alike, with enough decimals that different bounds look different.

    Numbers of one power of ten have the same decimals, so that their order survives rounding.
    """
    width = (value if high is None else high) - (value if low is None else low)
    decimals = least
    if 0 < width < math.inf:
        # The last digit is not larger than the width.
        justified = -math.floor(math.log10(width))
        decimals = justified if least is None else max(justified, least)
    shown, *bounds = (
        "?" if number is None else _number(number, decimals) for number in (value, low, high)
    )
    return f"{shown} [{', '.join(bounds)}]"


def _number(value: float, decimals: int | None, least: int = _DIGITS) -> str:
    """Format a number with a minimum number of decimals and significant digits."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else f"{value:g}"
    # The power of ten after rounding: that of 9.996 is 1.
    exponent = int(f"{value:.{least - 1}e}".partition("e")[2])
    digits = least - 1 if decimals is None else max(least - 1, decimals + exponent)
    digits = min(digits, _MOST_DIGITS - 1)
    if exponent in _FIXED:
        return f"{value:.{max(digits - exponent, 0)}f}"
    mantissa, _, power = f"{value:.{digits}e}".partition("e")
    return f"{mantissa}e{int(power)}"
