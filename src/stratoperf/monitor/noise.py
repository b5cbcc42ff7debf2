"""Record how quiet the machine was during a measurement."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, final

from stratoperf.monitor.counters import Reading, Ticks, read
from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.noise_warnings import noise_warnings
from stratoperf.monitor.processes import TICK_S, Family, ThreadTimes, kernel_seconds, kernel_threads

MOST_KNOWN = 0.5
"""Share of the CPU time that threads alive at the end must have had, for their waiting to speak
for all."""


@final
class NoiseProbe:
    """Context manager around one measurement that records what disturbed it.

    It reads counters of the kernel before and after, and does nothing in between: a thread
    that samples would itself be the noise. The counters are those of the whole process with
    its descendants, because an operation may work on threads and processes of its own; the
    suite runs no other thread meanwhile. Switches and faults are those of the process alone.

    Parameters
    ----------
    root
        The directory that stands for ``/``, for tests.

    Attributes
    ----------
    environment
        After the block, JSON-ready; ``None`` marks what this machine does not report:

        ``seconds``
            Length of the block.
        ``steal_percent``
            Part of the time that the usable CPUs wanted to run in which the hypervisor ran
            something else. Idle time is left out, so idle CPUs do not hide the theft.
        ``cpu_seconds``
            CPU time of the process and its descendants.
        ``waiting_seconds``, ``waiting_percent``
            For how long their threads were ready to run but waited for a CPU, summed over the
            threads (the scheduler's run delay), and its part of the time that they wanted to
            run. Any thread may have had the CPU, also another of theirs. ``None`` where threads
            that ended had most of the CPU time, because they took their delay along.
        ``others_seconds``
            CPU time that other processes had on the CPUs that this process may use. Threads of
            the kernel and interrupts are left out, because they may work for this process;
            where a container hides such threads, only time in user mode counts.
        ``idle_percent``
            Part of the time in which the usable CPUs were idle.
        ``other_load``
            CPUs kept busy by other processes on the machine, on average, counted likewise.
        ``involuntary_switches``, ``voluntary_switches``
            Context switches of the process.
        ``page_faults``
            ``{"minor", "major"}``; a major fault waits for a disk.
        ``cpu_frequency``
            ``{"start_mhz", "end_mhz", "start_cpu", "end_cpu"}`` of the CPU that ran the thread.
        ``throttling``
            ``{"thermal_events", "thermal_ms", "quota_ms", "pi_flags"}``; of heat, the most on
            one CPU.
        ``load_average``
            Over 1, 5 and 15 minutes before the block.
        ``gpu_utilization``
            ``{"start_percent", "end_percent"}``, a list with one number per GPU.
    warnings
        After the block: what makes this measurement suspect, in plain words;
        `stratoperf.monitor.disturbance` tells whether it is too much for a verdict.

    Examples
    --------
    >>> with NoiseProbe() as probe:
    ...     _ = sum(range(1000))
    >>> sorted(probe.environment["page_faults"])
    ['major', 'minor']
    """

    def __init__(self, root: str | Path = "/") -> None:
        self._files = SystemFiles(root)
        self._kernel: Mapping[str, float] | None = None
        self._before: Reading | None = None
        self.environment: dict[str, Any] = {}
        self.warnings: list[str] = []

    def __enter__(self) -> NoiseProbe:
        # What takes longer to read comes first here and last there, outside of the block.
        self._kernel = kernel_threads(self._files)
        self._before = read(self._files)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._before is None:
            raise RuntimeError("NoiseProbe was left without being entered; use it in 'with'")
        after = read(self._files)
        kernel = kernel_seconds(self._kernel, kernel_threads(self._files))
        self.environment = environment(self._before, after, kernel)
        self.warnings = noise_warnings(self.environment)


def environment(before: Reading, after: Reading, kernel: float | None) -> dict[str, Any]:
    """Return what happened between two readings.

    Parameters
    ----------
    before, after
        The counters.
    kernel
        CPU time of the kernel's threads in seconds, or ``None`` where they are hidden.

    Returns
    -------
    dict
        See `NoiseProbe` for the keys.
    """
    waiting = _waiting_seconds(before.family, after.family)
    own = _own_seconds(before.family, after.family)
    seconds = after.time - before.time
    others = _others_seconds(before.machine, after.machine, before.family, after.family, kernel)
    return {
        "seconds": seconds,
        "steal_percent": _steal_percent(before.usable, after.usable),
        "cpu_seconds": own,
        "waiting_seconds": waiting,
        "waiting_percent": _percent(waiting, own),
        "others_seconds": _others_seconds(
            before.usable, after.usable, before.family, after.family, kernel
        ),
        "idle_percent": _idle_percent(before.usable, after.usable),
        "other_load": others / seconds if others is not None and seconds > 0 else None,
        "involuntary_switches": after.involuntary_switches - before.involuntary_switches,
        "voluntary_switches": after.voluntary_switches - before.voluntary_switches,
        "page_faults": {
            "minor": after.minor_faults - before.minor_faults,
            "major": after.major_faults - before.major_faults,
        },
        "cpu_frequency": _frequency(before, after),
        "throttling": _throttling(before, after),
        "load_average": before.load,
        "gpu_utilization": _gpu_utilization(before, after),
    }


def _steal_percent(before: Ticks | None, after: Ticks | None) -> float | None:
    if before is None or after is None:
        return None
    stolen = max(0.0, after.stolen - before.stolen)
    wanted = max(0.0, after.busy - before.busy) + stolen
    if wanted == 0:
        # Nothing wanted to run: no theft if the clock of ticks moved at all, else too short.
        return 0.0 if after.idle > before.idle else None
    return 100 * stolen / wanted


def _own_seconds(before: Family, after: Family) -> float:
    # A descendant whose end nobody waited for takes its time along.
    return max(0.0, after.cpu_time - before.cpu_time)


def _waiting_seconds(before: Family, after: Family) -> float | None:
    ran = waited = 0.0
    for number, times in after.threads.items():
        start = before.threads.get(number, ThreadTimes(0.0, 0.0))
        ran += times.running - start.running
        waited += times.waiting - start.waiting
    total = _own_seconds(before, after)
    # The kernel brings the time of a thread that runs up to date once in a tick.
    is_known = bool(after.threads) and ran + TICK_S >= MOST_KNOWN * total
    return max(0.0, waited) if is_known else None


def _percent(waiting: float | None, own: float) -> float | None:
    if waiting is None:
        return None
    wanted = own + waiting
    return 100 * waiting / wanted if wanted > 0 else 0.0


def _others_seconds(
    start: Ticks | None, end: Ticks | None, before: Family, after: Family, kernel: float | None
) -> float | None:
    if start is None or end is None:
        return None
    # No thread of the kernel is ever in user mode.
    in_user_mode = end.user - start.user - (after.user_time - before.user_time)
    if kernel is None:
        return max(0.0, in_user_mode)
    interrupts = end.interrupts - start.interrupts
    others = end.busy - start.busy - interrupts - kernel - _own_seconds(before, after)
    # Those threads may have run on CPUs that this process may not use.
    return max(0.0, in_user_mode, others)


def _idle_percent(before: Ticks | None, after: Ticks | None) -> float | None:
    if before is None or after is None:
        return None
    idle = after.idle - before.idle
    total = idle + after.busy - before.busy + after.stolen - before.stolen
    return 100 * idle / total if total > 0 else None


def _frequency(before: Reading, after: Reading) -> dict[str, float | int | None] | None:
    if before.mhz is None and after.mhz is None:
        return None
    return {
        "start_mhz": before.mhz,
        "end_mhz": after.mhz,
        "start_cpu": before.cpu,
        "end_cpu": after.cpu,
    }


def _throttling(before: Reading, after: Reading) -> dict[str, float | int | None]:
    return {
        "thermal_events": _most(before.thermal_events, after.thermal_events),
        "thermal_ms": _most(before.thermal_ms, after.thermal_ms),
        "quota_ms": _difference(before.quota_throttled_ms, after.quota_throttled_ms),
        "pi_flags": after.pi_throttled,
    }


def _gpu_utilization(before: Reading, after: Reading) -> dict[str, list[float] | None] | None:
    if before.gpu_percent is None and after.gpu_percent is None:
        return None
    return {"start_percent": before.gpu_percent, "end_percent": after.gpu_percent}


def _most(before: Mapping[str, int], after: Mapping[str, int]) -> int | None:
    """Return the largest growth of a counter; the thread may have moved between CPUs."""
    return max((after[name] - before[name] for name in after if name in before), default=None)


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
