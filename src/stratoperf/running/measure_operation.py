"""`stratoperf.measure`: time one operation, in this process or in several."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

from stratoperf import arguments
from stratoperf.errors import InvalidParameter
from stratoperf.measurement import Measurement
from stratoperf.operation import Capsule, Operation
from stratoperf.sampling import check_arguments, measure_here, warn_of_tracers

SPREAD_S = 1.0
"""Seconds of sampling at least: shorter, and a median says what the machine did in that moment."""


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

    The samples take at least a second, in eight windows or more without a pause. A machine that
    drifts changes from window to window, so the scatter between windows gives the intervals of the
    result, and with them the precision.

    Parameters
    ----------
    fn
        A callable without arguments, an `Operation`, a capsule ``stratoperf.operation/1``, or a
        benchmark with one case, whose operation is measured between its set-up and its teardown.
    name
        Name in reports.
    warmup_s
        Warm-up time before the first sample, in seconds; at least one iteration runs.
    min_iterations
        Minimum number of samples before the precision counts.
    max_duration_s
        Maximum sampling time, in seconds, up to 1,000 hours. It overrides `min_iterations` and the
        second that the samples take at least. Sampling ends earlier after 2**26 samples, the most
        that a file can hold. The last iteration runs to its end, so a long iteration of a Python
        callable extends the sampling.
    precision
        Stop when half the confidence interval of the quantile is at most this share of its value;
        0 samples for the whole of `max_duration_s`.
    quantile
        The quantile that `precision` applies to.
    processes
        Number of processes. With 1, the work is measured in this process, and the intervals hold
        for it alone: the next process may differ by more (see `Measurement.scope`). With more, it
        is measured in fresh processes, one after the other, and the scatter between them gives the
        intervals: from six processes on they hold for the next process too. All processes together
        share `warmup_s`, `min_iterations`, `max_duration_s`, the second and `precision`. `fn` must
        then be a benchmark with one case, or picklable, such as a function at the top level of a
        module. A function is called once first: if it returns or yields an operation, that is
        measured. Each process imports the script, as with `multiprocessing`, so call `measure`
        under ``if __name__ == "__main__":``.
    batch
        Number of iterations per sample. By default 1, or as many as keep the reading of the clock
        below about 1 % of a sample; above 1, quantiles are quantiles of batch means.
    keep_samples
        False puts the samples into a `Histogram` of constant size, for runs that are too long to
        keep every sample; such a run always lasts `max_duration_s`.

    Returns
    -------
    Measurement
        If a device does the work, ``device_ns`` holds up to 1000 additional samples, taken in up
        to a tenth of `max_duration_s`.

    Raises
    ------
    InvalidParameter
        For an argument out of range (NaN included), and for work that fresh processes cannot run,
        such as a lambda.
    Interrupted
        On Ctrl-C, with the samples so far in its attribute ``measurement``; during the
        verification these are all of them.
    VerificationFailed
        When the outcome of the timed work is wrong.
    StratoperfError
        When a native operation reports a failure.
    Exception
        Any error of the callable, with its traceback.
    """
    if arguments.count("processes", processes) > 1:
        if not keep_samples:
            raise InvalidParameter(
                f"keep_samples: False needs one process, got processes={processes}; keep the "
                "samples, or leave out processes"
            )
        check_arguments(warmup_s, min_iterations, max_duration_s, precision, quantile, batch)
        # Not needed in a single process, where `measure` comes back at once.
        from stratoperf.running.presets import Sampling
        from stratoperf.running.several_processes import measure_in_processes

        sampling = Sampling(
            warmup_s, min_iterations, max_duration_s, precision, quantile, batch, SPREAD_S
        )
        return measure_in_processes(fn, name, sampling, processes)
    # Whoever has a benchmark has loaded its class.
    declaration = sys.modules.get("stratoperf.running.declaration")
    with contextlib.ExitStack() as stack:
        if declaration is not None and isinstance(fn, declaration.Benchmark):
            from stratoperf.running.several_processes import only_case

            check_arguments(
                warmup_s, min_iterations, max_duration_s, precision, quantile, batch, keep_samples
            )
            name = name or fn.name
            backend, params = only_case(fn)
            fn = stack.enter_context(fn.operation(params, backend, max_duration_s))
        warn_of_tracers(fn)
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
