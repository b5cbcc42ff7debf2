"""Tell how quiet the machine was while something was measured."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, final

from stratoperf.monitor.counters import Reading, Ticks, read
from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.noise_warnings import noise_warnings


@final
class NoiseProbe:
    """Context manager around one measurement that records what disturbed it.

    It reads counters of the kernel before and after, and does nothing in between: a thread
    that samples would itself be the noise. The counters are those of the whole process
    (``RUSAGE_SELF``), because an operation may work on threads of its own; the suite runs no
    other thread meanwhile. Only waiting for a CPU is summed over the threads alive at the end.

    Parameters
    ----------
    root
        The directory that stands for ``/``, for tests.

    Attributes
    ----------
    environment
        After the block, JSON-ready; ``None`` marks what this machine does not tell:

        ``seconds``
            Length of the block.
        ``steal_percent``
            Part of the time that the usable CPUs wanted to run in which the hypervisor ran
            something else. Idle time is left out, so idle CPUs do not hide the theft.
        ``waiting_percent``
            Part of the time that this process wanted to run in which another process had the
            CPU (the scheduler's run delay).
        ``other_load``
            CPUs kept busy by other processes on the machine, on average.
        ``involuntary_switches``, ``voluntary_switches``
            Context switches of the process.
        ``page_faults``
            ``{"minor", "major"}``; a major fault waits for a disk.
        ``cpu_frequency``
            ``{"start_mhz", "end_mhz", "start_cpu", "end_cpu"}`` of the CPU that ran the thread.
        ``throttling``
            ``{"thermal_events", "quota_ms", "pi_flags"}``.
        ``load_average``
            Over 1, 5 and 15 minutes before the block.
        ``gpu_utilization``
            ``{"start_percent", "end_percent"}``, a list with one number per GPU.
    warnings
        After the block: why this measurement was disturbed, in plain words.

    Examples
    --------
    >>> with NoiseProbe() as probe:
    ...     _ = sum(range(1000))
    >>> sorted(probe.environment["page_faults"])
    ['major', 'minor']
    """

    def __init__(self, root: str | Path = "/") -> None:
        self._files = SystemFiles(root)
        self._before: Reading | None = None
        self.environment: dict[str, Any] = {}
        self.warnings: list[str] = []

    def __enter__(self) -> NoiseProbe:
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
        self.environment = environment(self._before, read(self._files))
        self.warnings = noise_warnings(self.environment)


def environment(before: Reading, after: Reading) -> dict[str, Any]:
    """Return what happened between two readings; see `NoiseProbe` for the keys."""
    seconds = after.time - before.time
    own = after.cpu_time - before.cpu_time
    return {
        "seconds": seconds,
        "steal_percent": _steal_percent(before.usable, after.usable),
        "waiting_percent": _waiting_percent(before.run_delay, after.run_delay, own),
        "other_load": _other_load(before, after),
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


def _waiting_percent(before: float | None, after: float | None, own: float) -> float | None:
    if before is None or after is None:
        return None
    # A thread that ended takes its delay along, so the difference can fall below zero.
    waited = max(0.0, after - before)
    wanted = own + waited
    return 100 * waited / wanted if wanted > 0 else 0.0


def _other_load(before: Reading, after: Reading) -> float | None:
    seconds = after.time - before.time
    if before.machine is None or after.machine is None or seconds <= 0:
        return None
    busy = after.machine.busy - before.machine.busy
    own = after.cpu_time_with_children - before.cpu_time_with_children
    return max(0.0, busy - own) / seconds


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
        "thermal_events": _difference(before.thermal_events, after.thermal_events),
        "quota_ms": _difference(before.quota_throttled_ms, after.quota_throttled_ms),
        "pi_flags": after.pi_throttled,
    }


def _gpu_utilization(before: Reading, after: Reading) -> dict[str, list[float] | None] | None:
    if before.gpu_percent is None and after.gpu_percent is None:
        return None
    return {"start_percent": before.gpu_percent, "end_percent": after.gpu_percent}


def _difference(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before
