"""Settings of a machine that make measurements noisy, with the command that fixes each."""

from __future__ import annotations

from stratoperf.monitor.model import Check, SystemInfo

QUIET_GOVERNORS = ("performance",)
# Processor counters with a steady rate.
GOOD_CLOCKS = ("tsc", "cntvct_el0")
# Clock sources without a fast path in user space.
SLOW_CLOCKSOURCES = ("hpet", "acpi_pm", "jiffies", "refined-jiffies", "xen")


def noise_checks(info: SystemInfo) -> list[Check]:
    """Return one check per setting that disturbs measurements, in order of weight.

    It judges facts only, so it costs nothing and can be tested for any machine.
    """
    return [
        _governor(info),
        _turbo(info),
        _smt(info),
        _virtualization(info),
        _quota(info),
        _clock(info),
        _kernel_clock(info),
        _huge_pages(info),
        _swap(info),
        _isolation(info),
    ]


def _governor(info: SystemInfo) -> Check:
    governor = info.cpu.governor
    if governor is None:
        return Check(
            name="CPU governor",
            status="unknown",
            detail="the kernel shows no frequency scaling; the hypervisor or the "
            "firmware may scale it",
        )
    if governor in QUIET_GOVERNORS:
        return Check(name="CPU governor", status="ok", detail=f"{governor}")
    return Check(
        name="CPU governor",
        status="warning",
        detail=f"CPU governor is {governor!r}: the frequency follows the load, so short "
        "measurements run slower and vary more",
        remedy="echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
    )


def _turbo(info: SystemInfo) -> Check:
    turbo = info.cpu.turbo
    if turbo is None:
        return Check(name="turbo", status="unknown", detail="the kernel does not report it")
    if not turbo:
        return Check(name="turbo", status="ok", detail="off")
    switch = (
        "echo 1 | sudo tee /sys/devices/system/cpu/intel_pstate/no_turbo"
        if (info.cpu.driver or "").startswith("intel_")
        else "echo 0 | sudo tee /sys/devices/system/cpu/cpufreq/boost"
    )
    return Check(
        name="turbo",
        status="warning",
        detail="turbo is on: the frequency depends on temperature and on how many cores work",
        remedy=switch,
    )


def _smt(info: SystemInfo) -> Check:
    if info.cpu.smt is None:
        return Check(name="SMT", status="unknown", detail="the kernel does not report it")
    if not info.cpu.smt:
        return Check(name="SMT", status="ok", detail="off, or hidden by the hypervisor")
    return Check(
        name="SMT",
        status="warning",
        detail="SMT is on: work on the sibling thread slows a core down by up to half",
        remedy="echo off | sudo tee /sys/devices/system/cpu/smt/control",
    )


def _virtualization(info: SystemInfo) -> Check:
    hypervisor = info.virtualization.hypervisor
    if hypervisor is None:
        return Check(name="virtualization", status="ok", detail="no hypervisor seen")
    name = "an unnamed hypervisor" if hypervisor == "unknown" else hypervisor
    return Check(
        name="virtualization",
        status="warning",
        detail=f"runs in a virtual machine ({name}): neighbors share caches and memory bandwidth, "
        "and the host may take the CPU away",
        remedy="measure on bare metal, or on an instance with dedicated cores, and read the "
        "steal time of each result",
    )


def _quota(info: SystemInfo) -> Check:
    quota = info.cpu.quota_cpus
    if quota is None:
        return Check(name="CPU quota", status="ok", detail="none")
    # Docker sets a quota; other container managers need their own option for it.
    return Check(
        name="CPU quota",
        status="warning",
        detail=f"the control group grants {quota:g} CPUs per period: above that, all threads are "
        "stopped for the rest of the period (tens of milliseconds)",
        remedy="start the container with pinned cores (docker run --cpuset-cpus 0-1) instead of "
        "--cpus",
    )


def _clock(info: SystemInfo) -> Check:
    clock = info.clock
    if clock.source in GOOD_CLOCKS:
        return Check(
            name="clock", status="ok", detail=f"{clock.source}, {clock.overhead_ns:.0f} ns a read"
        )
    return Check(
        name="clock",
        status="warning",
        detail=f"times come from {clock.source}: {clock.reason}",
        remedy="use a machine with an invariant TSC (constant_tsc and nonstop_tsc in "
        "/proc/cpuinfo)",
    )


def _kernel_clock(info: SystemInfo) -> Check:
    source = info.kernel.clocksource
    if source is None:
        return Check(name="kernel clock", status="unknown", detail="the kernel does not report it")
    if source not in SLOW_CLOCKSOURCES:
        return Check(name="kernel clock", status="ok", detail=source)
    return Check(
        name="kernel clock",
        status="warning",
        detail=f"the kernel's clock source is {source}: each time stamp is a system call of about "
        "a microsecond",
        remedy="echo tsc | "
        "sudo tee /sys/devices/system/clocksource/clocksource0/current_clocksource",
    )


def _huge_pages(info: SystemInfo) -> Check:
    setting = info.memory.transparent_huge_pages
    if setting is None:
        return Check(
            name="transparent huge pages", status="unknown", detail="the kernel does not report it"
        )
    if setting != "always":
        return Check(name="transparent huge pages", status="ok", detail=setting)
    return Check(
        name="transparent huge pages",
        status="warning",
        detail="transparent huge pages are 'always': the kernel compacts and collapses memory "
        "behind a measurement",
        remedy="echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled",
    )


def _swap(info: SystemInfo) -> Check:
    used = info.memory.swap_used_bytes
    if used is None:
        return Check(name="swap", status="unknown", detail="the kernel does not report it")
    if used == 0:
        return Check(name="swap", status="ok", detail="not in use")
    return Check(
        name="swap",
        status="warning",
        detail=f"{used / 2**20:.0f} MiB are swapped out: touching them stalls for a disk read",
        remedy="sudo swapoff -a && sudo swapon -a",
    )


def _isolation(info: SystemInfo) -> Check:
    where = f"this process may run on CPUs {info.cpu.affinity}"
    if info.cpu.isolated is None:
        return Check(name="CPU isolation", status="ok", detail=f"{where}; none is isolated")
    return Check(
        name="CPU isolation",
        status="ok",
        detail=f"{where}; {info.cpu.isolated} are isolated (taskset -c {info.cpu.isolated} "
        "stratoperf run ... uses them)",
    )
