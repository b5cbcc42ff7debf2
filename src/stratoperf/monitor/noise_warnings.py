"""Judge what a `NoiseProbe` recorded: every threshold has a name and a reason."""

from __future__ import annotations

from typing import Any

from stratoperf.monitor.counters import TICK_S

STEAL_PERCENT = 1.0
"""Above 1 % of stolen time the p99, the slowest 1 % of samples, can be the hypervisor's work."""

STEAL_TICKS = 2
"""One stolen tick is the counter's resolution; only from the second on is it a finding."""

WAITING_PERCENT = 1.0
"""The same reason as for stolen time, with a process of this machine in the CPU."""

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

PI_ACTIVE_BITS = {0: "under-voltage", 1: "its frequency capped", 2: "throttled", 3: "too hot"}
"""Bits of the Raspberry Pi firmware's ``get_throttled`` that describe the present."""


def noise_warnings(environment: dict[str, Any]) -> list[str]:
    """Return why a measurement with this environment is suspect, in plain words.

    Parameters
    ----------
    environment
        As `NoiseProbe.environment` gives it; ``None`` values raise no warning.
    """
    found = [
        _steal(environment),
        _waiting(environment),
        _other_load(environment),
        _faults(environment),
        _frequency(environment),
        _gpu(environment),
        *_throttling(environment["throttling"]),
    ]
    return [warning for warning in found if warning is not None]


def _steal(environment: dict[str, Any]) -> str | None:
    steal = environment["steal_percent"]
    if steal is None or steal <= STEAL_PERCENT:
        return None
    # The stolen time is at most its share of all the time that passed on one CPU.
    if steal / 100 * environment["seconds"] < STEAL_TICKS * TICK_S:
        return None
    return f"the hypervisor took the CPU away for {steal:.1f} % of the time"


def _waiting(environment: dict[str, Any]) -> str | None:
    waiting = environment["waiting_percent"]
    if waiting is not None:
        if waiting <= WAITING_PERCENT:
            return None
        return f"waited for a CPU {waiting:.1f} % of the time: other processes were running"
    rate = environment["involuntary_switches"] / max(environment["seconds"], TICK_S)
    if rate <= SWITCHES_PER_SECOND:
        return None
    return f"preempted {rate:.0f} times a second: other processes were running"


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


def _throttling(throttling: dict[str, Any]) -> list[str]:
    found = []
    if throttling["thermal_events"]:
        found.append(f"the CPU was throttled by heat {throttling['thermal_events']} times")
    if throttling["quota_ms"]:
        found.append(f"the CPU quota stopped the process for {throttling['quota_ms']:.0f} ms")
    flags = throttling["pi_flags"] or 0
    active = [name for bit, name in PI_ACTIVE_BITS.items() if flags >> bit & 1]
    if active:
        found.append(f"the Raspberry Pi's firmware reports: {', '.join(active)}")
    return found
