"""Blocks in tiers: what moves, what is refused, and what is left when something fails."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from memory_fakes import PAGE, noise
from stratoperf.stratoswarm.memory import TierManager, operations
from wording import says


@pytest.mark.parametrize("size", [PAGE, 3 * PAGE, 1 << 20, (4 << 20) + PAGE])
def test_a_block_comes_back_from_a_disk_as_it_was(manager: TierManager, size: int) -> None:
    content = noise(size)
    block = manager.allocate(size, "cpu", content)
    for tier in ("disk", "cpu", "disk"):
        manager.migrate(block, tier)
        assert block.tier == manager.tier(tier)
        manager.verify(block)
        assert np.array_equal(manager.read(block), content)


def test_a_new_block_holds_zeros(manager: TierManager) -> None:
    for tier in ("cpu", "disk"):
        manager.free(manager.allocate(8 * PAGE, tier, noise(8 * PAGE)))
        assert not manager.read(manager.allocate(8 * PAGE, tier)).any()


def test_a_written_block_holds_what_was_written(manager: TierManager) -> None:
    for tier in ("cpu", "disk"):
        block = manager.allocate(PAGE, tier)
        manager.write(block, noise(PAGE, 2))
        assert np.array_equal(manager.read(block), noise(PAGE, 2))


def test_many_pages_move_as_one(manager: TierManager) -> None:
    blocks = [manager.allocate(PAGE, "cpu", noise(PAGE, seed)) for seed in range(2000)]
    manager.migrate(blocks, "disk")
    assert manager.written_bytes == 2000 * PAGE
    manager.migrate(blocks[::2], "cpu")
    for seed, block in enumerate(blocks):
        assert np.array_equal(manager.read(block), noise(PAGE, seed))


def test_a_block_that_is_there_already_does_not_move(manager: TierManager) -> None:
    block = manager.allocate(PAGE, "disk", noise(PAGE))
    written = manager.written_bytes
    manager.migrate(block, "disk")
    assert manager.written_bytes == written


@pytest.mark.parametrize(
    "size", [0, -PAGE, 1, PAGE - 1, PAGE + 1, (1 << 30) + PAGE, 2.5, True, "x"]
)
def test_a_size_out_of_range_is_refused(manager: TierManager, size: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^size: "):
        manager.allocate(size, "cpu")
    assert manager.blocks == ()


@pytest.mark.parametrize("tier", ["cpu7", "floppy", "gpu", ""])
def test_a_tier_that_does_not_exist_is_refused(manager: TierManager, tier: str) -> None:
    block = manager.allocate(PAGE, "cpu", noise(PAGE))
    with pytest.raises(sp.InvalidParameter, match=rf"^tier: '{tier}' does not exist here"):
        manager.migrate(block, tier)
    assert np.array_equal(manager.read(block), noise(PAGE))


def test_a_freed_block_is_refused_by_everything(manager: TierManager) -> None:
    block = manager.allocate(PAGE, "cpu")
    manager.free(block)
    for use in (manager.free, manager.read, manager.verify, lambda b: manager.migrate(b, "disk")):
        with pytest.raises(sp.InvalidParameter, match=r"^block: "):
            use(block)


def test_a_block_of_another_manager_is_refused(managed: Callable[..., TierManager]) -> None:
    one, other = managed(), managed()
    block = one.allocate(PAGE, "cpu")
    other.allocate(PAGE, "cpu")
    with pytest.raises(sp.InvalidParameter, match=says("block:", "another")):
        other.read(block)


def test_a_block_named_twice_is_refused(manager: TierManager) -> None:
    block = manager.allocate(PAGE, "cpu")
    with pytest.raises(sp.InvalidParameter, match=says("blocks:", "twice", "once")):
        manager.migrate([block, block], "disk")


def test_the_budget_bounds_what_is_written(managed: Callable[..., TierManager]) -> None:
    manager = managed(budget_bytes=3 * PAGE)
    block = manager.allocate(2 * PAGE, "cpu", noise(2 * PAGE))
    manager.migrate(block, "disk")
    manager.migrate(block, "cpu")
    with pytest.raises(sp.InvalidParameter, match=r"^budget_bytes: writing 8192 bytes"):
        manager.migrate(block, "disk")
    assert block.tier == manager.tier("cpu")
    assert np.array_equal(manager.read(block), noise(2 * PAGE))
    with pytest.raises(sp.InvalidParameter, match=r"^budget_bytes: "):
        manager.allocate(2 * PAGE, "disk")
    with pytest.raises(sp.InvalidParameter, match=r"^budget_bytes: "):
        manager.calibrate("cpu", "disk", 1 << 20)
    assert manager.written_bytes == 2 * PAGE


@pytest.mark.parametrize("share", [0, -1, 1.5, float("nan"), "half"])
def test_a_share_out_of_range_is_refused(share: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^share: "):
        TierManager(use=["cpu"], share=share)


def test_blocks_take_at_most_half_of_what_is_free() -> None:
    free = sp.memory.find("cpu", sp.memory.tiers()).free_bytes
    assert free is not None
    with TierManager(use=["cpu"]) as alone, TierManager(use=["cpu"], share=0.25) as quarter:
        assert alone.capacity_bytes("cpu") < 0.52 * free
        assert quarter.capacity_bytes("cpu") < 0.27 * free
    if sp.memory.find("huge", sp.memory.tiers()).reason is None:
        with TierManager(use=["cpu", "huge"]) as both:
            assert both.capacity_bytes("cpu") + both.capacity_bytes("huge") < 0.52 * free


def test_a_tier_without_room_says_so_and_the_block_stays(
    managed: Callable[..., TierManager],
) -> None:
    # A millionth of a disk or of the memory is a few pages; seldom the same number.
    manager = managed(share=1e-6)
    target, source = sorted(("cpu", "disk"), key=manager.capacity_bytes)
    size = manager.capacity_bytes(target) + PAGE
    if size > manager.capacity_bytes(source):
        pytest.skip("there is as much memory as disk space")
    block = manager.allocate(size, source, noise(size))
    with pytest.raises(sp.StratoperfError, match=f"has no room for {size} bytes"):
        manager.migrate(block, target)
    assert block.tier == manager.tier(source)
    assert np.array_equal(manager.read(block), noise(size))


def test_room_that_is_left_is_given_back_when_the_manager_closes(
    managed: Callable[..., TierManager],
) -> None:
    with managed() as manager:
        block = manager.allocate(PAGE, "disk")
    assert manager.blocks == ()
    for use in (manager.read, manager.verify, manager.free, lambda block: block.tier):
        with pytest.raises(sp.StratoperfError, match=r"^TierManager: it is closed"):
            use(block)


@pytest.mark.parametrize("directories", [[1], "nvme=/tmp", {"nvme": [3]}, {"nvme": 3}])
def test_directories_that_are_none_are_named(directories: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^directories: .*expected "):
        TierManager(directories)


def test_what_is_no_block_or_size_is_named(managed: Callable[..., TierManager]) -> None:
    manager = managed()
    wrong: Any = 5
    with pytest.raises(sp.InvalidParameter, match=r"^blocks: .* got 5"):
        manager.migrate(wrong, "disk")
    with pytest.raises(sp.InvalidParameter, match=r"^size: .* -5"):
        manager.calibrate("cpu", "disk", -5)
    with pytest.raises(sp.InvalidParameter, match=r"^size: .* 0"):
        manager.tuning("cpu", "disk", 0)


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_a_closed_manager_says_so_and_closing_it_again_does_nothing(
    managed: Callable[..., TierManager],
) -> None:
    with managed() as manager:
        manager.allocate(PAGE, "disk", noise(PAGE))
        descriptors = open_files()
    manager.close()
    assert open_files() == descriptors - 1
    assert manager.written_bytes == PAGE
    assert manager.tier("cpu") in manager.tiers
    uses: list[Callable[[], object]] = [
        lambda: manager.allocate(PAGE, "cpu"),
        lambda: manager.migrate([], "disk"),
        lambda: manager.calibrate("cpu", "disk", PAGE),
        lambda: manager.tuning("cpu", "disk", PAGE),
        lambda: manager.capacity_bytes("cpu"),
        lambda: manager.opened("cpu"),
        lambda: manager.fallback("disk"),
        lambda: operations.allocate(manager, "cpu", PAGE),
        manager.details,
        manager.trim,
        manager.__enter__,
    ]
    for use in uses:
        with pytest.raises(sp.StratoperfError, match=says("TierManager:", "closed")):
            use()


def test_a_single_tier_may_stand_by_itself() -> None:
    with TierManager(use="cpu") as manager:
        assert [tier.name for tier in manager.tiers] == ["cpu0"]


@pytest.mark.parametrize("use", [[], 7, {"cpu"}, [7], "c"])
def test_a_use_that_names_no_tier_is_refused(use: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^(use|tier): .*; found here: .*cpu0"):
        TierManager(use=use)


def test_a_block_outlives_no_manager() -> None:
    manager = TierManager(use=["cpu"])
    block = manager.allocate(PAGE, "cpu")
    del manager
    with pytest.raises(sp.StratoperfError, match=says("block:", "TierManager")):
        _ = block.tier


def test_a_calibration_tells_what_it_tried_and_is_used(manager: TierManager) -> None:
    found = manager.calibrate("cpu", "disk", 1 << 20)
    assert found.best == manager.tuning("cpu", "disk", 1 << 20)
    assert found.best == found.trials[0][0]
    rates = [rate for _, rate in found.trials]
    assert rates == sorted(rates, reverse=True)
    details = found.details()
    assert details["threads"] == found.best.threads
    assert len(details["trials"]) == len(rates)
    block = manager.allocate(1 << 20, "cpu", noise(1 << 20))
    manager.migrate(block, "disk")
    assert np.array_equal(manager.read(block), noise(1 << 20))


def test_the_details_name_the_device(manager: TierManager) -> None:
    details = manager.details()
    disk = manager.tier("disk")
    assert details[disk.name]["device"] == disk.device
    assert disk.assigned
    assert details[disk.name]["directory"] == disk.directory
    assert "directory" not in details["cpu0"]
