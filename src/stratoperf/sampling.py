"""Sample one operation in this process, ask its device for times, and verify what it did."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stratoperf import _core, arguments
from stratoperf.door import MOST_NUMBERS
from stratoperf.errors import Interrupted, StratoperfError
from stratoperf.measurement import CONFIDENCE, PICOSECONDS, Measurement, Warmup
from stratoperf.memory_room import check_room
from stratoperf.operation import Capsule, Operation, as_operation
from stratoperf.statistics import Histogram
from stratoperf.verification import verify

# Device times are taken apart, since asking the device's clock costs host time: as many as p95
# needs for a narrow interval, and no more than a tenth of the time that the samples may take.
DEVICE_SAMPLES = 1000
DEVICE_SHARE = 0.1

LARGEST_BATCH = 2**32
MOST_TOOLS = 6
"""Identifiers of tools that `sys.monitoring` has."""

SAMPLE_BYTES = 8
"""Of one sample, in memory and in a file."""

# What a histogram holds at most: an hour a sample.
LONGEST_PS = 3_600 * 10**9 * PICOSECONDS


def measure_here(
    fn: Operation | Capsule | Callable[[], object],
    name: str | None,
    warmup_s: float,
    min_iterations: int,
    max_duration_s: float,
    precision: float,
    quantile: float,
    *,
    batch: int | None = None,
    keep_samples: bool = True,
    spread_s: float = 0.0,
) -> Measurement:
    """Measure in this process: see `stratoperf.measure`, whose parameters these are.

    Parameters
    ----------
    spread_s
        Minimum time that the samples take before the precision counts, in seconds, as far as
        `max_duration_s` allows. By default none, for short measurements in many processes.
    """
    operation = as_operation(fn)
    histogram = None if keep_samples else Histogram(1, LONGEST_PS, 3)
    check_arguments(
        warmup_s, min_iterations, max_duration_s, precision, quantile, batch, keep_samples
    )
    sampled = _core.sampler.sample(
        operation.work,
        warmup_s=warmup_s,
        min_samples=min_iterations,
        max_duration_s=max_duration_s,
        precision=precision,
        quantile=quantile,
        confidence=CONFIDENCE,
        batch=batch or 0,
        max_iterations=operation.max_iterations or 0,
        max_samples=MOST_NUMBERS,
        spread_s=spread_s,
        histogram=histogram,
        # Python runs its signal handlers on the main thread alone.
        stop_on_signal=threading.current_thread() is threading.main_thread(),
    )
    measurement = Measurement(
        name or operation.name,
        sampled.samples_ns,
        batch=sampled.batch,
        histogram=histogram,
        started_ns=sampled.started_ns,
        warmup=Warmup(sampled.warmup_s, sampled.warmup_iterations),
        stopped_because=sampled.stopped_because,
        items=operation.items,
        item_unit=operation.item_unit,
    )
    try:
        measurement.observed = operation.observed_metrics()
        measurement.details = operation.final_details()
        if sampled.stopped_because == "failed":
            raise StratoperfError(f"{measurement.name}: the operation failed: {sampled.error}")
        if sampled.interrupt is not None:
            _raise_interrupt(sampled.interrupt, measurement)
        if sampled.stopped_because != "interrupted":
            measurement.verification = verify(operation, measurement)
            # Not of work that uses something up, and may not be done again.
            if operation.is_native and operation.max_iterations is None:
                measurement.device_ns = _device_times(operation, measurement, max_duration_s)
            if measurement.device_ns is not None:
                # The outcome of the samples has been overwritten.
                measurement.verification = verify(operation, measurement)
    except KeyboardInterrupt as interrupt:
        # Another measurement within this one, say in its check, has an interrupt of its own.
        if isinstance(interrupt, Interrupted) and interrupt.measurement is measurement:
            raise
        # The samples are complete, whatever Ctrl-C cut short after them.
        _raise_interrupt(interrupt, measurement)
    return measurement


def warn_of_tracers(work: object) -> None:
    """Warn of what runs at each line or call of Python code, and is measured with it.

    Parameters
    ----------
    work
        What will be measured; native loops do not pass through Python.
    """
    if (isinstance(work, Operation) and work.is_native) or type(work).__name__ == "PyCapsule":
        return
    monitoring = getattr(sys, "monitoring", None)
    tools = [] if monitoring is None else map(monitoring.get_tool, range(MOST_TOOLS))
    active = [f"the tool {tool!r} of sys.monitoring" for tool in tools if tool is not None]
    if sys.gettrace() is not None:
        active.insert(0, "a trace function, such as that of a debugger or of coverage,")
    if sys.getprofile() is not None:
        active.insert(0, "a profile function")
    if active:
        warnings.warn(
            f"{' and '.join(active)} is active, and its time is part of what is measured; "
            "measure without it",
            RuntimeWarning,
            stacklevel=3,
        )


def check_arguments(
    warmup_s: float,
    min_iterations: int,
    max_duration_s: float,
    precision: float,
    quantile: float,
    batch: int | None,
    keep_samples: bool = True,
) -> None:
    """Raise `InvalidParameter` for an argument of `stratoperf.measure` out of range."""
    if keep_samples:
        arguments.count("min_iterations", min_iterations, MOST_NUMBERS)
        check_room("min_iterations", min_iterations, min_iterations * SAMPLE_BYTES)
    else:
        arguments.count("min_iterations", min_iterations)
    arguments.seconds("warmup_s", warmup_s)
    arguments.seconds("max_duration_s", max_duration_s, above=0.0)
    arguments.number("precision", precision, at_least=0.0)
    arguments.number("quantile", quantile, above=0.0, below=1.0)
    if batch is not None:
        arguments.count("batch", batch, LARGEST_BATCH)


def _device_times(
    operation: Operation, measurement: Measurement, max_duration_s: float
) -> NDArray[np.float64] | None:
    """Return the device's time of further iterations, for operations that tell it."""
    taken = _core.sampler.device_times(
        operation.work,
        batch=measurement.batch,
        count=DEVICE_SAMPLES,
        max_duration_s=max_duration_s * DEVICE_SHARE,
        stop_on_signal=threading.current_thread() is threading.main_thread(),
    )
    if taken is None:
        return None
    if taken.interrupt is not None:
        _raise_interrupt(taken.interrupt, measurement)
    if taken.error:
        raise StratoperfError(f"{measurement.name}: the operation failed: {taken.error}")
    return taken.samples_ns


def _raise_interrupt(interrupt: BaseException, measurement: Measurement) -> None:
    if not isinstance(interrupt, KeyboardInterrupt):
        raise interrupt
    interrupted = Interrupted(f"{measurement.name}: interrupted after {measurement.count} samples")
    interrupted.measurement = measurement if measurement.count else None
    raise interrupted from interrupt
