"""Work on memory tiers as operations: what the benchmarks ``memory.*`` measure."""

from __future__ import annotations

from typing import NoReturn

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
from stratoperf.stratoswarm.memory.opening import MAX_BLOCK, PAGE, need_usual_pages, on_main_thread
from stratoperf.stratoswarm.memory.page_faults import (
    FAULT_REGION_BYTES,
    FAULTS,
    HUGE,
    MAJOR,
    MINOR,
    SERVED,
    page_fault,
)
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
    "refuse_gpu",
]

ACCESSES = ("read", "write", "copy")
"""What a bandwidth is of."""


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

    The blocks hold random bytes and take turns; each is checked after it moved, and brought back
    when all have moved, outside the timed region. With a disk the number of iterations is limited
    by `disk_limits`.

    Parameters
    ----------
    manager
        With both tiers.
    source, target
        Between which the blocks move.
    size
        Bytes that move in one iteration.
    pages
        Blocks of ``size / pages`` bytes that move as one.
    duration_s
        Seconds that it is sampled for at most; the shorter, the less is written to a disk.

    Raises
    ------
    InvalidParameter
        For equal tiers, or a size out of range.
    PrerequisiteMissing
        When a tier has no room for a block, or the block is too large for so short a duration.
    StratoperfError
        When a tier has no room.
    """
    source, target = manager.tier(source), manager.tier(target)
    if source == target:
        raise InvalidParameter(f"target: a block cannot migrate from {source.name} to itself")
    each, rest = divmod(arguments.count("size", size), arguments.count("pages", pages))
    if rest or each % PAGE:
        raise InvalidParameter(
            f"size: {size} bytes are not {pages} times a multiple of {PAGE}; choose another"
        )
    limits = checked_limits(size, duration_s) if source.is_disk or target.is_disk else None
    room = min(manager.capacity_bytes(source), manager.capacity_bytes(target)) // size
    if room < 1:
        raise PrerequisiteMissing(
            f"{source.name} and {target.name} must both hold {size} bytes, which is more than "
            "the allowed share of what is free; free some"
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

    Its throughput counts bytes as the tools do that it can be laid beside:

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
        With the tiers.
    access
        ``"read"``, ``"write"`` or ``"copy"``.
    source
        The tier to read, to write, or to copy from.
    target
        The tier to copy to.
    size
        In bytes, a multiple of 4096; STREAM asks for four times the last-level cache.
    duration_s
        Seconds that it is sampled for at most; the shorter, the less is written to a disk.

    Raises
    ------
    InvalidParameter
        For an unknown access, a read or write of a GPU's memory, a target where there must be
        none, or a size out of range.
    PrerequisiteMissing
        When so much is not written to a disk for so short a duration.
    """
    if access not in ACCESSES:
        raise InvalidParameter(f"access: {access!r} is unknown; {did_you_mean(access, ACCESSES)}")
    if (target is None) == (access == "copy"):
        raise InvalidParameter(f"target: a copy has one, a read or write has none, got {target!r}")
    size = arguments.count("size", size)
    if size % PAGE:
        raise InvalidParameter(
            f"size: {size} bytes are no multiple of {PAGE}; choose one, such as {1 << 20}"
        )
    first = manager.tier(source)
    second = first if target is None else manager.tier(target)
    if first.kind == "gpu" and target is None:
        refuse_gpu(access)
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


def refuse_gpu(access: str) -> NoReturn:
    """Say what to measure instead of a read or write of a GPU's memory."""
    raise InvalidParameter(
        f"access: a {access} of a GPU's memory is a copy for the processor; measure 'copy' between "
        "'gpu' and 'cpu', or within 'gpu'"
    )


def allocate(
    manager: TierManager, tier: str | Tier, size: int, *, count: int = 1, fresh: bool = False
) -> Operation:
    """Return the operation that allocates `count` blocks an iteration and frees them.

    Parameters
    ----------
    manager
        With the tier.
    tier
        Where.
    size
        Bytes of each block.
    count
        Blocks that are there at once.
    fresh
        Get the room from the system each time (pages are cleared, the file system allocates) and
        give it back. By default the tier keeps it: a pool.

    Raises
    ------
    PrerequisiteMissing
        For memory from a system whose pages do not have 4 KiB: they are counted.
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
