"""Facts about the processor from ``/proc/cpuinfo`` and ``/sys/devices/system/cpu``."""

from __future__ import annotations

import os

from stratoperf.monitor.cgroup import cpu_quota
from stratoperf.monitor.files import SystemFiles, first_integer, format_cpu_list
from stratoperf.monitor.model import Cache, Cpu

CPUS = "/sys/devices/system/cpu"

# What the kernels of the package choose between at run time, and what a reliable clock needs.
X86_FEATURES = [
    "sse4_2",
    "popcnt",
    "avx",
    "avx2",
    "fma",
    "bmi2",
    "avx512f",
    "avx512bw",
    "avx512dq",
    "avx512vl",
    "avx512vbmi",
    "avx512_vbmi2",
    "avx512_vpopcntdq",
    "avx512_bitalg",
    "constant_tsc",
    "nonstop_tsc",
    "rdtscp",
    "aperfmperf",
]
ARM_FEATURES = ["asimd", "asimddp", "crc32", "atomics", "sve", "sve2"]

# AArch64 kernels print numbers instead of names. Source: Arm's MIDR_EL1 part numbers.
ARM_VENDORS = {"0x41": "ARM", "0x43": "Cavium", "0x61": "Apple", "0xc0": "Ampere"}
ARM_PARTS = {
    "0xd03": "Cortex-A53",
    "0xd05": "Cortex-A55",
    "0xd07": "Cortex-A57",
    "0xd08": "Cortex-A72",
    "0xd0b": "Cortex-A76",
    "0xd0c": "Neoverse-N1",
    "0xd40": "Neoverse-V1",
    "0xd49": "Neoverse-N2",
    "0xd4f": "Neoverse-V2",
}


_LARGEST_CACHE = 1 << 24
"""KiB or MiB in a cache at most."""


def cpu(files: SystemFiles) -> Cpu:
    """Return the processor's facts; what the files do not tell is ``None``."""
    info = files.table("/proc/cpuinfo")
    usable = sorted(os.sched_getaffinity(0))
    vendor, model = _names(info)
    flags = set((info.get("flags") or info.get("Features") or "").split())
    policy = f"{CPUS}/cpu{usable[0]}/cpufreq"
    logical, physical = _counts(files)
    return Cpu(
        model=model,
        vendor=vendor,
        board=files.text("/proc/device-tree/model") or info.get("Model"),
        architecture=os.uname().machine,
        physical_cores=physical,
        logical_cores=logical,
        smt=_smt(files, logical, physical),
        min_mhz=_mhz(files, f"{policy}/cpuinfo_min_freq"),
        max_mhz=_mhz(files, f"{policy}/cpuinfo_max_freq"),
        base_mhz=_mhz(files, f"{policy}/base_frequency"),
        governor=files.text(f"{policy}/scaling_governor"),
        driver=files.text(f"{policy}/scaling_driver"),
        turbo=_turbo(files),
        caches=_caches(files, usable[0]),
        features=[name for name in (*X86_FEATURES, *ARM_FEATURES) if name in flags],
        affinity=format_cpu_list(usable),
        isolated=files.text(f"{CPUS}/isolated") or None,
        quota_cpus=cpu_quota(files),
    )


def _names(info: dict[str, str]) -> tuple[str | None, str | None]:
    """Return (vendor, model) from the first processor's table."""
    if "model name" in info:
        return info.get("vendor_id"), info["model name"]
    implementer, part = info.get("CPU implementer"), info.get("CPU part")
    if implementer is None or part is None:
        return info.get("vendor_id"), None
    vendor = ARM_VENDORS.get(implementer, f"implementer {implementer}")
    return vendor, ARM_PARTS.get(part, f"part {part}")


def _counts(files: SystemFiles) -> tuple[int | None, int | None]:
    """Return (logical CPUs online, cores among them)."""
    online = files.cpus(f"{CPUS}/online")
    if not online:
        return os.cpu_count(), None
    cores = set()
    for number in online:
        topology = f"{CPUS}/cpu{number}/topology"
        core = files.text(f"{topology}/core_cpus_list") or files.text(
            f"{topology}/thread_siblings_list"
        )
        if core is None:
            return len(online), None
        cores.add(core)
    return len(online), len(cores)


def _smt(files: SystemFiles, logical: int | None, physical: int | None) -> bool | None:
    if logical is not None and physical is not None:
        return logical > physical
    active = files.integer(f"{CPUS}/smt/active")
    return None if active is None else active == 1


def _turbo(files: SystemFiles) -> bool | None:
    no_turbo = files.integer(f"{CPUS}/intel_pstate/no_turbo")
    if no_turbo is not None:
        return no_turbo == 0
    boost = files.integer(f"{CPUS}/cpufreq/boost")
    return None if boost is None else boost == 1


def _mhz(files: SystemFiles, name: str) -> float | None:
    kilohertz = files.integer(name)
    return None if kilohertz is None else kilohertz / 1000


def _caches(files: SystemFiles, number: int) -> list[Cache]:
    """Return the caches of one CPU, nearest first."""
    caches = []
    for index in range(8):
        folder = f"{CPUS}/cpu{number}/cache/index{index}"
        level, size = files.integer(f"{folder}/level"), files.text(f"{folder}/size") or ""
        unit = {"K": 1 << 10, "M": 1 << 20}.get(size[-1:])
        count = first_integer(size[:-1])
        if level is None or unit is None or count is None or count > _LARGEST_CACHE:
            continue
        caches.append(
            Cache(
                level=level,
                type=(files.text(f"{folder}/type") or "unknown").lower(),
                size_bytes=count * unit,
                shared_by=len(files.cpus(f"{folder}/shared_cpu_list")) or None,
            )
        )
    return caches
