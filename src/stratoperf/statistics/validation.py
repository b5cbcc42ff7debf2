"""The checks of arguments that the statistics share."""

from __future__ import annotations

import math
from typing import SupportsFloat, SupportsIndex

import numpy as np
import numpy.typing as npt

from stratoperf import arguments
from stratoperf.errors import InvalidParameter

Samples = npt.NDArray[np.float64]


def as_samples(samples: npt.ArrayLike, name: str = "samples") -> Samples:
    """Return the samples as a contiguous one-dimensional float64 array, copied only if need be.

    Parameters
    ----------
    samples
        Anything that `numpy.asarray` turns into a one-dimensional array of real numbers.
    name
        The argument that the messages name.

    Raises
    ------
    InvalidParameter
        When there are no samples, or they are not real numbers, not finite, or not
        one-dimensional.
    """
    try:
        array = np.asarray(samples)
    except ValueError as error:
        raise InvalidParameter(f"{name}: expected a sequence of numbers; {error}") from None
    if array.ndim != 1:
        raise InvalidParameter(
            f"{name}: expected one dimension, got shape {array.shape}; "
            f"choose a row, or np.ravel({name})"
        )
    if array.size == 0:
        raise InvalidParameter(f"{name}: expected at least one value, got none")
    if array.dtype.kind not in "iuf":
        raise InvalidParameter(f"{name}: expected real numbers, got {array.dtype}")
    result = np.ascontiguousarray(array, dtype=np.float64)
    finite = np.isfinite(result)
    if not finite.all():
        index = int(np.argmin(finite))
        raise InvalidParameter(
            f"{name}: must be finite, got {result[index]} at index {index}; remove or correct it "
            "first"
        )
    return result


def check_confidence(confidence: float) -> None:
    """Raise `InvalidParameter` unless the confidence lies between 0 and 1."""
    if not 0 < _real(confidence) < 1:
        raise InvalidParameter(
            f"confidence: must lie between 0 and 1, got {arguments.shown(confidence)}; 95 % is 0.95"
        )


def check_quantile(q: SupportsFloat | SupportsIndex) -> None:
    """Raise `InvalidParameter` unless q lies in [0, 1]."""
    if not 0 <= _real(q) <= 1:
        raise InvalidParameter(
            f"q: must lie in [0, 1], got {arguments.shown(q)}; the 95th percentile is 0.95"
        )


def _real(value: SupportsFloat | SupportsIndex) -> float:
    """Return a number as a float, and NaN, which fails every comparison, for anything else."""
    try:
        return arguments.number("value", value)
    except InvalidParameter:
        return math.nan
