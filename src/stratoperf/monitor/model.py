"""What is known about a machine: plain records, with ``None`` for unknown facts."""

from __future__ import annotations

from typing import Literal

import msgspec

from stratoperf import media


class Cache(msgspec.Struct, frozen=True, kw_only=True):
    """One cache as the first usable CPU sees it; `shared_by` counts logical CPUs."""

    level: int
    type: str
    size_bytes: int
    shared_by: int | None


class Cpu(msgspec.Struct, frozen=True, kw_only=True):
    """The processor and its settings.

    Attributes
    ----------
    model, vendor, board
        Names that the kernel reports; `board` is the device tree's model (Raspberry Pi).
    architecture
        ``x86_64``, ``aarch64``, ...
    physical_cores, logical_cores
        Numbers of the whole machine, without offline CPUs.
    smt
        Whether several hardware threads share a core now.
    min_mhz, max_mhz, base_mhz
        Limits of the frequency scaling, and the frequency without turbo.
    governor, driver
        Governor and driver of the frequency scaling.
    turbo
        Whether the CPU may exceed its base frequency.
    features
        SIMD and clock features that stratoperf may use, in the kernel's spelling.
    affinity, isolated
        CPU lists (``0-3,8``): the CPUs that this process may use, and those that are isolated.
    quota_cpus
        Number of CPUs that the control group grants per period; ``None`` without a limit.
    """

    model: str | None
    vendor: str | None
    board: str | None
    architecture: str
    physical_cores: int | None
    logical_cores: int | None
    smt: bool | None
    min_mhz: float | None
    max_mhz: float | None
    base_mhz: float | None
    governor: str | None
    driver: str | None
    turbo: bool | None
    caches: list[Cache]
    features: list[str]
    affinity: str
    isolated: str | None
    quota_cpus: float | None


class Memory(msgspec.Struct, frozen=True, kw_only=True):
    """Memory in bytes; `limit_bytes` is the control group's limit, ``None`` without one."""

    total_bytes: int | None
    available_bytes: int | None
    limit_bytes: int | None
    swap_total_bytes: int | None
    swap_used_bytes: int | None
    page_bytes: int
    huge_page_bytes: int | None
    huge_pages_total: int | None
    huge_pages_free: int | None
    transparent_huge_pages: str | None


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """One GPU as its driver describes it; serial numbers are left out on purpose."""

    index: int
    name: str
    memory_bytes: int | None
    compute_capability: str | None
    driver: str | None
    max_sm_mhz: int | None
    power_limit_watts: float | None
    pcie_generation: int | None
    pcie_width: int | None
    persistence: bool | None
    mig: bool | None


class Kernel(msgspec.Struct, frozen=True, kw_only=True):
    """The running kernel.

    `clocksource` is what its own clocks read; `boot_options` holds those that bear on timing
    (isolcpus, ...).
    """

    name: str
    release: str
    version: str
    clocksource: str | None
    boot_options: list[str]


class Os(msgspec.Struct, frozen=True, kw_only=True):
    """The distribution and the C library."""

    name: str | None
    id: str | None
    version: str | None
    libc: str | None


class Python(msgspec.Struct, frozen=True, kw_only=True):
    """The interpreter; `gil` tells whether the global lock is on."""

    version: str
    implementation: str
    gil: bool
    numpy: str


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """The clock behind every sample: the fields of `stratoperf.clock.ClockInfo`."""

    source: str
    frequency_hz: float
    resolution_ns: float
    overhead_ns: float
    drift_ppm: float
    reason: str


class Virtualization(msgspec.Struct, frozen=True, kw_only=True):
    """The virtualization between the process and the hardware.

    Attributes
    ----------
    hypervisor
        Its name, ``"unknown"`` for a hypervisor without a name, or ``None``.
    container
        The container manager's name, or ``None``.
    """

    hypervisor: str | None
    container: str | None


class SystemInfo(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that a reader needs to judge where a measurement was taken.

    Attributes
    ----------
    id
        Twelve hexadecimal digits from the hardware's lasting facts (CPU, memory, GPUs,
        hypervisor). Machines of one model share it; no name of host or user enters it.
    warnings
        What makes this machine noisy, in plain words.
    """

    id: str
    cpu: Cpu
    memory: Memory
    gpus: list[Gpu]
    kernel: Kernel
    os: Os
    python: Python
    clock: Clock
    virtualization: Virtualization
    warnings: list[str]

    def _repr_html_(self) -> str:
        return media.html(self)


Status = Literal["ok", "warning", "missing", "unknown"]
Topic = Literal["measures", "noise", "limits"]


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One finding of the doctor.

    Attributes
    ----------
    name
        The subject of the check.
    status
        ``ok``; ``warning``: it works but disturbs or limits; ``missing``: something cannot be
        measured; ``unknown``: the machine does not report it.
    detail
        The finding in plain words.
    remedy
        The command that fixes it, or advice where no command can; ``None`` for ``ok``.
    topic
        ``measures`` (what can be measured), ``noise`` or ``limits``.
    """

    name: str
    status: Status
    detail: str
    remedy: str | None = None
    topic: Topic = "noise"
