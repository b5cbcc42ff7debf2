"""Values in units that a person reads at a glance."""

from __future__ import annotations

import math

from stratoperf.statistics import Estimate

_TIME = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
_RATE = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))


def time_scale(ns: float) -> tuple[float, str]:
    """Return the divisor and the name of the unit in which `ns` nanoseconds read best."""
    for scale, unit in _TIME:
        if abs(ns) >= scale:
            return scale, unit
    return _TIME[-1]


def format_time(ns: float) -> str:
    """Format nanoseconds with three significant digits, such as ``12.3 µs``."""
    scale, unit = time_scale(ns)
    return f"{significant(ns / scale)} {unit}"


def format_rate(value: float, unit: str) -> str:
    """Format a rate with three significant digits, such as ``2.61 G votes/s``."""
    scale, prefix = _rate_scale(value)
    return f"{significant(value / scale)} {prefix}{' ' if prefix else ''}{unit}"


def _rate_scale(value: float) -> tuple[float, str]:
    return next((row for row in _RATE if abs(value) >= row[0]), _RATE[-1])


def format_interval(estimate: Estimate, unit: str) -> str:
    """Format an estimate with its interval, such as ``12.3 [12.1, 12.7] µs``.

    Parameters
    ----------
    estimate
        The value; a ``?`` stands for a side that the samples leave open.
    unit
        Its unit. Nanoseconds and rates, such as ``votes/s``, get the prefix that reads best.
    """
    scale, shown = 1.0, "µs" if unit == "us" else unit
    if unit == "ns":
        scale, shown = time_scale(estimate.value)
    elif unit.endswith("/s"):
        scale, prefix = _rate_scale(estimate.value)
        shown = f"{prefix} {unit}".strip()
    low, high = (
        "?" if side is None else significant(side / scale) for side in (estimate.low, estimate.high)
    )
    return f"{significant(estimate.value / scale)} [{low}, {high}] {shown}".rstrip()


def significant(value: float, digits: int = 3) -> str:
    """Format a number with that many significant digits and no exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    return f"{value:.{decimals}f}"
