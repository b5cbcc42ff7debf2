"""Matching on a CUDA device, beside its integer rate and its memory's bandwidth."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from functools import partial

import stratoperf as sp
from side_by_side import Goal, Row
from stratoperf import backends
from stratoperf.stratoswarm.synthesis import Matcher, NodeTable, synthetic
from stratoperf.stratoswarm.synthesis.cuda import BYTES_PER_NODE
from stratoperf.stratoswarm.synthesis.device_operations import large_operation
from topics.consensus_gpu import COPIED_BYTES, COPY, Claim, checked
from topics.single_iterations import quantile_us

BLOCK = 1 << 20
# 128 MB of nodes for the integer rate; 512 MB for the bandwidth, beside which a launch is nothing.
NODES = 1 << 24
STREAMED_NODES = 1 << 26
FEW_PATTERNS = 4
STEPS = "compare-and-count steps"


def measure() -> Iterator[Row]:
    """Hold matching on a device to its goals; without one each row says why."""
    missing = backends.unavailable_reason("cuda")
    for claim in claims():
        yield claim.row(missing)


def claims() -> list[Claim]:
    """Return what is claimed of matching on a device."""
    return [
        *(
            Claim(
                f"synthesis match on a device, {count} simple patterns, {NODES:,} nodes, p50",
                STEPS,
                "operations/s",
                "higher",
                Goal("value", ">=", 2e12),
                partial(rate_beside_steps, count),
                "the aim is 5e12. A comparison takes 3 operations of an integer lane, a step 2; "
                "hits, one in 280 comparisons, stay in device memory, in order",
            )
            for count in (64, 512)
        ),
        Claim(
            f"synthesis match on a device, {FEW_PATTERNS} patterns, {STREAMED_NODES:,} nodes that "
            "stream from device memory, p50",
            COPY,
            "GB/s",
            "higher",
            Goal("ratio", ">=", 0.8),
            streaming_beside_copy,
            f"{BYTES_PER_NODE} bytes a node; the copy counts bytes read and written",
        ),
    ]


@functools.cache
def block() -> NodeTable:
    """Return the seeded trees that large tables repeat."""
    return synthetic.corpus(BLOCK)


@functools.cache
def large(nodes: int) -> NodeTable:
    """Return a table of so many nodes."""
    return synthetic.repeated(block(), nodes // BLOCK)


def matching(nodes: int, patterns: int) -> sp.Operation:
    """Return the operation that matches simple patterns in so many nodes, verified once."""
    wanted = synthetic.patterns("simple", block(), patterns)
    return checked(large_operation(Matcher(large(nodes), wanted, "cuda")))


def rate_beside_steps(patterns: int) -> tuple[Callable[[], float], Callable[[], float]]:
    """Return how the rate of comparisons and of integer steps are measured, host to host."""
    ours = matching(NODES, patterns)
    capsule, steps = backends.cuda_module().integer_rate.operation(4096)
    rate = checked(sp.Operation(capsule))
    return (
        lambda: ours.items / quantile_us(ours, 0.5) * 1e6,
        lambda: steps / quantile_us(rate, 0.5) * 1e6,
    )


def streaming_beside_copy() -> tuple[Callable[[], float], Callable[[], float]]:
    """Return how the bandwidth of matching few patterns and of a copy are measured."""
    ours = matching(STREAMED_NODES, FEW_PATTERNS)
    copy = checked(
        sp.Operation(backends.cuda_module().copy.operation(COPIED_BYTES, "device", "device"))
    )
    return (
        lambda: BYTES_PER_NODE * STREAMED_NODES / quantile_us(ours, 0.5) / 1e3,
        lambda: 2 * COPIED_BYTES / quantile_us(copy, 0.5) / 1e3,
    )
