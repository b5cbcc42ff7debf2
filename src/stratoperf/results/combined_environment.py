"""What disturbed a case, from what disturbed each of its processes.

Environments are read from files, so any value may be missing or of another type.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from stratoperf.results.ranges import LARGEST


def combined_environment(own: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what disturbed a case, under the keys of `stratoperf.monitor.NoiseProbe`.

    Parameters
    ----------
    own
        The environment of each process.

    Returns
    -------
    dict
        Times and counts are sums, shares and loads the worst.
    """
    return {
        name: rule([environment.get(name) for environment in own])
        for name, rule in _RULES.items()
        if any(name in environment for environment in own)
    }


def finite_number(value: object) -> float | None:
    """Return a finite number, and ``None`` for anything else that a file may hold."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    with contextlib.suppress(OverflowError):
        # NaN fails every comparison.
        return value if abs(value) <= LARGEST else None
    return None


def reference_reading(environment: Mapping[str, Any], name: str) -> float | None:
    """Return how long a step of a reference workload took beside a process, in nanoseconds."""
    readings = environment.get("reference")
    return plausible_reading(readings.get(f"{name}_ns")) if isinstance(readings, Mapping) else None


def plausible_reading(value: object) -> float | None:
    """Return the time of a step in nanoseconds; no machine needs more than a second."""
    number = finite_number(value)
    return number if number is not None and 1e-9 < number < 1e9 else None


def _numbers(values: Sequence[object]) -> list[float]:
    return [number for number in map(finite_number, values) if number is not None]


def _sum(values: Sequence[object]) -> float | None:
    numbers = _numbers(values)
    return sum(numbers) if numbers else None


def _most(values: Sequence[object]) -> float | None:
    return max(_numbers(values), default=None)


def _least(values: Sequence[object]) -> float | None:
    return min(_numbers(values), default=None)


def _first(values: Sequence[object]) -> object:
    return next((value for value in values if value is not None), None)


def _flags(values: Sequence[object]) -> int | None:
    flags = [flag for flag in values if isinstance(flag, int) and not isinstance(flag, bool)]
    union = 0
    for flag in flags:
        union |= flag
    return union if flags else None


def _each(**rules: Callable[[Sequence[object]], object]) -> Callable[[Sequence[object]], object]:
    """Return the rule for an object whose keys have rules of their own."""

    def rule(values: Sequence[object]) -> object:
        objects = [value for value in values if isinstance(value, Mapping)]
        if not objects:
            return None
        return {name: own([entry.get(name) for entry in objects]) for name, own in rules.items()}

    return rule


def _worst_frequency(values: Sequence[object]) -> object:
    """Return the frequencies of the process in which the CPU slowed down most."""
    objects = [value for value in values if isinstance(value, Mapping)]

    def kept(entry: Mapping[str, object]) -> float:
        start, end = finite_number(entry.get("start_mhz")), finite_number(entry.get("end_mhz"))
        return end / start if start and end else math.inf

    return min(objects, key=kept, default=None)


def _busiest(values: Sequence[object]) -> object:
    """Return the utilization of the process that met the busiest GPU at its start."""
    objects = [value for value in values if isinstance(value, Mapping)]

    def start(entry: Mapping[str, object]) -> float:
        percents = entry.get("start_percent")
        return max(_numbers(percents), default=0.0) if isinstance(percents, list | tuple) else 0.0

    return max(objects, key=start, default=None)


_RULES: Mapping[str, Callable[[Sequence[object]], object]] = {
    "seconds": _sum,
    "steal_percent": _most,
    "cpu_seconds": _sum,
    "waiting_seconds": _sum,
    "waiting_percent": _most,
    "others_seconds": _sum,
    "idle_percent": _least,
    "other_load": _most,
    "involuntary_switches": _sum,
    "voluntary_switches": _sum,
    "page_faults": _each(minor=_sum, major=_sum),
    "cpu_frequency": _worst_frequency,
    "throttling": _each(thermal_events=_sum, thermal_ms=_sum, quota_ms=_sum, pi_flags=_flags),
    "load_average": _first,
    "gpu_utilization": _busiest,
}
