"""The values of parameters: which are allowed, and how they are stored."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np

from stratoperf import arguments
from stratoperf.door import LARGEST_INTEGER, SMALLEST_INTEGER
from stratoperf.errors import InvalidParameter
from stratoperf.failures import is_storable

Value: TypeAlias = bool | int | float | str
"""Something JSON and a command line can both write."""


def frozen(params: Mapping[str, Iterable[Value]]) -> Mapping[str, tuple[Value, ...]]:
    """Return the values by parameter, checked and immutable."""
    for axis in params:
        arguments.text("params: the name of a parameter", axis)
    return MappingProxyType({axis: values_of(axis, some) for axis, some in params.items()})


def values_of(name: str, values: object) -> tuple[Value, ...]:
    """Return the values of one parameter; a single one may stand by itself.

    Raises
    ------
    InvalidParameter
        For a value that is not a bool, a finite number or a string.
    """
    if isinstance(values, str) or not isinstance(values, Iterable):
        values = (values,)
    plain: list[Value] = []
    for given in values:
        value = given.item() if isinstance(given, np.generic) else given
        if not isinstance(value, bool | int | float | str) or not _fits(value):
            raise InvalidParameter(
                f"params: {name!r} has the value {arguments.shown(value)}; expected a bool, a "
                "finite number (a whole one of at most 64 bits) or a string that can be shown and "
                "stored"
            )
        plain.append(value)
    return tuple(plain)


def _fits(value: Value) -> bool:
    """Return whether a run file can hold a value and a key can show it."""
    if isinstance(value, str):
        return is_storable(value) and "\0" not in value
    if isinstance(value, float):
        return math.isfinite(value)
    return SMALLEST_INTEGER <= value <= LARGEST_INTEGER
