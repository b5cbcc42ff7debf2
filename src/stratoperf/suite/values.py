"""What a parameter can be, and the values that one has."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from stratoperf.door import LARGEST_INTEGER, SMALLEST_INTEGER
from stratoperf.errors import InvalidParameter

Value: TypeAlias = bool | int | float | str
"""Something JSON and a command line can both write."""


def frozen(params: Mapping[str, Iterable[Value]]) -> Mapping[str, tuple[Value, ...]]:
    """Return the values by parameter, checked and immutable."""
    return MappingProxyType({axis: values_of(axis, some) for axis, some in params.items()})


def values_of(name: str, values: object) -> tuple[Value, ...]:
    """Return the values of one parameter; a single one may stand by itself.

    Raises
    ------
    InvalidParameter
        For a value that is no bool, number or string, and for one that is not finite.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        values = (values,)
    plain: list[Value] = []
    for given in values:
        value = given.item() if isinstance(given, np.generic) else given
        finite = not isinstance(value, float) or math.isfinite(value)
        if not isinstance(value, bool | int | float | str) or not finite:
            raise InvalidParameter(
                f"params: {name!r} has the value {value!r}; expected a bool, a finite number or "
                "a string"
            )
        if isinstance(value, int) and not SMALLEST_INTEGER <= value <= LARGEST_INTEGER:
            raise InvalidParameter(
                f"params: {name!r} has a value of {value.bit_length()} bits; expected an integer "
                "from -2^63 to 2^64 - 1"
            )
        plain.append(value)
    return tuple(plain)
