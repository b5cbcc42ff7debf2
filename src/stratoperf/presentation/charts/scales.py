"""Axes: from values to places, with the values that a reader is shown beside them."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from stratoperf.text.units import scale_of

Array: TypeAlias = NDArray[np.float64]

LOG_FROM = 20.0
"""From this ratio of the highest to the lowest value on, a linear axis squeezes the low ones."""

_TICKS = 5
_MARGIN = 0.04
"""Of the length of an axis, so that nothing lies on its ends."""


class Tick(NamedTuple):
    """A value beside an axis: its place from 0 to 1, and its text."""

    place: float
    text: str


class Axis(NamedTuple):
    """One axis of a chart.

    Attributes
    ----------
    label
        What its values are, with the unit.
    ticks
        The values that are written beside it.
    places
        Turns values into places from 0 to 1; what lies beyond an end is outside of these.
    zero
        Where zero lies below a linear axis of measured values; else ``None``.
    """

    label: str
    ticks: tuple[Tick, ...]
    places: Callable[[Array], Array]
    zero: float | None = None

    def place(self, value: float) -> float:
        """Return the place of one value."""
        return float(self.places(np.array([value], np.float64))[0])


def value_axis(
    label: str,
    unit: str,
    low: float,
    high: float,
    *,
    log: bool | None = None,
) -> Axis:
    """Return an axis of measured values.

    Parameters
    ----------
    label
        What the values are.
    unit
        Their unit; the text beside the axis has the prefix that reads best.
    low, high
        The values at its ends, before a margin.
    log
        Whether it is logarithmic; by default where the values span a factor of 20.
    """
    if log is None:
        log = low > 0 and high / low >= LOG_FROM
    scale = scale_of(math.sqrt(low * high) if log else high, unit)
    low, high = low / scale.divisor, high / scale.divisor
    named = f"{label} [{scale.unit}]" if scale.unit else label
    axis = _logarithmic(low, high) if log and low > 0 else _linear(low, high)
    below = None if log else axis.place(0.0)
    return Axis(
        named,
        axis.ticks,
        lambda values: axis.places(values / scale.divisor),
        below if below is not None and below < 0 else None,
    )


def number_axis(label: str, low: float, high: float, *, log: bool = False) -> Axis:
    """Return an axis of numbers without a unit, such as those of a parameter."""
    axis = _logarithmic(low, high) if log and low > 0 else _linear(low, high)
    return axis._replace(label=label)


def share_axis(label: str, highest: float) -> Axis:
    """Return an axis of shares that gives room to both tails, from 1 % up to `highest` < 1."""
    shown = [share for share in (0.01, 0.1, 0.5, 0.9, 0.99, 0.999, 0.9999) if share <= highest]
    return _axis(
        _logit(np.array([0.005])).item(),
        _logit(np.array([highest])).item(),
        [(share, f"{100 * share:g} %") for share in shown],
        _logit,
    )._replace(label=label)


def names_axis(label: str, names: Sequence[str]) -> Axis:
    """Return an axis with a name in the middle of each of equal parts; values are 0, 1, ..."""
    parts = max(1, len(names))
    ticks = tuple(Tick((index + 0.5) / parts, name) for index, name in enumerate(names))
    return Axis(label, ticks, lambda values: (values + 0.5) / parts)


def _linear(low: float, high: float) -> Axis:
    low, high = _apart(low, high)
    step = nice_step((high - low) / _TICKS)
    margin = _MARGIN * (high - low)
    start, end = (low if low == 0 else low - margin), high + margin
    first, last = math.ceil(start / step - 1e-9), math.floor(end / step + 1e-9)
    values = [step * index for index in range(first, last + 1)]
    return _axis(start, end, [(value, tick_text(value, step)) for value in values], _same)


def _logarithmic(low: float, high: float) -> Axis:
    low, high = math.log10(low), math.log10(high)
    low, high = _apart(low, high)
    margin = _MARGIN * (high - low)
    low, high = low - margin, high + margin
    decades = range(math.ceil(low - 1e-9), math.floor(high + 1e-9) + 1)
    every = math.ceil(len(decades) / (_TICKS + 1)) if decades else 1
    values = [10.0**power for power in decades][::every]
    if len(values) < 3:
        values = [
            digit * 10.0**power
            for power in range(math.floor(low), math.ceil(high) + 1)
            for digit in (1, 2, 5)
            if low <= math.log10(digit * 10.0**power) <= high
        ]
    if len(values) < 2:
        return _linear(10**low, 10**high)
    return _axis(low, high, [(value, tick_text(value, value)) for value in values], _log10)


def _axis(
    low: float, high: float, shown: Sequence[tuple[float, str]], forward: Callable[[Array], Array]
) -> Axis:
    def places(values: Array) -> Array:
        result: Array = (forward(values) - low) / (high - low)
        return result

    where = places(np.array([value for value, _ in shown], np.float64))
    ticks = tuple(Tick(float(place), text) for place, (_, text) in zip(where, shown, strict=True))
    return Axis("", ticks, places)


def _same(values: Array) -> Array:
    return values


def _log10(values: Array) -> Array:
    # What is not above 0 lies beyond the lower end of every axis.
    result: Array = np.log10(np.maximum(values, 1e-300))
    return result


def _logit(shares: Array) -> Array:
    inside = np.clip(shares, 1e-9, 1 - 1e-9)
    result: Array = np.log(inside / (1 - inside))
    return result


def _apart(low: float, high: float) -> tuple[float, float]:
    """Return ends that differ: equal values stand in the middle."""
    if high - low > 1e-9 * max(abs(low), abs(high)):
        return low, high
    around = 0.05 * abs(high) or 1.0
    return low - around, high + around


def nice_step(least: float) -> float:
    """Return the smallest of 1, 2, 5, 10, ... times a power of ten that is not below `least`."""
    power = 10.0 ** math.floor(math.log10(least))
    return next(digit * power for digit in (1, 2, 5, 10) if digit * power >= least * (1 - 1e-9))


def tick_text(value: float, step: float) -> str:
    """Return a value beside an axis, with the decimals that its step needs."""
    if value == 0:
        return "0"
    if abs(value) >= 1e6 or abs(value) < 1e-3:
        mantissa, _, power = f"{value:.2e}".partition("e")
        return f"{mantissa.rstrip('0').rstrip('.')}e{int(power)}"
    decimals = max(0, -math.floor(math.log10(step) + 1e-9))
    text = f"{value:.{decimals}f}"
    # A narrow space groups the digits; four of them read well without.
    return (
        f"{value:,.0f}".replace(",", "\N{NARROW NO-BREAK SPACE}")
        if decimals == 0 and abs(value) >= 1e4
        else text
    )
