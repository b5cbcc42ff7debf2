"""What reading the clock costs: every sample contains it once."""

from __future__ import annotations

from stratoperf import benchmark
from stratoperf.clock import read_operation
from stratoperf.operation import Operation


@benchmark("clock.overhead", version=1, category="single-node")
def clock_overhead() -> Operation:
    """Read the clock of the measurements, with the ordering that timing needs.

    Expect 10 to 40 ns on current processors; several hundred mean that the clock fell back to a
    system call, for which `stratoperf.clock.info` has the reason.
    """
    return read_operation()
