"""Checks of arguments, with errors that name the argument, the value and the fix."""

from __future__ import annotations

import math
import operator
import os
import unicodedata
from typing import SupportsFloat, SupportsIndex

from stratoperf.door import LONGEST_S
from stratoperf.errors import InvalidParameter
from stratoperf.failures import is_storable

LARGEST_COUNT = 2**63 - 1
"""What the core and run files hold at most."""

_LONGEST_VALUE = 200


def shown(value: object) -> str:
    """Return a value as a message shows it, which must not fail because of the value."""
    try:
        text = repr(value)
    # Python does not write out integers of thousands of digits, and a foreign type may do anything.
    except Exception:
        return f"a value of type {type(value).__name__} that cannot be shown"
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}..."


def number(
    argument: str,
    value: SupportsFloat | SupportsIndex,
    *,
    at_least: float = -math.inf,
    above: float = -math.inf,
    below: float = math.inf,
    at_most: float = math.inf,
) -> float:
    """Return `value` as a float within the limits; NaN and infinity never are.

    Raises
    ------
    InvalidParameter
        Otherwise.
    """
    limits = [
        f"{word} {limit:g}"
        for word, limit in (
            ("at least", at_least),
            ("above", above),
            ("below", below),
            ("at most", at_most),
        )
        if math.isfinite(limit)
    ]
    try:
        converted = math.nan if _is_likely_mistake(value) else float(value)
    # Beyond the largest float, or whatever the conversion of a foreign type raises.
    except Exception:
        converted = math.nan
    # NaN fails every comparison.
    if not (at_least <= converted <= at_most and above < converted < below):
        raise InvalidParameter(
            f"{argument}: expected a finite number {' and '.join(limits)}, got {shown(value)}"
        )
    return converted


def seconds(
    argument: str, value: SupportsFloat | SupportsIndex, *, above: float | None = None
) -> float:
    """Return `value` as seconds: at least 0, or above a limit, and at most `LONGEST_S`.

    Raises
    ------
    InvalidParameter
        Otherwise.
    """
    if above is None:
        return number(argument, value, at_least=0.0, at_most=LONGEST_S)
    return number(argument, value, above=above, at_most=LONGEST_S)


def is_for_system(value: str) -> bool:
    """Return whether the system can be given a string: as a path, an argument or a variable."""
    try:
        os.fsencode(value)
    except UnicodeEncodeError:
        return False
    return "\0" not in value


def text(argument: str, value: object) -> str:
    """Return `value` as a non-empty string that a file can hold.

    Raises
    ------
    InvalidParameter
        Otherwise; lone surrogates have no UTF-8, and control characters cannot be shown.
    """
    if not isinstance(value, str) or not value:
        raise InvalidParameter(f"{argument}: expected a non-empty string, got {shown(value)}")
    if not is_storable(value) or any(unicodedata.category(letter) == "Cc" for letter in value):
        raise InvalidParameter(
            f"{argument}: expected characters that can be shown and stored, got {shown(value)}; "
            "remove control characters and lone surrogates"
        )
    return str.__str__(value)


def count(argument: str, value: int, at_most: int = LARGEST_COUNT) -> int:
    """Return `value` as an integer of at least 1.

    Raises
    ------
    InvalidParameter
        Otherwise; bools and floats are not counts.
    """
    if not _is_integer(value) or value < 1:
        raise InvalidParameter(f"{argument}: expected an integer of at least 1, got {shown(value)}")
    if value > at_most:
        raise InvalidParameter(
            f"{argument}: expected an integer of at most {at_most}, got {shown(value)}"
        )
    return int(value)


def whole_number(argument: str, value: object, low: int, high: int) -> int:
    """Return `value` as an int in [low, high].

    Raises
    ------
    InvalidParameter
        When it is not an integer (a bool is not one) or out of range.
    """
    try:
        if isinstance(value, bool) or not isinstance(value, SupportsIndex):
            raise TypeError
        index = operator.index(value)
    # Whatever the conversion of a foreign type raises.
    except Exception:
        raise InvalidParameter(f"{argument}: expected an integer, got {shown(value)}") from None
    if not low <= index <= high:
        raise InvalidParameter(f"{argument}: expected {low} to {high}, got {shown(index)}")
    return index


def _is_likely_mistake(value: object) -> bool:
    """Return whether Python would convert a value to a number that hardly anybody means."""
    if isinstance(value, int | float):
        return isinstance(value, bool)
    if isinstance(value, str | bytes | bytearray):
        return True
    # Imported for what may be NumPy's: the command line checks its arguments without it.
    import numpy as np

    return isinstance(value, np.bool_ | np.ndarray)


def _is_integer(value: object) -> bool:
    if isinstance(value, int):
        return not isinstance(value, bool)
    import numpy as np

    return isinstance(value, np.integer)
