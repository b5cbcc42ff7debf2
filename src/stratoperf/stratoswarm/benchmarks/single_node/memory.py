"""Memory tiers: migration, page faults, bandwidth and allocation."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from stratoperf import benchmark
from stratoperf.backends import unavailable_reason
from stratoperf.errors import InvalidParameter, PrerequisiteMissing, did_you_mean
from stratoperf.operation import Operation
from stratoperf.stratoswarm.claims import MIGRATION_LATENCY
from stratoperf.stratoswarm.memory import MAX_BLOCK, TierManager, find, operations, tiers
from stratoperf.stratoswarm.memory.assignments import assignments
from stratoperf.stratoswarm.memory.choosing import is_name, known
from stratoperf.stratoswarm.memory.opening import PAGE

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


def _check_names(argument: str, value: str, names: list[str]) -> None:
    """Refuse what is the name of a tier on no machine, and directories that are none's."""
    for sentence in assignments().wrong:
        raise InvalidParameter(sentence)
    for name in names:
        if not is_name(name):
            where = "" if name == value else f" in {value!r}"
            raise InvalidParameter(f"{argument}: {name!r}{where} is no tier; {known(tiers())}")


def _check_size(size: int, most: int | None = None) -> None:
    if size < PAGE or size % PAGE or (most is not None and size > most):
        limit = "" if most is None else f" up to {most}"
        raise InvalidParameter(f"size: expected a multiple of {PAGE}{limit}, got {size}")


def _check_migration(route: str, size: int) -> None:
    _check_size(size, MAX_BLOCK)
    names = route.split(":")
    if len(names) != 2:
        raise InvalidParameter(f"route: expected SOURCE:TARGET such as cpu:disk, got {route!r}")
    _check_names("route", route, names)
    if names[0] == names[1]:
        raise InvalidParameter(
            f"route: a block cannot migrate from {names[0]} to itself; name two tiers"
        )


def _check_transfer(transfer: str, size: int) -> None:
    _check_size(size)
    access, *names = transfer.split(":")
    if access not in operations.ACCESSES:
        raise InvalidParameter(
            f"transfer: {access!r} in {transfer!r} is unknown; "
            f"{did_you_mean(access, operations.ACCESSES)}"
        )
    if len(names) != (2 if access == "copy" else 1):
        raise InvalidParameter(
            f"transfer: expected read:TIER, write:TIER or copy:SOURCE:TARGET, got {transfer!r}"
        )
    _check_names("transfer", transfer, names)
    if access != "copy" and names[0].startswith("gpu"):
        operations.refuse_gpu(access)


def _check_allocation(tier: str, mode: str) -> None:
    _check_names("tier", tier, [tier])
    if mode not in MODES:
        raise InvalidParameter(f"mode: {mode!r} is unknown; {did_you_mean(mode, MODES)}")


def _check_fault(kind: str) -> None:
    if kind not in operations.FAULTS:
        raise InvalidParameter(
            f"kind: {kind!r} is unknown; {did_you_mean(kind, operations.FAULTS)}"
        )


def _migrated_bytes(route: str, size: int, duration_s: float) -> int:
    names = route.split(":")
    # Into the disk or out of it: the blocks are brought back.
    return operations.disk_limits(size, duration_s).bytes if _on_disk(*names) else 0


def _transferred_bytes(transfer: str, size: int, duration_s: float) -> int:
    access, *names = transfer.split(":")
    if not _on_disk(*names):
        return 0
    if access == "read" or not _on_disk(names[-1]):
        return size + operations.calibration_bytes(size)
    return operations.disk_limits(size, duration_s).bytes


def _filling_s(route: str, size: int) -> float:
    """Return the seconds that random blocks take to make, at 0.4 GB/s, and to check."""
    on_disk = _on_disk(*route.split(":"))
    together = operations.FOOTPRINT_BYTES if on_disk else operations.COPY_FOOTPRINT_BYTES
    return max(size, together) / 400e6


def _fault_bytes(kind: str) -> int:
    on_disk = kind in (operations.SERVED, operations.MAJOR)
    return operations.FAULT_REGION_BYTES if on_disk else 0


@contextlib.contextmanager
def _manager(names: list[str], budget_bytes: int = 0) -> Iterator[TierManager]:
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
    source, target = route.split(":")
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
    access, *names = transfer.split(":")
    with _manager(names, _transferred_bytes(transfer, size, duration_s)) as manager:
        target = names[1] if len(names) > 1 else None
        yield operations.bandwidth(
            manager, access, names[0], target, size=size, duration_s=duration_s
        )


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
