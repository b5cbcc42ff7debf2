"""Checks of arguments, with errors that name the argument, the value and the fix."""

from __future__ import annotations

import math
import operator
from typing import SupportsIndex

import numpy as np

from stratoperf.errors import InvalidParameter


def number(
    argument: str,
    value: float,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
) -> float:
    """Return `value` as a float within the limits; NaN and infinity never are.

    Raises
    ------
    InvalidParameter
        Otherwise.
    """
    limits = [
        f"{word} {limit:g}"
        for word, limit in (("at least", at_least), ("above", above), ("below", below))
        if math.isfinite(limit)
    ]
    try:
        converted = math.nan if isinstance(value, bool | str) else float(value)
    except (TypeError, ValueError, OverflowError):
        converted = math.nan
    # NaN fails every comparison.
    if not (at_least <= converted and above < converted < below):
        raise InvalidParameter(
            f"{argument}: expected a finite number {' and '.join(limits)}, got {value!r}"
        )
    return converted


def count(argument: str, value: int) -> int:
    """Return `value` as an integer of at least 1.

    Raises
    ------
    InvalidParameter
        Otherwise; a bool or a float is no count.
    """
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
        raise InvalidParameter(f"{argument}: expected an integer of at least 1, got {value!r}")
    return int(value)


def whole_number(argument: str, value: object, low: int, high: int) -> int:
    """Return `value` as an int in [low, high].

    Raises
    ------
    InvalidParameter
        When it is no integer (a bool is none) or out of range.
    """
    try:
        if isinstance(value, bool) or not isinstance(value, SupportsIndex):
            raise TypeError
        index = operator.index(value)
    except TypeError:
        raise InvalidParameter(f"{argument}: expected an integer, got {value!r}") from None
    if not low <= index <= high:
        raise InvalidParameter(f"{argument}: expected {low} to {high}, got {index}")
    return index
