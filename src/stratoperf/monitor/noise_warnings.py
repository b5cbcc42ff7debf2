"""Warn of what a `NoiseProbe` recorded: every threshold has a name and a reason.

What took time from outside comes from `stratoperf.monitor.disturbance`, with its thresholds and
words, so that whatever disturbed a measurement is warned of too. The other warnings are of what
may cost time but cannot be told apart from the work of the system under test.
"""

from __future__ import annotations

from typing import Any

from stratoperf.monitor.disturbance import losses
from stratoperf.monitor.processes import TICK_S

SWITCHES_PER_SECOND = 10.0
"""A preempted thread comes back after a time slice of about 3 ms: ten a second cost some 3 %."""

OTHER_LOAD = 0.25
"""A quarter of a CPU of foreign work costs turbo, cache and memory bandwidth without preempting."""

OTHER_LOAD_SECONDS = 0.2
"""Below 20 ticks of 10 ms the share of other processes is a guess."""

MAJOR_FAULTS = 10
"""A few are code read at its first use; more mean that memory came back from a disk."""

FREQUENCY_DROP = 0.05
"""A rise is the CPU waking up in the warm-up; a drop of 5 % is visible in any latency."""

GPU_BUSY_PERCENT = 5.0
"""The driver counts a window as busy as soon as one kernel ran; idle desktops stay below 5 %."""


def noise_warnings(environment: dict[str, Any]) -> list[str]:
    """Return why a measurement with this environment is suspect, in plain words.

    Parameters
    ----------
    environment
        As `NoiseProbe.environment` gives it; ``None`` values raise no warning.
    """
    matches = [
        *(loss.why for loss in losses(environment)),
        _switches(environment),
        _other_load(environment),
        _faults(environment),
        _frequency(environment),
        _gpu(environment),
    ]
    return [warning for warning in matches if warning is not None]


def _switches(environment: dict[str, Any]) -> str | None:
    """Speak of switches only where the kernel tells neither waiting nor what others did."""
    if environment["waiting_seconds"] is not None or environment["others_seconds"] is not None:
        return None
    rate = environment["involuntary_switches"] / max(environment["seconds"], TICK_S)
    if rate <= SWITCHES_PER_SECOND:
        return None
    return f"preempted {rate:.0f} times a second, by other processes or by its own threads"


def _other_load(environment: dict[str, Any]) -> str | None:
    load = environment["other_load"]
    if load is None or load <= OTHER_LOAD or environment["seconds"] < OTHER_LOAD_SECONDS:
        return None
    return f"other processes kept {load:.1f} CPUs busy"


def _faults(environment: dict[str, Any]) -> str | None:
    major = environment["page_faults"]["major"]
    if major <= MAJOR_FAULTS:
        return None
    return f"{major} page faults waited for a disk"


def _frequency(environment: dict[str, Any]) -> str | None:
    frequency = environment["cpu_frequency"] or {}
    start, end = frequency.get("start_mhz"), frequency.get("end_mhz")
    if not start or not end or end >= start * (1 - FREQUENCY_DROP):
        return None
    return f"the CPU slowed down from {start:.0f} to {end:.0f} MHz"


def _gpu(environment: dict[str, Any]) -> str | None:
    utilization = environment["gpu_utilization"] or {}
    busy = max(utilization.get("start_percent") or [0.0])
    if busy <= GPU_BUSY_PERCENT:
        return None
    return f"a GPU was {busy:.0f} % busy with other work before the measurement"
