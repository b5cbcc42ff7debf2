"""Measure one operation: sample it, ask its device for times, and verify what it did."""

from __future__ import annotations

import contextlib
import sys
import threading
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from stratoperf import _core, arguments
from stratoperf.door import MOST_NUMBERS
from stratoperf.errors import Interrupted, InvalidParameter, StratoperfError
from stratoperf.measurement import CONFIDENCE, PICOSECONDS, Measurement, Warmup
from stratoperf.operation import Capsule, Operation, as_operation
from stratoperf.statistics import Histogram
from stratoperf.verification import verify

# Device times are taken apart, since asking the device's clock costs host time: as many as p95
# needs for a narrow interval, and no more than a tenth of the time that the samples may take.
DEVICE_SAMPLES = 1000
DEVICE_SHARE = 0.1

SPREAD_S = 1.0
"""Seconds of sampling at least: shorter, and a median says what the machine did in that moment."""

LARGEST_BATCH = 2**32
SAMPLE_BYTES = 8
"""Of one sample, in memory and in a file."""

# What a histogram holds at most: an hour a sample.
LONGEST_PS = 3_600 * 10**9 * PICOSECONDS


def measure(
    fn: Operation | Capsule | Callable[[], object],
    name: str | None = None,
    warmup_s: float = 1.0,
    min_iterations: int = 1000,
    max_duration_s: float = 10.0,
    precision: float = 0.02,
    quantile: float = 0.5,
    processes: int = 1,
    *,
    batch: int | None = None,
    keep_samples: bool = True,
) -> Measurement:
    """Time an operation until a quantile is known well enough, or time runs out.

    The samples are spread over a second at least, in eight windows or more, without a pause between
    them: a machine that drifts changes what it does from window to window, so the intervals of the
    result, and with them the precision, follow from the scatter between windows.

    Parameters
    ----------
    fn
        A callable without arguments, an `Operation`, a capsule ``stratoperf.operation/1``, or a
        benchmark with one case, whose operation is measured between its set-up and its teardown.
    name
        Shown in reports.
    warmup_s
        Seconds to run before the first sample (at least one iteration is run, and finished).
    min_iterations
        Samples to take before the precision is looked at.
    max_duration_s
        Seconds of sampling, which win over `min_iterations` and over the second that the samples
        are spread over, at most 1,000 hours. Sampling ends
        earlier after 2**26 samples, which is what a file can hold of them. An iteration in
        progress when they are over is finished, so one of a Python callable that lasts longer
        makes the sampling last longer.
    precision
        Stop when half the confidence interval of the quantile is at most this share of its value;
        0 samples for the whole of `max_duration_s`.
    quantile
        The quantile that `precision` speaks of.
    processes
        By default the work is measured in this process, and the intervals speak of it alone: the
        next process may differ by more (see `Measurement.scope`). With more it is measured in as
        many fresh processes, one after the other, and the intervals follow from how far these lie
        apart: from six processes on they hold for the next one too. `warmup_s`, `min_iterations`,
        `max_duration_s`, the second and `precision` are of all processes together. `fn` must then
        be a benchmark with one case, or anything that pickles, such as a function at the top level
        of a module. A function is called once at first: if it returns or yields an operation, that
        is measured, as of a benchmark. A script is imported by each process, as by those that
        `multiprocessing` spawns, so it calls `measure` under ``if __name__ == "__main__":``.
    batch
        Iterations per sample. By default 1, or as many as make reading the clock at most about
        1 % of a sample; above 1, quantiles are those of batch means.
    keep_samples
        With False, samples go into a `Histogram` of constant size instead, for runs too long to
        keep every one; such a run always lasts `max_duration_s`.

    Returns
    -------
    Measurement
        With ``device_ns`` where a device does the work: up to 1000 further samples, in up to a
        tenth of `max_duration_s`.

    Raises
    ------
    InvalidParameter
        For an argument out of range (NaN included), and for what fresh processes cannot have, such
        as a lambda.
    Interrupted
        On Ctrl-C, with the samples so far in its attribute ``measurement``; during the
        verification these are all of them.
    VerificationFailed
        When the outcome of the timed work is wrong.
    StratoperfError
        When a native operation reports a failure.
    Exception
        Whatever the callable raises, with its traceback.
    """
    if arguments.count("processes", processes) > 1:
        if not keep_samples:
            raise InvalidParameter(
                f"keep_samples: False goes with one process, got processes={processes}; keep the "
                "samples, or leave processes out"
            )
        _check(warmup_s, min_iterations, max_duration_s, precision, quantile, batch)
        # Above this module: it measures in its processes by means of it.
        from stratoperf.running.measuring_processes import measure_in_processes
        from stratoperf.running.presets import Sampling

        sampling = Sampling(
            warmup_s, min_iterations, max_duration_s, precision, quantile, batch, SPREAD_S
        )
        return measure_in_processes(fn, name, sampling, processes)
    # Above this module as well; who has a benchmark has loaded it.
    declaration = sys.modules.get("stratoperf.running.declaration")
    with contextlib.ExitStack() as stack:
        if declaration is not None and isinstance(fn, declaration.Benchmark):
            from stratoperf.running.measuring_processes import only_case

            _check(
                warmup_s, min_iterations, max_duration_s, precision, quantile, batch, keep_samples
            )
            name = name or fn.name
            backend, params = only_case(fn)
            fn = stack.enter_context(fn.operation(params, backend, max_duration_s))
        return measure_here(
            fn,
            name,
            warmup_s,
            min_iterations,
            max_duration_s,
            precision,
            quantile,
            batch=batch,
            keep_samples=keep_samples,
            spread_s=SPREAD_S,
        )


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
    """Measure in this process: see `measure`, whose parameters these are.

    Parameters
    ----------
    spread_s
        Seconds that the samples are spread over before the precision is looked at, as far as
        `max_duration_s` allows. By default none: for whoever measures in many processes, each
        briefly.
    """
    operation = as_operation(fn)
    histogram = None if keep_samples else Histogram(1, LONGEST_PS, 3)
    _check(warmup_s, min_iterations, max_duration_s, precision, quantile, batch, keep_samples)
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


def _check(
    warmup_s: float,
    min_iterations: int,
    max_duration_s: float,
    precision: float,
    quantile: float,
    batch: int | None,
    keep_samples: bool = True,
) -> None:
    """Raise `InvalidParameter` for an argument of `measure` out of range."""
    if keep_samples:
        arguments.count("min_iterations", min_iterations, MOST_NUMBERS)
        arguments.check_room("min_iterations", min_iterations, min_iterations * SAMPLE_BYTES)
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
    times, error, interrupt = taken
    if interrupt is not None:
        _raise_interrupt(interrupt, measurement)
    if error:
        raise StratoperfError(f"{measurement.name}: the operation failed: {error}")
    return np.asarray(times)


def _raise_interrupt(interrupt: BaseException, measurement: Measurement) -> None:
    if not isinstance(interrupt, KeyboardInterrupt):
        raise interrupt
    interrupted = Interrupted(f"{measurement.name}: interrupted after {measurement.count} samples")
    interrupted.measurement = measurement if measurement.count else None
    raise interrupted from interrupt
