"""Re-runs that never ran, for the tests of what is made of them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from repeats.plan import Job
from repeats.records import Interval, Outcome, Rerun


def simulated_rerun(
    job: Job,
    value: float,
    half_width: float | None,
    *,
    seconds: float = 2.0,
    warned: Sequence[str] = (),
    step_ns: float | None = None,
) -> Rerun:
    """Return a re-run that said ``value ± half_width``.

    With `step_ns`, its eight processes follow the speed of the machine around that reading.
    """
    low, high = (None, None) if half_width is None else (value - half_width, value + half_width)
    interval = Interval(value, low, high)
    moved = np.geomspace(0.9, 1 / 0.9, 8)
    # Symmetric, so that it does not change the power.
    own = np.array([1.01, 0.99, 1.0, 1.0, 1.0, 1.0, 0.99, 1.01])
    outcome = Outcome(
        interval,
        "simulated",
        tuple(warned),
        values=_nine_digits(value * moved * own),
        readings=() if step_ns is None else _nine_digits(step_ns * moved),
    )
    return Rerun(job, "2026-01-01T00:00:00Z", seconds, outcome)


def _nine_digits(values: npt.NDArray[np.float64]) -> tuple[float, ...]:
    """Return the values as records keep them."""
    return tuple(float(f"{value:.9g}") for value in values)


def normal_reruns(
    job: Job, count: int, *, scatter: float, half_width: float, seed: int = 1, seconds: float = 2.0
) -> list[Rerun]:
    """Return re-runs whose values scatter around 1000 ns, `scatter` and `half_width` in ns."""
    values = np.random.default_rng(seed).normal(1000.0, scatter, count)
    return [simulated_rerun(job, float(value), half_width, seconds=seconds) for value in values]
