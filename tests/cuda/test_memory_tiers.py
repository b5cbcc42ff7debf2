"""GPU memory among the tiers, and the benchmarks that move blocks to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from memory_fakes import disk_kind, noise
from memory_model import hold_to_a_dictionary
from stratoperf.monitor.files import SystemFiles
from stratoperf.stratoswarm.benchmarks.single_node.memory import memory_allocate
from stratoperf.stratoswarm.memory import TierManager, find, operations, tiers
from stratoperf.stratoswarm.memory.checks import tier_checks
from wording import says

MIB = 1 << 20
PLACES = ("gpu", "cpu", "disk")


def manager_in(directory: Path, **options: Any) -> TierManager:
    """Return a manager of the GPU, CPU memory and a disk."""
    kind = disk_kind(directory)
    return TierManager(
        {kind: directory}, **{"use": ["gpu", "cpu", kind], "budget_bytes": 1 << 30, **options}
    )


def measured(operation: sp.Operation, iterations: int = 4) -> sp.Measurement:
    """Take a few samples."""
    return sp.measure(
        operation, warmup_s=0, max_duration_s=0.5, min_iterations=iterations, precision=0, batch=1
    )


def test_each_device_is_a_tier_with_its_name_and_size(emulated_cuda: Any) -> None:
    emulated_cuda.set_device_count(2)
    found = [tier for tier in tiers() if tier.kind == "gpu"]
    assert [tier.name for tier in found] == ["gpu0", "gpu1"]
    for tier in found:
        assert tier.reason is None
        assert tier.device is not None
        assert tier.size_bytes == 1 << 30
    (check, *_) = tier_checks(SystemFiles(Path("/")))
    assert (check.name, check.status) == ("tier gpu0", "ok")
    assert check.detail.endswith(", 1.0 GiB")


def test_without_a_device_the_tier_says_why(emulated_cuda: Any) -> None:
    emulated_cuda.set_device_count(0)
    assert "no CUDA device" in (find("gpu", tiers()).reason or "")
    with pytest.raises(sp.PrerequisiteMissing, match=says("gpu0", "CUDA", "device")):
        TierManager(use=["gpu"])
    for name, params in (
        ("memory.migrate", {"route": "cpu:gpu", "size": MIB}),
        ("memory.bandwidth", {"transfer": "copy:gpu:gpu"}),
        ("memory.allocate", {"tier": "gpu", "mode": "pool"}),
    ):
        (result,) = sp.run(name, preset="ci", params=params).results
        assert result.status == "skipped"
        assert "no CUDA device" in (result.reason or "")


def test_half_the_free_memory_is_the_most_that_blocks_take(emulated_cuda: Any) -> None:
    emulated_cuda.set_memory(64 * MIB)
    with TierManager(use=["gpu"]) as manager:
        assert manager.capacity_bytes("gpu") == 32 * MIB
        manager.allocate(30 * MIB, "gpu")
        with pytest.raises(sp.StratoperfError, match=says("gpu0", "room")):
            manager.allocate(4 * MIB, "gpu")


def test_blocks_move_between_the_memories_of_two_devices(emulated_cuda: Any) -> None:
    emulated_cuda.set_device_count(2)
    with TierManager(use=["gpu0", "gpu1"]) as manager:
        content = noise(5 * MIB)
        block = manager.allocate(len(content), "gpu0", content)
        for name in ("gpu1", "gpu0"):
            manager.migrate(block, name)
            assert block.tier.name == name
            assert np.array_equal(manager.read(block), content)


@pytest.mark.usefixtures("device")
def test_cpu_memory_is_page_locked_beside_a_gpu_only(tmp_path: Path) -> None:
    with manager_in(tmp_path) as manager:
        assert manager.details()["cpu0"]["page_locked"] is True
        assert type(manager.opened("cpu")).__name__ == "LockedTier"
    with TierManager(use=["cpu"]) as manager:
        assert "page_locked" not in manager.details()["cpu0"]
        assert type(manager.opened("cpu")).__name__ == "MemoryTier"


@pytest.mark.parametrize(
    ("source", "target"),
    [
        (place, other)
        for place in PLACES
        for other in PLACES
        if place != other and "gpu" in (place, other)
    ],
)
@pytest.mark.parametrize(("size", "pages"), [(MIB, 1), (MIB, 256)])
@pytest.mark.usefixtures("device")
def test_migrations_with_a_gpu_are_calibrated_and_verified(
    source: str, target: str, size: int, pages: int, tmp_path: Path
) -> None:
    with manager_in(tmp_path) as manager:
        operation = operations.migrate(manager, source, target, size, pages=pages)
        assert isinstance(operation.details, dict)
        calibration = operation.details["calibration"]
        assert calibration["chunk_bytes"] <= size
        assert len(calibration["trials"]) >= 2
        result = measured(operation)
        assert result.verification is not None
        assert result.verification.passed
        assert result.verification.checked >= 4 * pages


@pytest.mark.parametrize(
    ("source", "target", "counted"), [("cpu", "gpu", 1), ("gpu", "cpu", 1), ("gpu", "gpu", 2)]
)
@pytest.mark.usefixtures("device")
def test_bandwidth_counts_what_crosses_the_bus_once_and_what_stays_on_the_device_twice(
    source: str, target: str, counted: int
) -> None:
    with TierManager(use=["gpu", "cpu"]) as manager:
        operation = operations.bandwidth(manager, "copy", source, target, size=3 * MIB)
        assert operation.items == counted * 3 * MIB
        result = measured(operation)
        assert result.verification is not None
        assert result.verification.passed


@pytest.mark.parametrize("access", ["read", "write"])
@pytest.mark.usefixtures("device")
def test_the_memory_of_a_device_is_copied_and_neither_read_nor_written(access: str) -> None:
    with (
        TierManager(use="gpu") as manager,
        pytest.raises(sp.InvalidParameter, match=r"^access: .* measure 'copy' between 'gpu' and"),
    ):
        operations.bandwidth(manager, access, "gpu", size=MIB)


@pytest.mark.parametrize("mode", ["pool", "fresh"])
@pytest.mark.usefixtures("device")
def test_allocation_on_a_device_is_measured(mode: str) -> None:
    (operation,) = memory_allocate("gpu", mode)
    result = measured(operation)
    assert result.verification is not None
    assert result.verification.passed


@pytest.mark.usefixtures("device")
def test_random_sequences_agree_with_a_dictionary() -> None:
    hold_to_a_dictionary(manager_in, examples=20)
