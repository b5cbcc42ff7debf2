"""How busy a device can be kept: matching and consensus at once, for half a minute."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from stratoperf import benchmark, measure
from stratoperf.authoring import GpuLoad
from stratoperf.operation import Observed, Operation
from stratoperf.stratoswarm.benchmarks.single_node.consensus import batches_of, round_for
from stratoperf.stratoswarm.benchmarks.single_node.synthesis import large_matcher
from stratoperf.stratoswarm.claims import GPU_UTILIZATION
from stratoperf.stratoswarm.consensus.device_operations import resident_operation
from stratoperf.stratoswarm.synthesis.device_operations import large_operation

SUSTAINED_S = 30.0

# Of one batch, and how many of them: 320 MB, more than any cache holds.
VOTES = 10_000_000
BATCHES = 2

# How long the device is without consensus at the most, when the measurement has ended.
SLICE_S = 0.25

BUSY_PERCENT = 90


@benchmark(
    "gpu.utilization",
    params={"patterns": [64]},
    backends=("cuda",),
    target=GPU_UTILIZATION,
    sustained_s=SUSTAINED_S,
)
def gpu_utilization(patterns: int, backend: str) -> Iterator[Operation]:
    """Match in 16 million nodes while other rounds of consensus are decided, for 30 s.

    The metric `utilization` is what NVML tells every 0.2 s: the share of time in which any kernel
    was running. A device can be utilized by kernels that wait, so the details set the comparisons
    beside the measured integer rate; they also tell the share of answers above 90 %. Throughput
    counts the comparisons alone. Both works are verified.
    """
    matching = large_operation(large_matcher(patterns, backend))
    voting = resident_operation(round_for(VOTES, backend), batches_of(VOTES, 0.33, BATCHES))
    with GpuLoad() as load, _repeated(voting):
        yield utilized(matching, load)


def utilized(matching: Operation, load: GpuLoad) -> Operation:
    """Return the operation with the utilization since its sampling began as a metric."""
    begin = time.monotonic()
    seen: list[float] = []

    def observe() -> Mapping[str, Observed]:
        # What came before the last 30 s is setup and warm-up.
        seen[:] = load.since(min(time.monotonic() - begin, SUSTAINED_S))
        return {"utilization": Observed("%", "higher", seen)}

    def details() -> dict[str, Any]:
        busy = sum(percent > BUSY_PERCENT for percent in seen)
        share = busy / len(seen) if seen else None
        return {**matching.final_details(), "share_above_90_percent": share}

    return Operation(
        matching.work,
        name="gpu.utilization",
        items=matching.items,
        item_unit=matching.item_unit,
        verify=matching.verify,
        details=details,
        observe=observe,
    )


@contextlib.contextmanager
def _repeated(operation: Operation) -> Iterator[None]:
    """Keep an operation running on a thread of its own; verify what it did last at the end."""
    stop = threading.Event()
    failures: list[BaseException] = []
    unverified = Operation(operation.work)

    def work() -> None:
        try:
            while not stop.is_set():
                measure(unverified, warmup_s=0, max_duration_s=SLICE_S, precision=0, batch=1)
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=work, name="consensus", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]
    if operation.verify is not None:
        operation.verify()
