"""By how much the times of processes follow the speed of the machine, where they do.

Times of all kinds do not follow one speed alike. So the power of the reading that they follow is
fitted for each case over its own processes, and none is used where the fit does not show one.

On a virtual machine whose speed moves by up to 60 %, ten operations were measured in 71 processes
each, over 15 minutes (``tests/performance/reference_speed.py``; the records are in
``examples/results/intel-xeon-2-vcpu/reference``). Over all runs of eight processes in a row, the
standard deviation of the run's location, and the share of runs whose 95 % interval contains the
location of all processes, are in percent:

==============================  =====  ==========  ======  =======  ==========
operation                       plain  divided by  fitted  covered  covered,
                                       reading     power   plain    fitted
==============================  =====  ==========  ======  =======  ==========
Python arithmetic               9.2    4.2         4.6     94       94
JSON of a small dictionary      18     8.5         15      84       84
allocation                      9.2    4.3         4.3     100      100
native consensus round          17     8.6         12      94       84
look-ups in a large dictionary  15     9.6         12      94       88
system call                     5.1    4.0         3.1     94       97
thread, started and joined      9.6    5.7         7.7     91       91
large allocation, faulted in    3.7    3.6         3.2     94       88
memory-bound copy               10     7.4         9.9     62       47
file with ``fdatasync``         119    122         119     84       84
==============================  =====  ==========  ======  =======  ==========

Where work keeps the core busy, the reading explains half of what runs differ by. The fit gives some
of that away, because not every run shows its power, and harms nothing: with the readings of another
time it changes no line by more than a tenth, where division spreads the runs of large allocations
by 6.6 instead of 3.5 %, and those of system calls by 8.4 instead of 5.0 %. The memory-bound copy
gains nothing, and its scaled interval covers less than the plain: there the scaled value is no
better. Readings of memory explain less than those of arithmetic, but for large allocations and this
copy, and are only warned of. Whether scaling helps between days, 15 minutes do not show.
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
"""Minimum size of a power, in its standard errors: by chance in one case of twenty."""

MOST = 1.5
"""The largest power that is used. Times that react even more react to something else as well, and
a power far above 1 multiplies the errors of the readings."""

ABSURD = 5.0
"""Largest credible power: readings that hardly differ give any power."""


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
    times: npt.ArrayLike,
    readings: npt.ArrayLike,
    usual: float,
    confidence: float = 0.95,
    moved: float | None = None,
) -> Estimate | None:
    """Estimate where the times of processes would lie at the usual speed.

    Parameters
    ----------
    times, readings
        As for `scaling`.
    usual
        The reading at which the time is asked for.
    confidence
        Confidence of the interval; in (0, 1).
    moved
        As for `stratoperf.statistics.processes.location`: what the scaled times leave of it.

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
    scaled = as_samples(times, "times") * np.exp(fit.power * distances)
    estimate = location(scaled, confidence, moved)
    if estimate.low is None or estimate.high is None:
        return estimate
    width = _native.student_half_width(confidence, len(distances) - 2)
    unsure = width * fit.error * abs(float(np.mean(distances)))
    below = math.hypot(math.log(estimate.value / estimate.low), unsure)
    above = math.hypot(math.log(estimate.high / estimate.value), unsure)
    return Estimate(
        estimate.value,
        estimate.value * math.exp(-below),
        estimate.value * math.exp(above),
        confidence,
        f"{estimate.method}; scaled by the power {fit.power:.2f} of the machine's speed",
    )
