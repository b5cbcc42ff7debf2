"""One reading of the kernel's counters of disturbance; two readings span a measurement."""

from __future__ import annotations

import os
import re
import resource
import time
from collections.abc import Mapping

import msgspec

from stratoperf.monitor import cgroup, gpu
from stratoperf.monitor.files import SystemFiles, first_integer
from stratoperf.monitor.processes import TICK_S, Family, family

PI_THROTTLED = "/sys/devices/platform/soc/soc:firmware/get_throttled"


class Ticks(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds of CPU time summed over some CPUs, from ``/proc/stat``.

    `stolen` is what the hypervisor gave to others while these CPUs wanted to run; `busy` is
    time spent running anything, of it `user` in user mode and `interrupts` in answering
    devices; `idle` includes waiting for a disk.
    """

    busy: float
    user: float
    interrupts: float
    idle: float
    stolen: float


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """All counters at one moment; see `read` for where each comes from."""

    time: float
    usable: Ticks | None
    machine: Ticks | None
    family: Family
    involuntary_switches: int
    voluntary_switches: int
    minor_faults: int
    major_faults: int
    cpu: int | None
    mhz: float | None
    thermal_events: Mapping[str, int]
    thermal_ms: Mapping[str, int]
    pi_throttled: int | None
    quota_throttled_ms: float | None
    load: list[float] | None
    gpu_percent: list[float] | None


def read(files: SystemFiles) -> Reading:
    """Read every counter once, which takes a millisecond on small machines."""
    stat = files.text("/proc/stat")
    own = resource.getrusage(resource.RUSAGE_SELF)
    usable = sorted(os.sched_getaffinity(0))
    cpu = _current_cpu(files)
    return Reading(
        time=time.monotonic(),
        usable=ticks(stat, usable),
        machine=ticks(stat, None),
        family=family(files),
        involuntary_switches=own.ru_nivcsw,
        voluntary_switches=own.ru_nvcsw,
        minor_faults=own.ru_minflt,
        major_faults=own.ru_majflt,
        cpu=cpu,
        mhz=None if cpu is None else frequency_mhz(files, cpu),
        thermal_events=_thermal(files, usable, "count"),
        thermal_ms=_thermal(files, usable, "total_time_ms"),
        pi_throttled=_pi_throttled(files),
        quota_throttled_ms=cgroup.throttled_ms(files),
        load=_load(files),
        gpu_percent=gpu.utilization(files),
    )


def ticks(stat: str | None, cpus: list[int] | None) -> Ticks | None:
    """Sum the CPU times in the text of ``/proc/stat``.

    Parameters
    ----------
    stat
        The file's content, or ``None`` where it is not readable.
    cpus
        The CPUs to add up; ``None`` means the whole machine.
    """
    wanted = {"cpu"} if cpus is None else {f"cpu{number}" for number in cpus}
    busy = in_user_mode = interrupts = idle = stolen = 0
    is_listed = False
    for line in (stat or "").splitlines():
        name, *numbers = line.split() or [""]
        if name not in wanted or len(numbers) < 8:
            continue
        # Guest time (columns 9 and 10) is already part of user and nice.
        counts = [first_integer(number) or 0 for number in numbers[:8]]
        user, nice, kernel, idling, iowait, irq, softirq, steal = counts
        busy += user + nice + kernel + irq + softirq
        in_user_mode += user + nice
        interrupts += irq + softirq
        idle += idling + iowait
        stolen += steal
        is_listed = True
    if not is_listed:
        return None
    return Ticks(
        busy=busy * TICK_S,
        user=in_user_mode * TICK_S,
        interrupts=interrupts * TICK_S,
        idle=idle * TICK_S,
        stolen=stolen * TICK_S,
    )


def frequency_mhz(files: SystemFiles, cpu: int) -> float | None:
    """Return the frequency at which `cpu` runs now, in MHz, where the kernel can know it.

    ``/proc/cpuinfo`` is believed only where the CPU counts its cycles (``aperfmperf``): a
    virtual machine without these counters shows the nominal frequency, whatever happens.
    """
    kilohertz = files.integer(f"/sys/devices/system/cpu/cpu{cpu}/cpufreq/scaling_cur_freq")
    if kilohertz is not None:
        return kilohertz / 1000
    number, counted = None, False
    mhz = None
    for line in (files.text("/proc/cpuinfo") or "").splitlines():
        key, _, value = line.partition(":")
        key = key.strip()
        if key == "processor":
            number = first_integer(value.strip())
        elif number == cpu and key == "cpu MHz":
            mhz = _real(value)
        elif number == cpu and key == "flags":
            counted = "aperfmperf" in value.split()
    return mhz if counted else None


def _current_cpu(files: SystemFiles) -> int | None:
    """Return the CPU on which this thread runs."""
    # The command name, in parentheses, may contain spaces: count the fields after it.
    fields = (files.text("/proc/thread-self/stat") or "").rpartition(")")[2].split()
    return first_integer(fields[36]) if len(fields) > 36 else None


def _thermal(files: SystemFiles, cpus: list[int], name: str) -> dict[str, int]:
    """Return how often or how long each core and package was throttled by heat (x86)."""
    paths = [
        f"/sys/devices/system/cpu/cpu{cpu}/thermal_throttle/{part}_throttle_{name}"
        for cpu in cpus
        for part in ("core", "package")
    ]
    return {path: count for path in paths if (count := files.integer(path)) is not None}


def _pi_throttled(files: SystemFiles) -> int | None:
    """Return the Raspberry Pi firmware's bits: 0 under-voltage, 1 capped, 2 throttled now."""
    text = files.text(PI_THROTTLED) or ""
    return int(text, 16) if re.fullmatch("(0x)?[0-9a-fA-F]{1,8}", text) else None


def _load(files: SystemFiles) -> list[float] | None:
    words = (files.text("/proc/loadavg") or "").split()
    loads = [load for word in words[:3] if (load := _real(word)) is not None]
    return loads if len(loads) == 3 else None


def _real(text: str) -> float | None:
    """Return a decimal number such as ``2100.000``."""
    return float(text) if re.fullmatch(r"\s*[0-9]{1,15}(\.[0-9]{1,15})?\s*", text) else None
