"""Migration between memory tiers, beside fio, plain copies and plain system calls."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import numpy as np

import stratoperf as sp
from side_by_side import Goal, Row, missing, side_by_side
from stratoperf.stratoswarm.memory import Tier, TierManager, operations, tiers
from topics import memory_gpu
from topics import memory_peers as peers

MIB = 1 << 20
SMALL = MIB
DISK_SIZES = (64 * MIB, 256 * MIB)
COPY_SIZES = (64 * MIB, 256 * MIB)
COPIED_BYTES = 256 * MIB
"""Bytes that each side of a pair moves, in as many migrations as that takes."""

PAIRS = 9
SMALL_COUNT = 60
BUDGET_BYTES = 48 << 30
PAGES = 256


def measure() -> Iterator[Row]:
    """Hold migrations to their goals, between every two tiers that can be used here."""
    use = [tier.name for tier in tiers() if tier.reason is None and tier.kind != "gpu"]
    with TierManager(use=use, budget_bytes=BUDGET_BYTES) as manager:
        memories = [tier for tier in manager.tiers if not tier.is_disk]
        disks = [tier for tier in manager.tiers if tier.is_disk]
        for disk in disks:
            for size in DISK_SIZES:
                yield from _beside_fio(manager, disk, size)
        for source, other in _ordered_pairs(memories):
            for size in COPY_SIZES:
                yield _beside_copies(manager, source, other, size)
        for entry, other in _ordered_pairs([*memories, *disks]):
            yield _small(manager, entry, other)
        if disks:
            yield _pages(manager, memories[0], disks[0])
    yield from memory_gpu.measure()


def _ordered_pairs(tiers: list[Tier]) -> list[tuple[Tier, Tier]]:
    return [(tier, other) for tier in tiers for other in tiers if tier != other]


@contextmanager
def _migration(
    manager: TierManager, source: Tier, target: Tier, size: int, pages: int = 1
) -> Iterator[sp.Operation]:
    """Prepare migrations whose blocks are freed afterwards."""
    before = set(manager.blocks)
    operation = operations.migrate(manager, source, target, size, pages=pages)
    yield sp.Operation(operation.work, items=size, verify=operation.verify)
    for block in set(manager.blocks) - before:
        manager.free(block)


def _sampled(operation: sp.Operation, count: int) -> sp.Measurement:
    """Take `count` samples after one iteration to warm up; every block is verified."""
    return sp.measure(
        sp.Operation(operation.work, items=operation.items, max_iterations=count + 1),
        warmup_s=0,
        max_duration_s=60,
        min_iterations=count,
        precision=0,
        batch=1,
    )


def _rate(operation: sp.Operation, count: int) -> Callable[[], float]:
    return lambda: _sampled(operation, count).throughput().value / 1e9


def _beside_fio(manager: TierManager, disk: Tier, size: int) -> list[Row]:
    memory = manager.tiers[0]
    count = max(COPIED_BYTES // size, 1)
    rows = []
    for source, target, access in ((memory, disk, "write"), (disk, memory, "read")):
        name = f"migrate {size // MIB} MiB, {source.name} to {target.name}"
        goal = Goal("ratio", ">=", 0.95)
        with ExitStack() as stack:
            operation = stack.enter_context(_migration(manager, source, target, size))
            ours = _rate(operation, count)
            if peers.fio() is None:
                row = missing(name, "fio", "GB/s", "higher", peers.INSTALL_FIO, ours(), goal)
                rows.append(row)
                continue
            tuning = manager.tuning(source, target, size)
            fio = peers.Fio(disk, size)
            stack.callback(fio.close)
            peer = functools.partial(fio.bandwidth, access, tuning, count)
            rows.append(
                side_by_side(
                    name,
                    ours,
                    peer,
                    peer_name=f"fio, {access}",
                    unit="GB/s",
                    better="higher",
                    goal=goal,
                    pairs=PAIRS,
                    note=f"ours {tuning.method}; both: block size "
                    f"{tuning.chunk_bytes // 1024} KiB, queue depth {tuning.threads}, fdatasync "
                    f"after each {size // MIB} MiB written; the better of fio's io_uring and "
                    "psync, which use one small buffer in 4 KiB pages again and again",
                )
            )
    return rows


def _beside_copies(manager: TierManager, source: Tier, target: Tier, size: int) -> Row:
    count = max(COPIED_BYTES // size, 1)
    copies = peers.Copies(size, count, from_huge=source.is_huge, to_huge=target.is_huge)
    best = copies.best_way()
    with _migration(manager, source, target, size) as operation:
        tuning = manager.tuning(source, target, size)
        return side_by_side(
            f"migrate {size // MIB} MiB, {source.name} to {target.name}",
            lambda: size / _sampled(operation, count).quantile(0.5).value,
            lambda: size / float(np.median(copies.ways()[best]())),
            peer_name=best,
            unit="GB/s",
            better="higher",
            goal=Goal("ratio", ">=", 0.95),
            pairs=PAIRS,
            note=f"ours: {tuning.method}, {tuning.threads} thread(s); {best} was the fastest of "
            "memcpy, NumPy and streaming stores, one thread into pages of the same kind that are "
            "there already",
        )


def _small(manager: TierManager, source: Tier, target: Tier) -> Row:
    """Hold the p95 of one MiB to the published claim."""
    name = f"migrate 1 MiB, {source.name} to {target.name}, p95"
    with ExitStack() as stack:
        operation = stack.enter_context(_migration(manager, source, target, SMALL))
        if target.is_disk or source.is_disk:
            plain = peers.PlainFile(target if target.is_disk else source, SMALL)
            stack.callback(plain.close)
            call = plain.write if target.is_disk else plain.read
            peer_name = "pwrite and fdatasync" if target.is_disk else "pread"

            def peer() -> float:
                return peers.p95(peers.repeated(call, SMALL_COUNT)) / 1e3

        else:
            copies = peers.Copies(
                SMALL, SMALL_COUNT, from_huge=source.is_huge, to_huge=target.is_huge
            )
            peer_name = copies.best_way()
            way = copies.ways()[peer_name]

            def peer() -> float:
                return peers.p95(way()) / 1e3

        row = side_by_side(
            name,
            lambda: _sampled(operation, SMALL_COUNT).quantile(0.95).value / 1e3,
            peer,
            peer_name=peer_name,
            unit="us",
            goal=Goal("value", "<=", 1000.0),
            pairs=PAIRS,
        )
    row.note = _bound(row, source, target)
    return row


def _bound(row: Row, source: Tier, target: Tier) -> str:
    """Return what bounds the time of one MiB."""
    assert row.peer is not None
    what = "the disk" if source.is_disk or target.is_disk else "the memory"
    if row.met:
        return f"{what} bounds it: a plain loop takes {row.peer:.0f} us"
    return f"misses 1 ms; {what} bounds it: a plain loop takes {row.peer:.0f} us"


def _pages(manager: TierManager, source: Tier, target: Tier) -> Row:
    """Show what moving many pages as one saves."""
    with (
        _migration(manager, source, target, PAGES * peers.PAGE, PAGES) as together,
        _migration(manager, source, target, peers.PAGE) as alone,
    ):
        return side_by_side(
            f"migrate {PAGES} pages of 4 KiB, {source.name} to {target.name}, as one",
            lambda: _sampled(together, 20).quantile(0.5).value / 1e3,
            lambda: _sampled(alone, 100).quantile(0.5).value / 1e3 * PAGES,
            peer_name="the same pages one by one",
            unit="us",
            pairs=PAIRS,
            note="each migration ends with an fdatasync",
        )
