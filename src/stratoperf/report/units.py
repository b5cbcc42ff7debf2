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
    for scale, prefix in _RATE:
        if abs(value) >= scale:
            return f"{significant(value / scale)} {prefix}{' ' if prefix else ''}{unit}"
    return f"{significant(value)} {unit}"


def format_time_interval(estimate: Estimate) -> str:
    """Format an estimate in nanoseconds with its interval, such as ``12.3 [12.1, 12.7] µs``.

    A side that does not exist is shown as ``…``.
    """
    scale, unit = time_scale(estimate.value)
    low, high = (
        "…" if side is None else significant(side / scale) for side in (estimate.low, estimate.high)
    )
    return f"{significant(estimate.value / scale)} [{low}, {high}] {unit}"


def significant(value: float, digits: int = 3) -> str:
    """Format a number with that many significant digits and no exponent."""
    if value == 0 or not math.isfinite(value):
        return f"{value:g}"
    decimals = max(digits - 1 - math.floor(math.log10(abs(value))), 0)
    return f"{value:.{decimals}f}"
