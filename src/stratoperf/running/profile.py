"""Where the time of an operation goes: a short pass of its own, after the timed measurement.

The counters of the processor tell what bounds native code (`perf_event_open(2)`, user space only),
Python's own profiler which functions a Python callable spends its time in. Neither touches the
numbers of the measurement: both slow the work down, so they run when it is over.
"""

from __future__ import annotations

import cProfile
import errno
import os
import resource
import time
from pathlib import Path
from types import CodeType
from typing import Any

from stratoperf._core.perf_counters import PerfCounters
from stratoperf.measurement import Measurement
from stratoperf.operation import Operation
from stratoperf.running.cases import PROFILE_S
from stratoperf.running.measure_operation import measure

PASS_S = PROFILE_S / 2
"""Seconds of a pass, of which there are one or two: enough for counts in the millions."""

SAMPLE_S = 1e-3
"""Iterations are counted in batches that last so long, so that the sampler's own work (some 100
instructions a sample) is far below a thousandth of what is counted."""

FUNCTIONS = 10
"""Functions that are listed, those with the most time of their own first."""

PARANOID = Path("/proc/sys/kernel/perf_event_paranoid")


def take_profile(operation: Operation, measurement: Measurement) -> dict[str, Any]:
    """Run an operation again under counters and a profiler.

    Parameters
    ----------
    operation
        As it was measured; its check is not run again.
    measurement
        Measurement of the same operation; it tells how long an iteration takes.

    Returns
    -------
    dict
        For the run file: ``seconds`` and ``iterations`` of the counted pass, ``counters`` (each
        event per iteration, or why it could not be counted), ``instructions_per_cycle``, and for
        Python callables ``functions``.

    Raises
    ------
    Interrupted
        On Ctrl-C.
    """
    work = Operation(operation.work, name=operation.name)
    iteration_ns = measurement.quantile(0.5).value
    tree = _counted(work, iteration_ns)
    if not operation.is_native:
        tree["functions"] = _functions(operation, iteration_ns)
    return tree


def _counted(work: Operation, iteration_ns: float) -> dict[str, Any]:
    batch = max(1, round(SAMPLE_S * 1e9 / max(iteration_ns, 1.0)))
    counters = PerfCounters()
    before = resource.getrusage(resource.RUSAGE_SELF)
    counters.start()
    started = time.perf_counter()
    watched = measure(
        work, warmup_s=0.0, min_iterations=1, max_duration_s=PASS_S, precision=0, batch=batch
    )
    seconds = time.perf_counter() - started
    counts = counters.stop()
    after = resource.getrusage(resource.RUSAGE_SELF)
    again = 0 if watched.device_ns is None else len(watched.device_ns)
    iterations = (watched.count + again) * watched.batch + watched.warmup.iterations
    entries: dict[str, Any] = {
        count.name: {"per_iteration": None, "why": _why(count.error)}
        if count.error
        else {"per_iteration": count.value / iterations}
        for count in counts
    }
    for name, field in (
        ("minor page faults", "ru_minflt"),
        ("major page faults", "ru_majflt"),
        ("voluntary switches", "ru_nvcsw"),
        ("involuntary switches", "ru_nivcsw"),
    ):
        entries[name] = {
            "per_iteration": (getattr(after, field) - getattr(before, field)) / iterations
        }
    return {
        "seconds": seconds,
        "iterations": iterations,
        "counters": entries,
        "instructions_per_cycle": _ratio(entries, "instructions", "cycles"),
    }


def _ratio(entries: dict[str, Any], above: str, below: str) -> float | None:
    top, bottom = (entries[name]["per_iteration"] for name in (above, below))
    return top / bottom if top is not None and bottom else None


def _why(error: int) -> str:
    """Return why an event could not be counted, and how to fix it."""
    if error in (errno.EACCES, errno.EPERM):
        level = PARANOID.read_text().strip() if PARANOID.exists() else "unknown"
        return (
            f"perf_event_open is refused (perf_event_paranoid is {level}, or a container forbids "
            "it); sudo sysctl kernel.perf_event_paranoid=1"
        )
    if error in (errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP):
        return "this machine does not offer the event; virtual machines often hide the counters"
    if error == errno.ENOSYS:
        return "this kernel has no perf_event_open"
    if error == errno.EBUSY:
        return "the counters were in use by others; profile again when they are free"
    return f"perf_event_open: {os.strerror(error)}"


def _functions(operation: Operation, iteration_ns: float) -> list[dict[str, Any]]:
    """Return the functions of a Python callable with the most time of their own."""
    assert callable(operation.work)
    # Profiled, it takes about twice as long.
    iterations = max(1, round(PASS_S * 1e9 / (2 * max(iteration_ns, 1.0))))
    profiler = cProfile.Profile()
    profiler.enable()
    try:
        for _ in range(iterations):
            operation.work()
    finally:
        profiler.disable()
    rows = [
        _row(entry.code, entry.callcount / iterations, entry.inlinetime * 1e9 / iterations)
        for entry in profiler.getstats()
        if not (isinstance(entry.code, str) and "_lsprof.Profiler" in entry.code)
    ]
    return sorted(rows, key=lambda row: -row["own_ns_per_iteration"])[:FUNCTIONS]


def _row(code: CodeType | str, calls: float, own_ns: float) -> dict[str, Any]:
    python = code if isinstance(code, CodeType) else None
    return {
        "function": code if isinstance(code, str) else code.co_name,
        # Where a program lies says nothing about it.
        "file": Path(python.co_filename).name if python else None,
        "line": python.co_firstlineno if python else None,
        "calls_per_iteration": calls,
        "own_ns_per_iteration": own_ns,
    }
