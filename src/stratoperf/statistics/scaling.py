"""By how much the times of processes follow the speed of the machine, where they do.

Times of all kinds do not follow one speed alike: a power of 1 of the reading suits Python code, and
is twice too much for page faults; a file's ``fdatasync`` follows nothing. So the power is fitted
for each case over its own processes, and none is used where the fit does not show one.
``tests/performance/reference_speed.py`` holds this against ten kinds of operation.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stratoperf._core import statistics as _native
from stratoperf.statistics.estimates import Estimate
from stratoperf.statistics.processes import location
from stratoperf.statistics.validation import as_samples

FEWEST = 6
"""Processes for a fit: the fewest for which a location has an interval that assumes no law."""

STANDARD_ERRORS = 2.0
"""A power is used from so many of its standard errors on: by chance in one case of twenty."""

MOST = 1.5
"""The largest power that is used. Times that react even more react to something else as well, and
a power far above 1 multiplies the errors of the readings."""

ABSURD = 5.0
"""A larger power is no reaction to the machine's speed: readings that hardly differ give any."""


class Scaling(NamedTuple):
    """The power of the reading that times follow, and its standard error."""

    power: float
    error: float


def scaling(times: npt.ArrayLike, readings: npt.ArrayLike) -> Scaling | None:
    """Fit by which power of a reading the times of processes move.

    Parameters
    ----------
    times
        One for each process, above 0.
    readings
        The time of the reference workload beside each, above 0.

    Returns
    -------
    Scaling or None
        The slope of the logarithms by least squares. ``None`` where fewer than six processes, or
        their scatter, do not show that the times follow the reading at all.

    Raises
    ------
    InvalidParameter
        For values that are not finite numbers in one dimension.
    """
    y, x = np.log(as_samples(times, "times")), np.log(as_samples(readings, "readings"))
    count = len(y)
    if count < FEWEST:
        return None
    x, y = x - x.mean(), y - y.mean()
    moved = float(x @ x)
    if moved <= count * np.finfo(float).eps:
        return None
    power = float(x @ y) / moved
    left = y - power * x
    error = math.sqrt(float(left @ left) / (count - 2) / moved)
    if not STANDARD_ERRORS * error < power < ABSURD:
        return None
    return Scaling(min(power, MOST), error)


def at_speed(
    times: npt.ArrayLike, readings: npt.ArrayLike, usual: float, confidence: float = 0.95
) -> Estimate | None:
    """Estimate where the times of processes would lie at the usual speed.

    Parameters
    ----------
    times, readings
        As for `scaling`.
    usual
        The reading at which the time is asked for.
    confidence
        Of the interval; in (0, 1).

    Returns
    -------
    Estimate or None
        The location of the scaled times. Its interval counts in that the power is not known
        exactly, which matters the more, the further the usual speed lies from that of the
        processes. ``None`` where `scaling` shows none.

    Raises
    ------
    InvalidParameter
        For bad values or a `confidence` out of range.
    """
    fit = scaling(times, readings)
    if fit is None:
        return None
    distances = np.log(usual) - np.log(as_samples(readings, "readings"))
    found = location(as_samples(times, "times") * np.exp(fit.power * distances), confidence)
    if found.low is None or found.high is None:
        return found
    width = _native.student_half_width(confidence, len(distances) - 2)
    unsure = width * fit.error * abs(float(np.mean(distances)))
    below = math.hypot(math.log(found.value / found.low), unsure)
    above = math.hypot(math.log(found.high / found.value), unsure)
    return Estimate(
        found.value,
        found.value * math.exp(-below),
        found.value * math.exp(above),
        confidence,
        f"{found.method}; scaled by the power {fit.power:.2f} of the machine's speed",
    )
