"""Checks of arguments, with errors that name the argument, the value and the fix."""

from __future__ import annotations

import math

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
    except (TypeError, ValueError):
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
