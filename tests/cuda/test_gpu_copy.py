"""The benchmarks of copies."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf import backends
from stratoperf.stratoswarm.benchmarks.single_node.gpu import (
    DIRECTIONS,
    GIB,
    MEMORY,
    MIB,
    SIZES,
    gpu_copy,
    gpu_device_copy,
)

PLACES = [
    ("pinned", "device"),
    ("pageable", "device"),
    ("device", "pinned"),
    ("device", "pageable"),
    ("device", "device"),
]


def measure(operation: sp.Operation) -> sp.Measurement:
    """Take a few samples."""
    return sp.measure(
        operation, warmup_s=0, max_duration_s=0.2, min_iterations=4, precision=0, batch=1
    )


@pytest.mark.parametrize("memory", MEMORY)
@pytest.mark.parametrize("direction", DIRECTIONS)
@pytest.mark.parametrize("size", [4, MIB])
@pytest.mark.usefixtures("device")
def test_copies_are_verified_and_timed_by_the_device_too(
    size: int, direction: str, memory: str
) -> None:
    measured = measure(gpu_copy(size=size, direction=direction, memory=memory))
    assert (measured.items, measured.item_unit) == (size, "bytes")
    assert measured.device_ns is not None
    assert (measured.device_ns >= 0).all()
    assert measured.verification is not None
    assert measured.verification.checked >= 4
    assert measured.verification.passed


@pytest.mark.usefixtures("device")
def test_a_copy_within_the_device_counts_what_it_reads_and_writes() -> None:
    measured = measure(gpu_device_copy(size=MIB))
    assert (measured.items, measured.item_unit) == (2 * MIB, "bytes")
    assert measured.verification is not None
    assert measured.verification.passed


@pytest.mark.usefixtures("device")
@given(
    size=st.integers(1, 9000), places=st.sampled_from(PLACES), seed=st.integers(0, (1 << 64) - 1)
)
@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_copies_of_any_size_and_content_bring_every_byte(
    size: int, places: tuple[str, str], seed: int
) -> None:
    source, target = places
    measured = measure(
        sp.Operation(backends.cuda_module().copy.operation(size, source, target, seed=seed))
    )
    assert measured.verification is not None
    assert measured.verification.passed


def test_sizes_reach_from_4_bytes_to_1_gib() -> None:
    assert (min(SIZES), max(SIZES)) == (4, GIB)
    assert MIB in SIZES


def test_what_memory_does_not_suffice_for_is_skipped_with_the_reason(emulated_cuda: Any) -> None:
    emulated_cuda.set_memory(MIB)
    run = sp.run("gpu.device_copy", preset="ci", backend="cuda", params={"size": MIB})
    (result,) = run.results
    assert result.status == "skipped"
    assert result.reason is not None
    assert "cudaMalloc on device 0 for" in result.reason


@pytest.mark.parametrize(
    ("params", "reason"),
    [
        ({"size": 0}, "size: expected an integer of at least 1, got 0"),
        ({"size": 1 << 60}, f"size: expected 1 to 68719476736 bytes, got {1 << 60}"),
        ({"direction": "host_to_devices"}, "direction: 'host_to_devices' is unknown; did you mean"),
        ({"memory": "pined"}, "memory: 'pined' is unknown; did you mean 'pinned'?"),
    ],
)
def test_a_wrong_parameter_is_named(
    params: dict[str, Any], reason: str, emulated_cuda: Any
) -> None:
    valid = {"size": 4, "direction": "host_to_device", "memory": "pinned"}
    (result,) = sp.run("gpu.copy", preset="ci", backend="cuda", params={**valid, **params}).results
    assert result.status == "failed"
    assert result.reason is not None
    assert result.reason.startswith(reason)
