"""Gather the facts of the machine into one record."""

from __future__ import annotations

import hashlib
import json
import os
import platform
import shlex
import sys
from pathlib import Path

import msgspec
import numpy as np

from stratoperf import clock
from stratoperf.monitor.cpu import cpu
from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.gpu import gpus
from stratoperf.monitor.memory import memory
from stratoperf.monitor.model import Clock, Cpu, Gpu, Kernel, Memory, Os, Python, SystemInfo
from stratoperf.monitor.noise_checks import noise_checks
from stratoperf.monitor.virtualization import virtualization

# Boot options that change how long code takes.
TIMING_OPTIONS = ("isolcpus", "nohz", "nohz_full", "rcu_nocbs", "mitigations", "tsc", "clocksource")
CLOCKSOURCE = "/sys/devices/system/clocksource/clocksource0"
GIB = 1 << 30


def system(root: str | Path = "/") -> SystemInfo:
    """Return the facts of this machine, with noise warnings.

    It only reads files (and asks the GPU driver where one is loaded); nothing is changed, and
    what is not readable is ``None``.

    Parameters
    ----------
    root
        The directory that stands for ``/``, for tests.
    """
    files = SystemFiles(root)
    processor, ram, devices = cpu(files), memory(files), gpus(files)
    around = virtualization(files)
    bare = SystemInfo(
        id=_identity(processor, ram, devices, around.hypervisor),
        cpu=processor,
        memory=ram,
        gpus=devices,
        kernel=_kernel(files),
        os=_os(files),
        python=_python(),
        clock=Clock(**clock.info()._asdict()),
        virtualization=around,
        warnings=[],
    )
    warnings = [check.detail for check in noise_checks(bare) if check.status == "warning"]
    return msgspec.structs.replace(bare, warnings=warnings)


def _identity(processor: Cpu, ram: Memory, devices: list[Gpu], hypervisor: str | None) -> str:
    """Return twelve hexadecimal digits that stay until the hardware changes.

    Software (kernel, Python) and settings (governor, affinity) stay out: they change on the
    same machine, and comparisons want to see such a change beside an equal id. Memory counts
    in whole GiB, because each kernel reserves a slightly different part.
    """
    facts = [
        processor.architecture,
        processor.vendor,
        processor.model,
        processor.board,
        processor.physical_cores,
        processor.logical_cores,
        [(cache.level, cache.type, cache.size_bytes) for cache in processor.caches],
        None if ram.total_bytes is None else round(ram.total_bytes / GIB),
        [(gpu.name, gpu.memory_bytes) for gpu in devices],
        hypervisor,
    ]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()[:12]


def _kernel(files: SystemFiles) -> Kernel:
    name = os.uname()
    line = files.text("/proc/cmdline") or ""
    try:
        options = shlex.split(line, posix=False)
    except ValueError:
        # A quote without its other one.
        options = line.split()
    return Kernel(
        name=name.sysname,
        release=name.release,
        version=name.version,
        clocksource=files.text(f"{CLOCKSOURCE}/current_clocksource"),
        boot_options=[option for option in options if option.partition("=")[0] in TIMING_OPTIONS],
    )


def _os(files: SystemFiles) -> Os:
    rows = {}
    for line in (files.text("/etc/os-release") or "").splitlines():
        key, _, value = line.partition("=")
        rows[key] = value.strip("'\"")
    try:
        libc = os.confstr("CS_GNU_LIBC_VERSION")
    except (OSError, ValueError):
        libc = None
    return Os(
        name=rows.get("PRETTY_NAME"), id=rows.get("ID"), version=rows.get("VERSION_ID"), libc=libc
    )


def _python() -> Python:
    enabled = getattr(sys, "_is_gil_enabled", None)  # Python 3.13 and later
    return Python(
        version=platform.python_version(),
        implementation=platform.python_implementation(),
        gil=enabled() if enabled is not None else True,
        numpy=np.__version__,
    )
