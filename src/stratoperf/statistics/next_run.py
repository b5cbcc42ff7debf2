"""How far the next run may lie beyond what the processes of a run show.

The processes of a run are neighbors in time. A machine whose speed moves does so on every scale:
what it does over minutes and hours moves all processes of a run alike, so their scatter does not
know of it. What does know is the reference workload beside each process: where it stands still
within a run, the machine is its run's own, and processes differ for reasons of their own, which
the next run draws anew. Where it moves, so it does between runs.

So the interval over processes is widened, in quadrature, by Student's t times the lesser of

- `OF_SPEED` times the standard deviation of the machine's speed over the processes, and
- `OF_SCATTER` times the standard deviation of the processes: what hardly follows the machine
  within a run does not between runs.

Both factors are those of one night on a virtual machine whose speed moved by 16 % within a run of
six seconds (729 re-runs of eight operations, ``examples/results/intel-xeon-2-vcpu/repeatability``).
Of 95 % intervals these shares cover the median of all other re-runs of the night, in percent, and
the width is that of the median interval, in percent of the value:

===========  ======  =====  =====  =====
operation    before  width  after  width
===========  ======  =====  =====  =====
allocation   86      51     91     83
arithmetic   82      35     93     70
dictionary   89      52     97     88
file         76      23     96     53
memory       76      22     97     61
native       56      5      95     19
system call  82      22     95     62
threads      54      17     95     51
all          75      25     95     61
===========  ======  =====  =====  =====

Had all re-runs the width of the scatter of their operation, 40 % would cover 95 %: a run of seven
processes does not know that scatter. Chosen on one part of the night for 95 % and judged on the
other, such factors cover 95 % (first half, then second), 95 % (second, then first), and 95 % over
blocks of 20 minutes, each judged by factors chosen without it; chosen without an operation and
judged by it, 90 to 98 %. But it is one night with one step of the memory's speed, by 19 %: a
machine that stands still during a run and has another speed the next day is not covered, and no
run can know it.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from stratoperf._core import statistics as _native
from stratoperf.statistics.signed_rank import least_differences, signed_rank
from stratoperf.statistics.validation import Samples, as_samples

OF_SPEED = 0.7
"""Standard deviation between runs, by that of the machine's speed within a run, at most."""

OF_SCATTER = 1.5
"""Standard deviation between runs, by that between the processes of a run, at most."""

READING_ERROR = 0.0035
"""Standard deviation of a reading of integer arithmetic (the mean of two) where nothing moves; see
`stratoperf.monitor.speed.INTEGER_FAR`."""

CHANCE = 5.0
"""How many times its variance that error shows by chance in `scatter`, in one run of a hundred with
six processes; with eight in fewer (simulated: 5.1 and 3.4)."""

_CONFIDENCE = 0.95
_MOST = 100
"""Values whose pairs are compared: more know the scatter no better than it is needed."""


def movement(readings: npt.ArrayLike, earlier: npt.ArrayLike = ()) -> float | None:
    """Return how far the machine's speed moves, beyond what the readings err by.

    Parameters
    ----------
    readings
        The time of a step of the reference workload beside each process of a run, above 0.
    earlier
        The same of other processes on this machine, of the run or of runs before it.

    Returns
    -------
    float or None
        The standard deviation of the logarithms: the larger of that of the readings and that of all
        earlier ones. ``None`` where there are fewer than six readings.

    Raises
    ------
    InvalidParameter
        For values that are not finite numbers in one dimension.
    """
    deviations = []
    for some in (readings, earlier):
        logs = np.log(as_samples(some, "readings")) if len(np.atleast_1d(some)) else np.empty(0)
        if len(logs) >= least_differences(_CONFIDENCE):
            error = CHANCE * READING_ERROR**2
            deviations.append(math.sqrt(max(0.0, scatter(logs) ** 2 - error)))
        elif some is readings:
            return None
    return max(deviations)


def scatter(values: Samples) -> float:
    """Return the standard deviation of at least six values, which one in eight does not move far.

    It is that which an interval by signed ranks of this width would have if it were Student's.
    """
    if len(values) > _MOST:
        values = values[np.linspace(0, len(values) - 1, _MOST).astype(int)]
    center = signed_rank(values, _CONFIDENCE)
    # So many values have bounds.
    assert center.low is not None
    assert center.high is not None
    half = (center.high - center.low) / 2
    count = len(values)
    return half * math.sqrt(count) / _native.student_half_width(_CONFIDENCE, count - 1)


def between_runs(values: Samples, moved: float) -> float:
    """Return the standard deviation between runs that the processes of a single run let expect.

    Parameters
    ----------
    values
        Logarithms of what at least six processes say.
    moved
        How far the machine's speed moves, from `movement`.
    """
    return min(OF_SCATTER * scatter(values), OF_SPEED * moved)
