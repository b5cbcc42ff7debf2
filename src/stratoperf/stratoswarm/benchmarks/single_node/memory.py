"""Memory tiers: migration, page faults, bandwidth and allocation."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

from stratoperf import benchmark
from stratoperf.backends import unavailable_reason
from stratoperf.errors import InvalidParameter, PrerequisiteMissing, did_you_mean
from stratoperf.operation import Operation
from stratoperf.stratoswarm.claims import MIGRATION_LATENCY
from stratoperf.stratoswarm.memory import MAX_BLOCK, TierManager, find, operations, tiers
from stratoperf.stratoswarm.memory.assignments import assignments
from stratoperf.stratoswarm.memory.routes import Route, Size, Transfer, parse_tier

MIB = 1 << 20

STREAM_BYTES = 256 * MIB
"""STREAM asks for four times the last-level cache; few have more than 64 MiB of it."""

MODES = ("pool", "fresh")

POOL_BLOCKS = 100
"""Of 1 MiB each, as published."""


def _on_disk(*names: str) -> bool:
    if "gpu" in names and unavailable_reason("cuda") is not None:
        return False
    return any(not name.startswith(("cpu", "huge", "gpu")) for name in names)


def _check_assignments() -> None:
    """Reject a setting of the environment that assigns directories to no kind of disk."""
    for sentence in assignments().wrong:
        raise InvalidParameter(sentence)


def _check_migration(route: str, size: int) -> None:
    _check_assignments()
    Size.parse(size, at_most=MAX_BLOCK)
    Route.parse(route)


def _check_transfer(transfer: str, size: int) -> None:
    _check_assignments()
    Size.parse(size)
    Transfer.parse(transfer)


def _check_allocation(tier: str, mode: str) -> None:
    _check_assignments()
    parse_tier(tier)
    if mode not in MODES:
        raise InvalidParameter(f"mode: {mode!r} is unknown; {did_you_mean(mode, MODES)}")


def _check_fault(kind: str) -> None:
    if kind not in operations.FAULTS:
        raise InvalidParameter(
            f"kind: {kind!r} is unknown; {did_you_mean(kind, operations.FAULTS)}"
        )


def _migrated_bytes(route: str, size: int, duration_s: float) -> int:
    # Into the disk or out of it: the blocks are brought back.
    on_disk = _on_disk(*Route.parse(route))
    return operations.disk_limits(size, duration_s).bytes if on_disk else 0


def _transferred_bytes(transfer: str, size: int, duration_s: float) -> int:
    chosen = Transfer.parse(transfer)
    if not _on_disk(*chosen.tiers):
        return 0
    if chosen.access == "read" or not _on_disk(chosen.tiers[-1]):
        return size + operations.calibration_bytes(size)
    return operations.disk_limits(size, duration_s).bytes


def _filling_s(route: str, size: int) -> float:
    """Return the seconds that random blocks take to make, at 0.4 GB/s, and to check."""
    on_disk = _on_disk(*Route.parse(route))
    together = operations.FOOTPRINT_BYTES if on_disk else operations.COPY_FOOTPRINT_BYTES
    return max(size, together) / 400e6


def _fault_bytes(kind: str) -> int:
    on_disk = kind in (operations.SERVED, operations.MAJOR)
    return operations.FAULT_REGION_BYTES if on_disk else 0


@contextlib.contextmanager
def _manager(names: Sequence[str], budget_bytes: int = 0) -> Iterator[TierManager]:
    """Open the tiers of these names or kinds; what is missing here skips the case."""
    found = tiers()
    for name in names:
        try:
            find(name, found)
        except InvalidParameter as error:
            raise PrerequisiteMissing(str(error)) from None
    with TierManager(use=names, budget_bytes=max(budget_bytes, 1)) as manager:
        yield manager


@benchmark(
    "memory.migrate",
    params={
        "route": [
            "cpu:disk",
            "disk:cpu",
            "huge:disk",
            "disk:huge",
            "cpu:huge",
            "huge:cpu",
            "cpu:gpu",
            "gpu:cpu",
            "huge:gpu",
            "gpu:huge",
            "disk:gpu",
            "gpu:disk",
        ],
        # The size that the published claim speaks of comes first.
        "size": [MIB, 4096, 10 * MIB, 100 * MIB, 1024 * MIB],
    },
    target=MIGRATION_LATENCY,
    disk_bytes=_migrated_bytes,
    setup_s=_filling_s,
    check=_check_migration,
)
def memory_migrate(route: str, size: int, duration_s: float) -> Iterator[Operation]:
    """Migrate a block to another tier: durable there, and its room in the old one free.

    A route names two tiers, or their kinds: ``cpu`` is the memory of the first NUMA node in 4 KiB
    pages, ``huge`` the same in huge pages, ``disk`` the fastest disk, ``gpu`` the memory of the
    first device, beside which CPU memory is page-locked. With a disk the bytes written are bounded,
    less in a short run: the largest blocks move a few times only, and not at all in a quick look.
    """
    source, target = Route.parse(route)
    with _manager([source, target], _migrated_bytes(route, size, duration_s)) as manager:
        yield operations.migrate(manager, source, target, size, duration_s=duration_s)


@benchmark(
    "memory.bandwidth",
    params={
        "transfer": [
            "read:cpu",
            "write:cpu",
            "copy:cpu:cpu",
            "read:huge",
            "write:huge",
            "copy:cpu:huge",
            "copy:huge:cpu",
            "read:disk",
            "write:disk",
            "copy:cpu:disk",
            "copy:disk:cpu",
            "copy:cpu:gpu",
            "copy:gpu:cpu",
            "copy:huge:gpu",
            "copy:gpu:huge",
            "copy:disk:gpu",
            "copy:gpu:disk",
            "copy:gpu:gpu",
        ],
        "size": [STREAM_BYTES],
    },
    # Version 1 copied within one memory with one thread; now it is calibrated as the others are.
    version=2,
    disk_bytes=_transferred_bytes,
    setup_s=1.0,
    check=_check_transfer,
)
def memory_bandwidth(transfer: str, size: int, duration_s: float) -> Iterator[Operation]:
    """Read, write or copy a large piece of memory or of a file.

    A copy between memories of one kind counts every byte twice, as STREAM does; all others count
    once, as fio and nvbandwidth do. See `stratoperf.memory.operations.bandwidth`.
    """
    chosen = Transfer.parse(transfer)
    with _manager(chosen.tiers, _transferred_bytes(transfer, size, duration_s)) as manager:
        yield operations.bandwidth(manager, *chosen, size=size, duration_s=duration_s)


@benchmark(
    "memory.allocate",
    params={"tier": ["cpu", "huge", "disk", "gpu"], "mode": MODES},
    check=_check_allocation,
)
def memory_allocate(tier: str, mode: str) -> Iterator[Operation]:
    """Allocate 1 MiB in a tier and free it.

    ``pool`` allocates 100 blocks and frees them, from room that the tier keeps; ``fresh`` takes
    one block from the system, with its pages or its place on the disk, and gives it back.
    """
    fresh = mode == "fresh"
    with _manager([tier]) as manager:
        yield operations.allocate(
            manager, tier, MIB, count=1 if fresh else POOL_BLOCKS, fresh=fresh
        )


@benchmark(
    "memory.page_fault",
    params={"kind": operations.FAULTS},
    # Version 1 took two faults for one: it read the page before it wrote to it.
    version=2,
    disk_bytes=_fault_bytes,
    check=_check_fault,
)
def memory_page_fault(kind: str) -> Operation:
    """Touch one page that is not there: until the instruction goes on.

    ``minor`` gets a cleared 4 KiB page, ``huge`` one of 2 MiB, ``userfaultfd`` one that another
    thread copies from a disk, and ``major`` one of a mapped file that is read from the disk.
    """
    return operations.page_fault(kind)
