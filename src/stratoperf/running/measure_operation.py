"""`stratoperf.measure`: time one operation, in this process or in several."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable

from stratoperf import arguments
from stratoperf.errors import InvalidParameter
from stratoperf.measurement import Measurement
from stratoperf.operation import Capsule, Operation
from stratoperf.sampling import check_arguments, measure_here

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
