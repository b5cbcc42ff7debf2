"""What can go wrong while blocks move to a GPU's memory and back."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from memory_fakes import disk_kind, noise
from stratoperf.stratoswarm.memory import Block, TierManager

MIB = 1 << 20
UNKNOWN = 999
OUT_OF_MEMORY = 2
PATIENCE_S = 60


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[TierManager]:
    """Return a manager of a GPU, CPU memory and a disk; tests name the device before it.

    Nothing but this fixture holds it, so that all of it is gone when the device is looked at.
    """
    disk = disk_kind(tmp_path)
    with TierManager({disk: tmp_path}, use=["gpu", "cpu", disk], budget_bytes=1 << 32) as made:
        yield weakref.proxy(made)


def stored(manager: TierManager, tier: str, size: int = MIB) -> Block:
    """Return a block of noise."""
    return manager.allocate(size, tier, noise(size))


def holds(manager: TierManager, block: Block, tier: str) -> None:
    """Check where a block lies, and what it holds."""
    assert block.tier == manager.tier(tier)
    assert np.array_equal(manager.read(block), noise(block.size))


def test_out_of_gpu_memory_the_block_stays_where_it_was(
    emulated_cuda: Any, manager: TierManager
) -> None:
    for source in ("cpu", "disk"):
        block = stored(manager, source, 8 * MIB)
        emulated_cuda.set_memory(2 * MIB)
        with pytest.raises(
            sp.StratoperfError, match=r"gpu0: cudaMalloc .* for 8 MiB .*ask for less"
        ):
            manager.migrate(block, "gpu")
        holds(manager, block, source)
        emulated_cuda.set_memory(1 << 30)
    manager.migrate(manager.blocks, "gpu")
    for block in manager.blocks:
        holds(manager, block, "gpu")


@pytest.mark.parametrize(
    ("source", "target"), [("cpu", "gpu"), ("gpu", "cpu"), ("gpu", "disk"), ("disk", "gpu")]
)
def test_a_copy_that_fails_leaves_every_block_of_a_batch_where_it_was(
    source: str, target: str, emulated_cuda: Any, manager: TierManager
) -> None:
    blocks = [stored(manager, source, 4096 * pages) for pages in range(1, 30)]
    emulated_cuda.fail_next("cudaMemcpyAsync", UNKNOWN)
    with pytest.raises(sp.StratoperfError, match="cudaMemcpyAsync"):
        manager.migrate(blocks, target)
    for block in blocks:
        holds(manager, block, source)
    manager.migrate(blocks, target)
    for block in blocks:
        holds(manager, block, target)


def test_on_a_lost_device_what_lies_in_cpu_memory_is_not_lost(
    emulated_cuda: Any, manager: TierManager
) -> None:
    here, there = stored(manager, "cpu"), stored(manager, "gpu")
    emulated_cuda.lose_device()
    for block, target in ((here, "gpu"), (there, "cpu"), (there, "disk")):
        with pytest.raises(sp.StratoperfError, match=r"gpu0: .* failed"):
            manager.migrate(block, target)
    holds(manager, here, "cpu")
    assert there.tier == manager.tier("gpu")
    manager.migrate(here, "disk")
    holds(manager, here, "disk")


def test_memory_that_cannot_be_page_locked_is_an_error_and_takes_nothing(
    emulated_cuda: Any, manager: TierManager
) -> None:
    emulated_cuda.fail_next("cudaHostRegister", OUT_OF_MEMORY)
    with pytest.raises(sp.StratoperfError, match="cpu0 cannot be page-locked"):
        stored(manager, "cpu")
    holds(manager, stored(manager, "cpu"), "cpu")


@pytest.mark.usefixtures("device")
def test_ctrl_c_during_a_migration_leaves_the_blocks_where_they_were(manager: TierManager) -> None:
    block = stored(manager, "cpu", 64 * MIB)
    interrupted = 0
    # SIGINT may be ignored where the tests run in the background.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    end = time.monotonic() + PATIENCE_S
    try:
        while interrupted < 3 and time.monotonic() < end:
            source = block.tier
            target = "gpu" if source.kind == "cpu" else "cpu"
            timer = threading.Timer(0.004, os.kill, (os.getpid(), signal.SIGINT))
            try:
                timer.start()
                manager.migrate(block, target)
                time.sleep(PATIENCE_S)  # it came first
            except KeyboardInterrupt:
                interrupted += block.tier == source
            manager.verify(block)
            assert block.tier in (source, manager.tier(target))
    finally:
        signal.signal(signal.SIGINT, before)
    assert interrupted == 3
    holds(manager, block, block.tier.name)


@pytest.mark.usefixtures("device")
def test_two_managers_move_blocks_at_once(manager: TierManager) -> None:
    problems: list[BaseException] = []

    def work(mine: TierManager) -> None:
        try:
            blocks = [stored(mine, "cpu", 4096 * pages) for pages in (1, 2, 300)]
            for target in ("gpu", "cpu") * 5:
                mine.migrate(blocks, target)
                for block in blocks:
                    holds(mine, block, target)
        except BaseException as problem:
            problems.append(problem)

    with TierManager(use=["gpu", "cpu"], share=0.1) as other:
        threads = [threading.Thread(target=work, args=(each,)) for each in (manager, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert not problems


@pytest.mark.usefixtures("device")
def test_a_forked_child_is_told_so_and_the_parent_goes_on(manager: TierManager) -> None:
    block = stored(manager, "gpu")

    def child() -> None:
        problems = []
        for use in (
            lambda: manager.migrate(block, "cpu"),
            lambda: TierManager(use=["gpu"]),
        ):
            try:
                use()
            except sp.StratoperfError as error:
                problems.append(str(error))
        sender.send(problems)
        os._exit(0)

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=child)
    process.start()
    assert receiver.poll(PATIENCE_S)
    problems = receiver.recv()
    assert len(problems) == 2
    for problem in problems:
        assert "fork" in problem
    process.join(PATIENCE_S)
    assert process.exitcode == 0
    holds(manager, block, "gpu")
    manager.migrate(block, "cpu")
    holds(manager, block, "cpu")
