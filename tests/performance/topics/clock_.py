"""The clock against the system's own."""

from __future__ import annotations

import ctypes
import time
from collections.abc import Iterator

import stratoperf as sp
from side_by_side import Goal, Row, side_by_side
from topics.hand_written import library

SPAN_S = 10.0
READS = 200_000


def measure() -> Iterator[Row]:
    """Measure the drift over ten seconds and the cost of a read."""
    yield drift()
    yield read_cost()


def drift() -> Row:
    """Compare the length of ten seconds on both clocks."""
    first = _both()
    time.sleep(SPAN_S)
    last = _both()
    ours = last[0] - first[0]
    raw = last[1] - first[1]
    ppm = abs(ours / raw - 1) * 1e6
    goal = Goal("value", "<=", 50.0)
    return Row(
        f"deviation over {SPAN_S:g} s",
        ppm,
        0.0,
        "CLOCK_MONOTONIC_RAW",
        "ppm",
        "lower",
        goal=goal,
        met=goal.met_by(ratio=None, value=ppm),
        note=f"source {sp.clock.info().source}",
    )


def read_cost() -> Row:
    """Compare one read in a native loop."""
    return side_by_side(
        "one ordered read",
        lambda: (
            sp.measure(sp.clock.read_operation(), warmup_s=0.01, max_duration_s=0.05, precision=0)
            .quantile(0.5)
            .value
        ),
        _system_clock,
        peer_name="clock_gettime(CLOCK_MONOTONIC), unordered",
        unit="ns",
    )


def _both() -> tuple[float, float]:
    """Read both clocks at one moment: of many tries the tightest."""
    best: tuple[int, float, float] | None = None
    for _ in range(200):
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        ours = sp.clock.now_ns()
        after = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
        if best is None or after - before < best[0]:
            best = (after - before, float(ours), (before + after) / 2)
    assert best is not None
    return best[1], best[2]


def _system_clock() -> float:
    start = time.perf_counter_ns()
    library().read_system_clock(ctypes.c_uint64(READS))
    return (time.perf_counter_ns() - start) / READS
