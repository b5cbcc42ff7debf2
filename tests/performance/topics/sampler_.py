"""What the harness itself costs."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator

import numpy as np

import stratoperf as sp
from side_by_side import Goal, Row, side_by_side
from stratoperf import _core
from stratoperf.operation import Capsule
from topics.hand_written import library

SECONDS = 0.2
CALLS = 200_000


def measure() -> Iterator[Row]:
    """Hold the sampler to a hand-written C++ loop, and Python callables to a Python loop."""
    yield side_by_side(
        "empty native operation, one iteration a sample",
        lambda: native(),
        hand_written,
        peer_name="hand-written C++ loop",
        unit="ns/sample",
        goal=Goal("ratio", ">=", 1 / 1.2),
        note="the limit is two ordered clock reads",
    )
    yield side_by_side(
        "empty Python callable, as measured by default",
        lambda: python(batch=None),
        python_loop,
        peer_name="Python loop, two perf_counter_ns()",
        unit="ns/iteration",
        goal=Goal("ratio", ">=", 3.0),
        note="calibrated batches: the clock is read twice a batch",
    )
    yield side_by_side(
        "empty Python callable, one iteration a sample",
        lambda: python(batch=1),
        python_loop,
        peer_name="Python loop, two perf_counter_ns()",
        unit="ns/iteration",
        note="the limit is two ordered clock reads and one call",
    )


def empty() -> None:
    """Do nothing."""


def native() -> float:
    """Return nanoseconds a sample of an empty native operation, everything included."""
    sampled = sample(_core.operation.empty(), batch=1)
    return SECONDS * 1e9 / len(sampled.samples_ns)


def python(batch: int | None) -> float:
    """Return nanoseconds an iteration of an empty callable, everything included."""
    sampled = sample(sp.Operation(empty), batch=batch)
    return SECONDS * 1e9 / (len(sampled.samples_ns) * sampled.batch)


def sample(work: sp.Operation | Capsule, batch: int | None) -> sp.Measurement:
    """Sample for SECONDS, without stopping early."""
    return sp.measure(work, warmup_s=0.05, max_duration_s=SECONDS, precision=0, batch=batch)


def hand_written() -> float:
    """Return nanoseconds a sample of the loop written by hand."""
    count = 2_000_000
    out = np.zeros(count, dtype=np.uint64)
    pointer = ctypes.c_void_p(out.ctypes.data)
    start = time.perf_counter_ns()
    library().time_samples(pointer, ctypes.c_uint64(count))
    return (time.perf_counter_ns() - start) / count


def python_loop() -> float:
    """Return nanoseconds an iteration of the loop that people write in Python."""
    now = time.perf_counter_ns
    samples = []
    start = now()
    for _ in range(CALLS):
        before = now()
        empty()
        after = now()
        samples.append(after - before)
    return (now() - start) / CALLS
