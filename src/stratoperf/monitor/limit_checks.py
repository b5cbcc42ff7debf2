"""Limits of the user and of the disk that larger benchmarks run into."""

from __future__ import annotations

import os
import resource
import shutil
from pathlib import Path

from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.model import Check

MEMLOCK_BYTES = 64 << 20
"""Pinned buffers of the memory tier benchmarks; the usual default of 8 MiB does not hold one."""

OPEN_FILES = 16_384
"""10,000 live agents with a descriptor each, and room for pipes and control groups."""

PROCESSES = 16_384
"""10,000 live agents are as many processes."""

DISK_BYTES = 2 << 30
"""Samples of a full run and the files that the tier benchmarks write and read back."""


def limit_checks(files: SystemFiles, output: Path) -> list[Check]:
    """Return checks of the resource limits and of the free space at `output`."""
    return [
        _limit("locked memory", resource.RLIMIT_MEMLOCK, MEMLOCK_BYTES, "-l", scale=1024),
        _limit("open files", resource.RLIMIT_NOFILE, OPEN_FILES, "-n"),
        _limit("processes", resource.RLIMIT_NPROC, PROCESSES, "-u"),
        _process_ids(files),
        _disk(output),
    ]


def _limit(name: str, which: int, wanted: int, option: str, scale: int = 1) -> Check:
    """Compare a soft limit; `scale` is the unit in which the shell's ``ulimit`` counts."""
    soft, hard = resource.getrlimit(which)
    unlimited = resource.RLIM_INFINITY
    if soft == unlimited or soft >= wanted:
        shown = "unlimited" if soft == unlimited else _count(soft, scale)
        return Check(name=name, status="ok", detail=shown, topic="limits")
    command = f"ulimit {option} {wanted // scale}"
    reachable = hard == unlimited or hard >= wanted
    return Check(
        name=name,
        status="warning",
        detail=f"{_count(soft, scale)}; large benchmarks need {_count(wanted, scale)}",
        remedy=command if reachable else f"sudo prlimit --pid $$ {_prlimit(which, wanted)}",
        topic="limits",
    )


def _count(value: int, scale: int) -> str:
    return f"{value / (1 << 20):g} MiB" if scale > 1 else f"{value:,}"


def _prlimit(which: int, wanted: int) -> str:
    names = {
        resource.RLIMIT_MEMLOCK: "memlock",
        resource.RLIMIT_NOFILE: "nofile",
        resource.RLIMIT_NPROC: "nproc",
    }
    return f"--{names[which]}={wanted}:{wanted}"


def _process_ids(files: SystemFiles) -> Check:
    highest = files.integer("/proc/sys/kernel/pid_max")
    if highest is None:
        return Check(
            name="process ids",
            status="unknown",
            detail="the kernel does not report it",
            topic="limits",
        )
    if highest >= 2 * PROCESSES:
        return Check(name="process ids", status="ok", detail=f"up to {highest:,}", topic="limits")
    return Check(
        name="process ids",
        status="warning",
        detail=f"up to {highest:,}; 10,000 agents need twice {PROCESSES:,}",
        remedy="sudo sysctl kernel.pid_max=4194304",
        topic="limits",
    )


def _disk(output: Path) -> Check:
    # The folder may not exist yet: the nearest parent that does lies on the same file system.
    folder = next(parent for parent in (output, *output.absolute().parents) if parent.exists())
    name = f"disk at {output}"
    if not os.access(folder, os.W_OK):
        return Check(
            name=name,
            status="missing",
            detail=f"{folder} is not writable: results cannot be saved",
            remedy="stratoperf run --output DIR  # a writable folder",
            topic="limits",
        )
    free = shutil.disk_usage(folder).free
    if free >= DISK_BYTES:
        return Check(name=name, status="ok", detail=f"{free / 2**30:.1f} GiB free", topic="limits")
    return Check(
        name=name,
        status="warning",
        detail=f"{free / 2**20:.0f} MiB free; a full run needs {DISK_BYTES / 2**30:g} GiB",
        remedy="stratoperf run --output DIR  # on a disk with more room",
        topic="limits",
    )
