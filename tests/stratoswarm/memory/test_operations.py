"""What the benchmarks of the tiers measure: right outcomes, bounded bytes, reasons for skips."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import pytest

import stratoperf as sp
from memory_fakes import PAGE
from stratoperf.stratoswarm.memory import Tier, TierManager, operations
from wording import says

MIB = 1 << 20


def measured(operation: sp.Operation) -> sp.Measurement:
    return sp.measure(operation, warmup_s=0.01, max_duration_s=0.3, min_iterations=20, precision=0)


@pytest.mark.parametrize("size", [PAGE, MIB])
@pytest.mark.parametrize("route", [("cpu", "disk"), ("disk", "cpu")])
def test_every_migration_with_a_disk_is_verified_and_the_bytes_are_bounded(
    managed: Callable[..., TierManager], route: tuple[str, str], size: int
) -> None:
    limits = operations.disk_limits(size)
    manager = managed(budget_bytes=limits.bytes)
    operation = operations.migrate(manager, *route, size)
    assert operation.max_iterations == limits.iterations
    result = sp.measure(operation, warmup_s=0.01, max_duration_s=2, precision=0, min_iterations=20)
    assert result.verification is not None
    assert result.verification.passed
    assert result.verification.checked == result.count + result.warmup.iterations
    assert manager.written_bytes <= limits.bytes
    assert result.items == size
    assert result.item_unit == "bytes"


def test_migration_between_memories_is_verified() -> None:
    if sp.memory.find("huge", sp.memory.tiers()).reason is not None:
        pytest.skip("needs transparent huge pages")
    with TierManager(use=["cpu", "huge"]) as manager:
        for route in (("cpu", "huge"), ("huge", "cpu")):
            result = measured(operations.migrate(manager, *route, 3 * PAGE))
            assert result.verification is not None
            assert result.verification.checked >= result.count
            manager.trim()


def test_pages_that_move_as_one_are_counted_each(manager: TierManager) -> None:
    result = measured(operations.migrate(manager, "cpu", "disk", 64 * PAGE, pages=64))
    assert result.verification is not None
    assert result.verification.checked == 64 * (result.count + result.warmup.iterations)


def test_the_result_tells_what_the_calibration_chose(manager: TierManager) -> None:
    details = operations.migrate(manager, "cpu", "disk", MIB).details
    assert isinstance(details, dict)
    assert details["calibration"]["threads"] >= 1
    assert details["calibration"]["chunk_bytes"] % PAGE == 0
    assert details["calibration"]["trials"]
    assert set(details["tiers"]) == {tier.name for tier in manager.tiers}


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        (("cpu", "cpu", MIB), ("target:", "cpu0")),
        (("cpu", "floppy", MIB), ("tier:", "'floppy'", "kinds: gpu")),
        (("cpu", "disk", 100), ("size:", "100", "4096")),
        (("cpu", "disk", 0), ("size:", "0", "4096")),
        (("cpu", "disk", 2 << 30), ("size:", "2147483648", "1073741824")),
    ],
)
def test_a_wrong_migration_is_refused(
    manager: TierManager, arguments: tuple[str, str, int], parts: tuple[str, ...]
) -> None:
    with pytest.raises(sp.InvalidParameter, match=says(*parts)):
        operations.migrate(manager, *arguments)


def test_more_than_the_allowed_share_is_skipped_with_the_reason(
    managed: Callable[..., TierManager],
) -> None:
    manager = managed(share=1e-6)
    with pytest.raises(sp.PrerequisiteMissing, match=says("allowed", "share")):
        operations.migrate(manager, "cpu", "disk", 512 * MIB)


@pytest.mark.parametrize(
    ("access", "tiers", "counted"),
    [
        ("read", ("cpu",), 1),
        ("write", ("cpu",), 1),
        ("copy", ("cpu", "cpu"), 2),
        ("read", ("disk",), 1),
        ("write", ("disk",), 1),
        ("copy", ("cpu", "disk"), 1),
        ("copy", ("disk", "cpu"), 1),
    ],
)
def test_bandwidth_counts_bytes_as_the_tools_do(
    managed: Callable[..., TierManager], access: str, tiers: tuple[str, ...], counted: int
) -> None:
    manager = managed(budget_bytes=operations.disk_limits(MIB).bytes)
    operation = operations.bandwidth(manager, access, *tiers, size=MIB)
    assert operation.items == counted * MIB
    result = measured(operation)
    assert result.verification is not None
    assert result.verification.checked >= 1
    in_memory = tiers[-1] == "cpu"
    assert (result.verification.checked > 1) == (in_memory or access == "read")
    assert isinstance(operation.details, dict)
    assert ("calibration" in operation.details) == (access == "copy")
    writes = tiers[-1] == "disk" and access != "read"
    assert (operation.max_iterations is not None) == writes


@pytest.mark.parametrize(
    ("access", "tiers", "message"),
    [
        ("erase", ("cpu",), r"^access: 'erase'"),
        ("copy", ("cpu",), r"^target: "),
        ("read", ("cpu", "disk"), r"^target: "),
    ],
)
def test_wrong_bandwidths_are_refused(
    manager: TierManager, access: str, tiers: tuple[str, ...], message: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        operations.bandwidth(manager, access, *tiers, size=MIB)


def test_a_copy_of_more_than_the_largest_block_moves_as_that_one_does(
    manager: TierManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The largest block is too large for a test; what counts is which size is asked for.
    asked: list[int] = []

    def calibrate(source: object, target: object, size: int) -> NoReturn:
        asked.append(size)
        raise KeyboardInterrupt

    monkeypatch.setattr(manager, "calibrate", calibrate)
    with pytest.raises(KeyboardInterrupt):
        operations.bandwidth(manager, "copy", "cpu", "cpu", size=3 << 30)
    assert asked == [1 << 30]
    largest = manager.tuning("cpu", "cpu", 1 << 30)
    assert manager.tuning("cpu", "cpu", 3 << 30) == largest


@pytest.mark.parametrize("size", [0, 100, PAGE + 1])
def test_a_bandwidth_moves_whole_pages(manager: TierManager, size: int) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^size: "):
        operations.bandwidth(manager, "read", "cpu", size=size)


@pytest.mark.parametrize("fresh", [True, False])
@pytest.mark.parametrize("tier", ["cpu", "disk"])
def test_allocation_is_verified(manager: TierManager, tier: str, fresh: bool) -> None:
    result = measured(operations.allocate(manager, tier, MIB, count=10, fresh=fresh))
    assert result.verification is not None
    assert result.verification.checked == 10
    assert result.items == 10
    assert manager.written_bytes == 0


@pytest.mark.parametrize("kind", operations.FAULTS)
def test_page_faults_are_what_they_are_called(kind: str) -> None:
    try:
        operation = operations.page_fault(kind)
    except sp.PrerequisiteMissing as missing:
        pytest.skip(str(missing))
    result = measured(operation)
    assert result.verification is not None
    assert result.verification.passed
    assert result.verification.checked >= result.count


def test_a_fault_that_lacks_what_it_needs_says_so() -> None:
    cpu = Tier("cpu0", "cpu", 1 << 30, PAGE)
    huge = Tier("cpu0-huge", "cpu", 1 << 30, 2 * MIB, reason="they are off")
    with pytest.raises(sp.PrerequisiteMissing, match="they are off"):
        operations.page_fault("huge", [cpu, huge])
    for kind in ("major", "userfaultfd"):
        with pytest.raises(sp.PrerequisiteMissing, match="needs a disk"):
            operations.page_fault(kind, [cpu, huge])
    nowhere = Tier("ssd0", "ssd", 1 << 30, directory="/nowhere")
    with pytest.raises(sp.PrerequisiteMissing, match=says("/nowhere", "file")):
        operations.page_fault("major", [cpu, nowhere])
    with pytest.raises(sp.InvalidParameter, match=says("kind:", "'minr'", "mean")):
        operations.page_fault("minr")


@pytest.mark.parametrize("limit", [0, -1, 2.5, True])
def test_a_limit_of_iterations_is_a_positive_number(limit: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^max_iterations: "):
        sp.Operation(lambda: None, max_iterations=limit)


def test_limited_iterations_end_a_measurement_of_python_too() -> None:
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    result = sp.measure(
        sp.Operation(count, max_iterations=50, details={"why": "wear"}),
        warmup_s=5,
        max_duration_s=5,
        batch=1,
        precision=0,
    )
    assert result.stopped_because == "max_iterations"
    assert calls == 50 == result.count + result.warmup.iterations
    assert result.details == {"why": "wear"}
    assert np.isfinite(result.samples_ns).all()


def test_what_counts_faults_of_4_kib_is_skipped_where_pages_are_larger(
    manager: TierManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.sysconf", lambda _: 65536)
    with pytest.raises(sp.PrerequisiteMissing, match=says("65536", "kernel")):
        operations.page_fault("minor")
    with pytest.raises(sp.PrerequisiteMissing, match=says("65536", "kernel")):
        operations.allocate(manager, "cpu", MIB, fresh=True)
    operations.allocate(manager, "cpu", MIB)
