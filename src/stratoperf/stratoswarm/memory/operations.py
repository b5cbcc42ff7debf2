"""Work on memory tiers as operations: what the benchmarks ``memory.*`` measure."""

from __future__ import annotations

import numpy as np

from stratoperf import arguments
from stratoperf.errors import InvalidParameter, PrerequisiteMissing, did_you_mean
from stratoperf.operation import Operation
from stratoperf.stratoswarm.memory.content import random_content
from stratoperf.stratoswarm.memory.limits import (
    COPY_FOOTPRINT_BYTES,
    FOOTPRINT_BYTES,
    MAX_BLOCKS,
    STANDARD_S,
    Limits,
    calibration_bytes,
    checked_limits,
    disk_limits,
)
from stratoperf.stratoswarm.memory.manager import TierManager
from stratoperf.stratoswarm.memory.opening import MAX_BLOCK, need_usual_pages, on_main_thread
from stratoperf.stratoswarm.memory.page_faults import (
    FAULT_REGION_BYTES,
    FAULTS,
    HUGE,
    MAJOR,
    MINOR,
    SERVED,
    page_fault,
)
from stratoperf.stratoswarm.memory.routes import ACCESSES, Size, gpu_access
from stratoperf.stratoswarm.memory.tier import Tier

__all__ = [
    "ACCESSES",
    "COPY_FOOTPRINT_BYTES",
    "FAULTS",
    "FAULT_REGION_BYTES",
    "FOOTPRINT_BYTES",
    "HUGE",
    "MAJOR",
    "MINOR",
    "SERVED",
    "Limits",
    "allocate",
    "bandwidth",
    "calibration_bytes",
    "disk_limits",
    "migrate",
    "page_fault",
]


def migrate(
    manager: TierManager,
    source: str | Tier,
    target: str | Tier,
    size: int,
    *,
    pages: int = 1,
    duration_s: float = STANDARD_S,
) -> Operation:
    """Return the operation that migrates one block an iteration, calibrated for this machine.

    The blocks hold random bytes and take turns. Each block is checked after it moved, and moved
    back when all have moved, outside the timed region. With a disk, `disk_limits` limits the number
    of iterations.

    Parameters
    ----------
    manager
        A manager that has both tiers.
    source, target
        The tiers that the blocks move between.
    size
        Number of bytes that move in one iteration.
    pages
        Number of blocks, of ``size / pages`` bytes each, that move as one.
    duration_s
        Maximum sampling time, in seconds; a shorter time writes less to a disk.

    Raises
    ------
    InvalidParameter
        For equal tiers, or for a size that is out of range.
    PrerequisiteMissing
        When a tier has no room for a block, or the block is too large for this sampling time.
    StratoperfError
        When a tier has no room.
    """
    source, target = manager.tier(source), manager.tier(target)
    if source == target:
        raise InvalidParameter(f"target: a block cannot migrate from {source.name} to itself")
    size = Size.parse(size, at_most=MAX_BLOCK, parts=pages)
    each = size // pages
    limits = checked_limits(size, duration_s) if source.is_disk or target.is_disk else None
    room = min(manager.capacity_bytes(source), manager.capacity_bytes(target)) // size
    if room < 1:
        raise PrerequisiteMissing(
            f"{source.name} and {target.name} must each hold {size} bytes, which is more than "
            "the allowed share of the free space; free some"
        )
    count = limits.blocks if limits else max(1, min(MAX_BLOCKS, COPY_FOOTPRINT_BYTES // size))
    calibration = manager.calibrate(source, target, size)
    random = np.random.default_rng(size)
    groups = [
        [manager.allocate(each, source, random_content(each, random)).number for _ in range(pages)]
        for _ in range(min(count, room))
    ]
    return Operation(
        manager.store.migrate_operation(groups, manager.index(source), manager.index(target)),
        name="memory.migrate",
        items=size,
        item_unit="bytes",
        max_iterations=limits.iterations if limits else None,
        details={"tiers": manager.details(), "calibration": calibration.details()},
    )


def bandwidth(
    manager: TierManager,
    access: str,
    source: str | Tier,
    target: str | Tier | None = None,
    *,
    size: int,
    duration_s: float = STANDARD_S,
) -> Operation:
    """Return the operation that moves `size` bytes an iteration.

    Its throughput counts bytes like the tools that it can be compared with:

    - ``"copy"`` between two CPU memories is STREAM's Copy, which counts every byte twice, as read
      and as written, and so does one within a GPU's memory; between a CPU's and a GPU's it counts
      once, as in nvbandwidth, and with a disk too, as in fio. A write to
      a disk is complete after ``fdatasync`` (fio's ``end_fsync=1``).
    - ``"read"`` of memory sums it up on one thread; of a disk it is fio's sequential read.
    - ``"write"`` to memory fills it on one thread; to a disk it is fio's sequential write.

    Every copy is calibrated first, within one memory too. A GPU's memory has no read and no write:
    the processor reaches it by copies only (nvbandwidth's host to device and back, which are
    copies between ``cpu`` and ``gpu``), and a device that reads or writes its own memory is seen
    in the copy within ``gpu``.

    Parameters
    ----------
    manager
        A manager that has the tiers.
    access
        ``"read"``, ``"write"`` or ``"copy"``.
    source
        The tier to read, to write, or to copy from.
    target
        The tier to copy to.
    size
        Size in bytes, a multiple of 4096. STREAM asks for four times the last-level cache.
    duration_s
        Maximum sampling time, in seconds; a shorter time writes less to a disk.

    Raises
    ------
    InvalidParameter
        For an unknown access, a read or write of a GPU's memory, a target with a read or write,
        or a size out of range.
    PrerequisiteMissing
        When the sampling time is too short to write this much to a disk.
    """
    if access not in ACCESSES:
        raise InvalidParameter(f"access: {access!r} is unknown; {did_you_mean(access, ACCESSES)}")
    if (target is None) == (access == "copy"):
        raise InvalidParameter(
            f"target: expected a tier for a copy, and None for a read or write, got {target!r}"
        )
    size = Size.parse(size)
    first = manager.tier(source)
    second = first if target is None else manager.tier(target)
    if first.kind == "gpu" and target is None:
        raise gpu_access(access)
    details = {"tiers": manager.details()}
    disks = [tier for tier in (first, second) if tier.is_disk]
    written = second.is_disk and access != "read"
    limits = checked_limits(size, duration_s) if written else None
    if target is not None:
        found = manager.calibrate(first, second, min(size, MAX_BLOCK))
        details["calibration"] = found.details()
    counted = 2 if access == "copy" and first.kind == second.kind and not disks else 1
    return Operation(
        manager.store.bandwidth_operation(
            access,
            manager.index(first),
            manager.index(second),
            size,
            main_thread=on_main_thread(),
        ),
        name="memory.bandwidth",
        items=counted * size,
        item_unit="bytes",
        max_iterations=limits.iterations if limits else None,
        details=details,
    )


def allocate(
    manager: TierManager, tier: str | Tier, size: int, *, count: int = 1, fresh: bool = False
) -> Operation:
    """Return the operation that allocates `count` blocks an iteration and frees them.

    Parameters
    ----------
    manager
        A manager that has the tier.
    tier
        The tier to allocate in.
    size
        Size of each block, in bytes.
    count
        Number of blocks that exist at once.
    fresh
        Get the room from the system each time (it clears pages, the file system allocates) and
        give it back. By default the tier keeps a pool.

    Raises
    ------
    PrerequisiteMissing
        For fresh memory on a system whose pages are not 4 KiB, because pages are counted.
    """
    chosen = manager.tier(tier)
    if fresh and chosen.kind == "cpu":
        need_usual_pages("allocation from the system")
    return Operation(
        manager.store.allocate_operation(
            manager.index(chosen),
            arguments.count("size", size),
            arguments.count("count", count),
            fresh,
        ),
        name="memory.allocate",
        items=count,
        item_unit="blocks",
        details={"tiers": manager.details()},
    )
