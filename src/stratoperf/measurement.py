"""Measure one operation: samples, statistics and verification."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from stratoperf import _core, arguments, statistics
from stratoperf.errors import Interrupted, InvalidParameter, StratoperfError
from stratoperf.operation import Capsule, HasOperation, Observed, Operation, as_operation
from stratoperf.statistics import Estimate, Histogram, Summary
from stratoperf.verification import Verification, verify

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CONFIDENCE = 0.95

# Device times are taken apart, since asking the device's clock costs host time: as many as p95
# needs for a narrow interval, and no more than a tenth of the time that the samples may take.
DEVICE_SAMPLES = 1000
DEVICE_SHARE = 0.1

# A histogram of a long measurement holds picoseconds, so that short operations keep their digits,
# up to an hour a sample.
PICOSECONDS = 1000
LONGEST_PS = 3_600 * 10**12


class Warmup(NamedTuple):
    """What was run before the first sample."""

    seconds: float
    iterations: int


class Measurement:
    """The samples of one operation.

    Attributes
    ----------
    name
        What was measured.
    samples_ns
        Read-only float64 array, one value per timed batch in the order taken: nanoseconds per
        iteration, clock overhead included. Empty when a histogram was kept instead.
    batch
        Iterations in each timed batch; above 1, quantiles are those of batch means.
    histogram
        The samples in picoseconds, when ``keep_samples=False``, else ``None``.
    started_ns
        `stratoperf.clock.now_ns` at the first sample.
    warmup
        Seconds and iterations run before it.
    verification
        Outcomes checked, or ``None`` when the operation has no check or was interrupted.
    stopped_because
        ``"precision"``, ``"max_duration"``, ``"max_iterations"`` or ``"interrupted"``.
    items, item_unit
        Work items in one iteration, and their name.
    device_ns
        Read-only float64 array: nanoseconds per iteration that a device was busy, by its own clock
        (CUDA events, for one), of further iterations that were run after the samples. ``None`` for
        work that no device does.
    details
        How the work was done, in the operation's own words; see `Operation`.
    observed
        Further metrics by name, of what the operation saw beside the samples; see `Operation`.
    """

    def __init__(
        self,
        name: str,
        samples_ns: NDArray[np.float64],
        *,
        batch: int = 1,
        histogram: Histogram | None = None,
        started_ns: int = 0,
        warmup: Warmup | None = None,
        verification: Verification | None = None,
        stopped_because: str = "max_duration",
        items: float = 1.0,
        item_unit: str = "iterations",
        device_ns: NDArray[np.float64] | None = None,
        details: Mapping[str, Any] | None = None,
        observed: Mapping[str, Observed] | None = None,
    ) -> None:
        self.name = name
        self.samples_ns = np.asarray(samples_ns, dtype=np.float64).view()
        self.samples_ns.flags.writeable = False
        self.batch = batch
        self.histogram = histogram
        self.started_ns = started_ns
        self.warmup = warmup or Warmup(0.0, 0)
        self.verification = verification
        self.stopped_because = stopped_because
        self.items = items
        self.item_unit = item_unit
        self.device_ns = device_ns
        self.details = dict(details or {})
        self.observed = dict(observed or {})

    @property
    def count(self) -> int:
        """The number of samples."""
        return len(self.samples_ns) if self.histogram is None else self.histogram.count

    def quantile(self, q: float, confidence: float = CONFIDENCE) -> Estimate:
        """Estimate a quantile of the time of one iteration, in nanoseconds.

        Parameters
        ----------
        q
            Between 0 and 1.
        confidence
            Of the two-sided interval; ``low`` or ``high`` is ``None`` where none exists.

        Raises
        ------
        InvalidParameter
            For a `q` or `confidence` out of range, or when there are no samples.
        """
        if self.histogram is None:
            estimate = statistics.quantile(self.samples_ns, q, confidence)
        else:
            estimate = self.histogram.estimate(q, confidence).scaled(1 / PICOSECONDS)
        return self._labeled(estimate)

    def device_quantile(self, q: float, confidence: float = CONFIDENCE) -> Estimate:
        """Estimate a quantile of the device time of one iteration, in nanoseconds.

        Parameters
        ----------
        q, confidence
            As for `quantile`.

        Raises
        ------
        InvalidParameter
            For a `q` or `confidence` out of range, or when there are no device times.
        """
        if self.device_ns is None:
            raise InvalidParameter(
                f"q: {self.name} has no device times to take a quantile of; no device did the work"
            )
        return self._labeled(statistics.quantile(self.device_ns, q, confidence))

    def summary(self) -> Summary:
        """Summarize the samples: count, moments, quantiles with intervals, the 3-sigma view."""
        return self._summary

    def device_summary(self) -> Summary | None:
        """Summarize the device times; ``None`` where there are none."""
        if self.device_ns is None or len(self.device_ns) == 0:
            return None
        return self._labeled_summary(statistics.summarize(self.device_ns, CONFIDENCE))

    @functools.cached_property
    def _summary(self) -> Summary:
        if self.histogram is None:
            summary = statistics.summarize(self.samples_ns, CONFIDENCE)
        else:
            summary = self.histogram.summary(CONFIDENCE).scaled(1 / PICOSECONDS)
        return msgspec.structs.replace(
            self._labeled_summary(summary), stopped_because=self.stopped_because
        )

    def _labeled_summary(self, summary: Summary) -> Summary:
        return msgspec.structs.replace(
            summary,
            p50=self._labeled(summary.p50),
            p95=self._labeled(summary.p95),
            p99=self._labeled(summary.p99),
            p999=self._labeled(summary.p999),
        )

    def throughput(self) -> Estimate:
        """Estimate the mean rate, in items a second: all items over all the time."""
        if self.histogram is None:
            mean = statistics.mean(self.samples_ns, CONFIDENCE)
        else:
            mean = Estimate(
                self.histogram.mean / PICOSECONDS, None, None, CONFIDENCE, "mean of a histogram"
            )
        rate = self.items * 1e9
        return Estimate(
            rate / mean.value,
            None if mean.high is None else rate / mean.high,
            None if mean.low is None or mean.low <= 0 else rate / mean.low,
            mean.confidence,
            f"items over the mean time; {mean.method}",
        )

    def plot(self) -> Axes:
        """Draw the distribution of the samples with its quantiles.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        PrerequisiteMissing
            Without the extra ``plot``.
        """
        from stratoperf.report.figures import plot_measurement

        return plot_measurement(self)

    def _labeled(self, estimate: Estimate) -> Estimate:
        if self.batch == 1:
            return estimate
        method = f"{estimate.method}; of means over batches of {self.batch} iterations"
        return msgspec.structs.replace(estimate, method=method)

    def __repr__(self) -> str:
        from stratoperf.report.text import describe_measurement

        return describe_measurement(self)

    def _repr_html_(self) -> str:
        from stratoperf.report.text import measurement_html

        return measurement_html(self)


def measure(
    fn: Operation | HasOperation | Capsule | Callable[[], object],
    name: str | None = None,
    warmup_s: float = 1.0,
    min_iterations: int = 1000,
    max_duration_s: float = 10.0,
    precision: float = 0.02,
    quantile: float = 0.5,
    *,
    batch: int | None = None,
    keep_samples: bool = True,
) -> Measurement:
    """Time an operation until a quantile is known well enough, or time runs out.

    Parameters
    ----------
    fn
        A callable without arguments, an `Operation`, a capsule ``stratoperf.operation/1``, or an
        object with ``__stratoperf_operation__``.
    name
        Shown in reports.
    warmup_s
        Seconds to run before the first sample (at least one iteration is run).
    min_iterations
        Samples to take before the precision is looked at.
    max_duration_s
        Seconds of sampling at most; it wins over `min_iterations`.
    precision
        Stop when half the confidence interval of the quantile is at most this share of its value;
        0 samples for the whole of `max_duration_s`.
    quantile
        The quantile that `precision` speaks of.
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
        For an argument out of range (NaN included).
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
    operation = as_operation(fn)
    histogram = None if keep_samples else Histogram(1, LONGEST_PS, 3)
    sampled = _core.sampler.sample(
        operation.work,
        warmup_s=arguments.number("warmup_s", warmup_s, at_least=0.0),
        min_samples=arguments.count("min_iterations", min_iterations),
        max_duration_s=arguments.number("max_duration_s", max_duration_s, above=0.0),
        precision=arguments.number("precision", precision, at_least=0.0),
        quantile=arguments.number("quantile", quantile, above=0.0, below=1.0),
        confidence=CONFIDENCE,
        batch=0 if batch is None else arguments.count("batch", batch),
        max_iterations=operation.max_iterations or 0,
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
        if operation.observe is not None:
            measurement.observed = dict(operation.observe())
        measurement.details = operation.told_details()
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
        if isinstance(interrupt, Interrupted):
            raise
        # The samples are complete, whatever Ctrl-C cut short after them.
        _raise_interrupt(interrupt, measurement)
    return measurement


def _device_times(
    operation: Operation, measurement: Measurement, max_duration_s: float
) -> NDArray[np.float64] | None:
    """Return the device's time of further iterations, for operations that tell it."""
    told = _core.sampler.device_times(
        operation.work,
        batch=measurement.batch,
        count=DEVICE_SAMPLES,
        max_duration_s=max_duration_s * DEVICE_SHARE,
        stop_on_signal=threading.current_thread() is threading.main_thread(),
    )
    if told is None:
        return None
    times, error, interrupt = told
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
