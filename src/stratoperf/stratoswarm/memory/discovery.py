"""Discovery of the tiers of this machine."""

from __future__ import annotations

import os
import warnings
from pathlib import Path

from stratoperf import backends
from stratoperf.authoring import SystemFiles, first_integer, gpus, group_folders, memory
from stratoperf.stratoswarm.memory.assignments import Directories, assignments
from stratoperf.stratoswarm.memory.disk_tiers import disk_tiers
from stratoperf.stratoswarm.memory.tier import PAGE_BYTES, Tier

NO_LIMIT = 1 << 60
"""Version 1 of the control groups writes "no limit" as the largest page-aligned number."""

NODES = "/sys/devices/system/node"


def tiers(
    directories: Directories | None = None, *, root: str | os.PathLike[str] = "/"
) -> list[Tier]:
    """Find the tiers of this machine, the fastest kind first.

    GPU memory is listed per device, by CUDA's numbers, and CPU memory per NUMA node, with 4 KiB and
    with huge pages. The transport and the rotational flag of a disk with a mounted file system
    decide its kind; its files go to the first writable directory on it of these: the directory for
    temporary files, the working directory, the mount point. A tmpfs is CPU memory, never a disk.

    Parameters
    ----------
    directories
        Directories to use, by kind of disk: ``{"nvme": "/mnt/fast"}``. A virtual disk, which hides
        its kind, may be assigned to any kind. The default is the environment variable
        ``STRATOPERF_TIER_DIRECTORIES``, such as ``nvme=/mnt/fast,hdd=/mnt/slow``; an unusable
        directory there becomes a tier with a `Tier.reason`.
    root
        The directory that stands for ``/``, for tests.

    Returns
    -------
    list of Tier
        Unusable tiers have a `Tier.reason`.

    Raises
    ------
    InvalidParameter
        When one of `directories` does not exist, or is not on that kind of disk.

    Warns
    -----
    UserWarning
        When an entry of the environment variable assigns nothing.
    """
    if directories is None:
        for sentence in assignments().wrong:
            warnings.warn(sentence, stacklevel=2)
    return discover(SystemFiles(Path(root)), directories)


def discover(files: SystemFiles, directories: Directories | None = None) -> list[Tier]:
    """Find the tiers; see `tiers`."""
    return [*_gpu_tiers(files), *_cpu_tiers(files), *disk_tiers(files, directories)]


def _gpu_tiers(files: SystemFiles) -> list[Tier]:
    reason = backends.unavailable_reason("cuda")
    if reason is None:
        device = backends.cuda_module().device
        facts = [device.facts(index) for index in range(device.count())]
        return [
            Tier(f"gpu{index}", "gpu", device=fact.name, size_bytes=fact.memory_bytes)
            for index, fact in enumerate(facts)
        ]
    found = gpus(files)
    if not found:
        return [Tier("gpu0", "gpu", reason=f"no GPU was found; {reason}")]
    return [
        Tier(f"gpu{index}", "gpu", device=gpu.name, reason=reason)
        for index, gpu in enumerate(found)
    ]


def _cpu_tiers(files: SystemFiles) -> list[Tier]:
    facts = memory(files)
    frees = [size for size in (facts.available_bytes, _group_free(files)) if size is not None]
    available = min(frees, default=None)
    numbers: list[int | None] = list(files.cpus(f"{NODES}/has_memory"))
    numbers = numbers or [None]
    huge = facts.huge_page_bytes
    why = None
    if facts.transparent_huge_pages in (None, "never") or huge is None:
        why = (
            "transparent huge pages are off: "
            "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"
        )
    found = []
    for number in numbers:
        name = f"cpu{number or 0}"
        free = available if number is None else _node_free(files, number, available, len(numbers))
        found += [
            Tier(name, "cpu", free, PAGE_BYTES, number),
            Tier(
                f"{name}-huge",
                "cpu",
                free,
                huge or 2 << 20,
                number,
                note="transparent huge pages, as the kernel has them",
                reason=why,
            ),
        ]
    return found


def _group_free(files: SystemFiles) -> int | None:
    """Return the free memory under the limits of the control groups; ``None`` without a limit."""
    frees = []
    for folder in group_folders(files, "memory"):
        for most, now in (("max", "current"), ("limit_in_bytes", "usage_in_bytes")):
            limit = files.integer(f"{folder}/memory.{most}")
            if limit is not None and limit < NO_LIMIT:
                frees.append(max(limit - (files.integer(f"{folder}/memory.{now}") or 0), 0))
    return min(frees, default=None)


def _node_free(files: SystemFiles, node: int, available: int | None, nodes: int) -> int | None:
    """Return the free memory of a node; a single node has all that is available."""
    if nodes == 1:
        return available
    for line in (files.text(f"{NODES}/node{node}/meminfo") or "").splitlines():
        words = line.split()
        if len(words) >= 4 and words[2] == "MemFree:":
            free = (first_integer(words[3]) or 0) * 1024
            return free if available is None else min(free, available)
    return None
