"""Migration to a GPU's memory and back, beside a plain loop of pinned copies and plain files."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import stratoperf as sp
from side_by_side import Goal, Row
from stratoperf import backends
from stratoperf.stratoswarm.memory import TierManager, find, operations, tiers
from topics import memory_peers as peers
from topics.consensus_gpu import Claim, checked
from topics.single_iterations import quantile_us

MIB = 1 << 20
LARGE = (64 * MIB, 256 * MIB)
SMALL_COUNT = 60
BUDGET_BYTES = 16 << 30
PINNED = "a loop of pinned cudaMemcpyAsync"
TO_GPU, FROM_GPU = ("cpu", "gpu"), ("gpu", "cpu")

Sides = tuple[Callable[[], float], Callable[[], float]]


def measure() -> Iterator[Row]:
    """Hold migrations with a device to their goals; without one each row says why."""
    missing = backends.unavailable_reason("cuda")
    for claim in claims():
        yield claim.row(missing)
    disk = next((tier for tier in tiers() if tier.is_disk and tier.reason is None), None)
    no_disk = missing or (None if disk else "no disk that can be written to")
    for claim in disk_claims():
        yield claim.row(no_disk)


def claims() -> list[Claim]:
    """Return what is claimed of a device and CPU memory."""
    large = [
        Claim(
            f"migrate {size // MIB} MiB, {source} to {target}",
            PINNED,
            "GB/s",
            "higher",
            Goal("ratio", ">=", 0.95),
            partial(beside_pinned, source, target, size, 0.5, partial(gigabytes, size)),
            "each copy waits for the one before",
        )
        for source, target in (TO_GPU, FROM_GPU)
        for size in LARGE
    ]
    small = [
        Claim(
            f"migrate 1 MiB, {source} to {target}, p95",
            PINNED,
            "us",
            "lower",
            Goal("value", "<=", 100.0),
            partial(beside_pinned, source, target, MIB, 0.95, lambda us: us),
            "end to end",
        )
        for source, target in (TO_GPU, FROM_GPU)
    ]
    return large + small


def disk_claims() -> list[Claim]:
    """Return what is claimed of a device and a disk."""
    return [
        Claim(
            f"migrate 1 MiB, {source} to {target}, p95",
            "pread" if source == "disk" else "pwrite and fdatasync",
            "us",
            "lower",
            Goal("value", "<=", 1000.0),
            partial(beside_file, source, target),
            "the peer goes to CPU memory only",
        )
        for source, target in (("gpu", "disk"), ("disk", "gpu"))
    ]


def gigabytes(size: int, microseconds: float) -> float:
    """Return GB a second."""
    return size / microseconds / 1e3


def beside_pinned(
    source: str, target: str, size: int, quantile: float, shown: Callable[[float], float]
) -> Sides:
    """Return how a migration and a plain copy of the same size are measured."""
    manager = TierManager(use=["gpu", "cpu"])
    ours = migration(manager, source, target, size)
    places = [{"cpu": "pinned", "gpu": "device"}[name] for name in (source, target)]
    plain = checked(sp.Operation(backends.cuda_module().copy.operation(size, *places)))
    return lambda: shown(quantile_us(ours, quantile)), lambda: shown(quantile_us(plain, quantile))


def beside_file(source: str, target: str) -> Sides:
    """Return how a migration with a disk and plain system calls are measured."""
    manager = TierManager(use=["gpu", "disk"], budget_bytes=BUDGET_BYTES)
    operation = migration(manager, source, target, MIB)
    plain = peers.PlainFile(find("disk", manager.tiers), MIB)
    call = plain.read if source == "disk" else plain.write

    def ours() -> float:
        limited = sp.Operation(operation.work, max_iterations=SMALL_COUNT + 1)
        measured = sp.measure(
            limited,
            warmup_s=0,
            max_duration_s=60,
            min_iterations=SMALL_COUNT,
            precision=0,
            batch=1,
        )
        return measured.quantile(0.95).value / 1e3

    return ours, lambda: peers.p95(peers.repeated(call, SMALL_COUNT)) / 1e3


def migration(manager: TierManager, source: str, target: str, size: int) -> sp.Operation:
    """Return a calibrated migration whose blocks were found intact."""
    operation = operations.migrate(manager, source, target, size)
    sp.measure(
        sp.Operation(operation.work, verify=operation.verify, max_iterations=4),
        warmup_s=0,
        max_duration_s=10,
        min_iterations=3,
        precision=0,
        batch=1,
    )
    return operation
