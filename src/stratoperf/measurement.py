"""What measuring one operation gives: samples, statistics and verification."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from stratoperf import media, statistics
from stratoperf.errors import InvalidParameter
from stratoperf.operation import Observed
from stratoperf.statistics import Estimate, Histogram, Summary
from stratoperf.statistics.estimates import QUANTILES, scope_of
from stratoperf.statistics.next_run import movement
from stratoperf.statistics.processes import FEWEST_BEYOND, location, pooled_tail
from stratoperf.text.units import interval, percent, samples
from stratoperf.verification import Verification

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CONFIDENCE = 0.95

PICOSECONDS = 1000
"""In a nanosecond: a histogram holds these, so that short operations keep their digits."""


class Warmup(NamedTuple):
    """What was run before the first sample."""

    seconds: float
    iterations: int


class MeasuredProcess(NamedTuple):
    """One of several processes that a measurement was taken in.

    Attributes
    ----------
    id
        Its identity.
    samples, device
        Which of all samples, and of all device times, are its own, such as
        ``m.samples_ns[process.samples]``.
    step_ns
        The time of a step of integer arithmetic around it, which tells the machine's speed.
    """

    id: str
    samples: slice
    device: slice | None = None
    step_ns: float | None = None


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
        ``"precision"``, ``"max_duration"`` (after the iteration in progress), ``"max_iterations"``,
        ``"max_samples"`` (as many as a file holds) or ``"interrupted"``.
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
    processes
        The processes, where it was taken in several; else empty.
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
        processes: Sequence[MeasuredProcess] = (),
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
        self.processes = tuple(processes)

    @property
    def count(self) -> int:
        """The number of samples."""
        return len(self.samples_ns) if self.histogram is None else self.histogram.count

    @property
    def scope(self) -> str:
        """What the intervals speak of: ``"this process"``, or for several ``"5 processes"``."""
        return scope_of(len(self.processes))

    def _by_process(self) -> list[NDArray[np.float64]]:
        """Return the samples of each of several processes, and none of a single one."""
        several = self.processes if len(self.processes) > 1 else ()
        return [self.samples_ns[process.samples] for process in several]

    def _device_by_process(self) -> list[NDArray[np.float64]]:
        several = self.processes if len(self.processes) > 1 else ()
        times = self.device_ns
        return (
            []
            if times is None
            else [times[process.device] for process in several if process.device]
        )

    @functools.cached_property
    def _moved(self) -> float | None:
        """How far the machine's speed moved; ``None`` where too little tells."""
        steps = [process.step_ns for process in self.processes]
        return movement([step for step in steps if step is not None])

    def quantile(self, q: float, confidence: float = CONFIDENCE) -> Estimate:
        """Estimate a quantile of the time of one iteration, in nanoseconds.

        In several processes it is a location over processes, with an interval from how far they
        lie apart, and from six processes on allows for how far the next run may lie off while the
        machine's speed moves. In this process the interval follows from the samples alone (see
        `stratoperf.statistics.quantile`), and another process may well lie outside of it.

        Parameters
        ----------
        q
            Between 0 and 1.
        confidence
            Confidence of the two-sided interval; ``low`` or ``high`` is ``None`` where none exists.

        Raises
        ------
        InvalidParameter
            For a `q` or `confidence` out of range, or when there are no samples.
        """
        if self.histogram is None:
            estimate = _quantile(self.samples_ns, self._by_process(), q, confidence, self._moved)
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
        by_process = self._device_by_process()
        return self._labeled(_quantile(self.device_ns, by_process, q, confidence, self._moved))

    def summary(self) -> Summary:
        """Summarize the samples: count, moments, quantiles with intervals, the 3-sigma view."""
        return self._summary

    def device_summary(self) -> Summary | None:
        """Summarize the device times; ``None`` without any."""
        if self.device_ns is None or len(self.device_ns) == 0:
            return None
        return self._labeled_summary(
            _summarize(self.device_ns, self._device_by_process(), self._moved)
        )

    @functools.cached_property
    def _summary(self) -> Summary:
        if self.histogram is None:
            summary = _summarize(self.samples_ns, self._by_process(), self._moved)
        else:
            summary = self.histogram.summary(CONFIDENCE).scaled(1 / PICOSECONDS)
        return msgspec.structs.replace(
            self._labeled_summary(summary),
            stopped_because=self.stopped_because,
            processes=max(1, len(self.processes)),
            scope=self.scope,
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
        """Estimate the mean rate, in items a second: all items over all the time.

        Of several processes, the location of their mean times takes the place of the mean.
        """
        series = self._by_process()
        if series:
            mean = location([own.mean() for own in series], CONFIDENCE, self._moved)
        elif self.histogram is None:
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
        """Draw the distribution of the samples with its quantiles, to change it with matplotlib.

        Returns
        -------
        matplotlib.axes.Axes

        Raises
        ------
        PrerequisiteMissing
            Without the extra ``plot``.
        """
        return media.axes(self)

    def picture(self, kind: str = "distribution") -> media.Picture:
        """Draw the samples as SVG, as reports show them; needs no further package.

        Parameters
        ----------
        kind
            ``"distribution"`` with p50, p95, p99 and p99.9 and their intervals, ``"samples"`` in
            the order taken, or ``"processes"``: variation within and between these.

        Returns
        -------
        stratoperf.media.Picture
            A notebook shows it; ``save("figure.svg")`` writes it.

        Raises
        ------
        InvalidParameter
            For another `kind`, without samples, and for the processes of a single one.
        """
        return media.picture(self, kind=kind)

    def _labeled(self, estimate: Estimate) -> Estimate:
        if self.batch == 1:
            return estimate
        method = f"{estimate.method}; of means over batches of {self.batch} iterations"
        return msgspec.structs.replace(estimate, method=method)

    def __repr__(self) -> str:
        if self.count == 0:
            return f"<Measurement {self.name!r}: no samples, {self.stopped_because}>"
        summary, device = self.summary(), self.device_summary()
        drift = "" if summary.drift is None else f"drift {percent(summary.drift)}, "
        busy = "" if device is None else f"device p50 {interval(device.p50, 'ns')}, "
        return (
            f"<Measurement {self.name!r}: p50 {interval(summary.p50, 'ns')}, "
            f"p95 {interval(summary.p95, 'ns')} ({self.scope}), {drift}{busy}"
            f"{samples(self.count, self.batch)}, stopped by {self.stopped_because}>"
        )

    def _repr_html_(self) -> str:
        return media.html(self)


def _quantile(
    samples: NDArray[np.float64],
    by_process: Sequence[NDArray[np.float64]],
    q: float,
    confidence: float,
    moved: float | None,
) -> Estimate:
    """Estimate a quantile, over processes if there are several."""
    if not by_process:
        return statistics.quantile(samples, q, confidence)
    if min(map(len, by_process)) * (1 - q) < FEWEST_BEYOND and q > 0.5:
        return pooled_tail(by_process, q, confidence, moved)
    return location([statistics.quantile(own, q).value for own in by_process], confidence, moved)


def _summarize(
    samples: NDArray[np.float64],
    by_process: Sequence[NDArray[np.float64]],
    moved: float | None,
) -> Summary:
    """Summarize samples; the estimates are over processes if there are several."""
    summary = statistics.summarize(samples, CONFIDENCE)
    if not by_process:
        return summary
    estimates: dict[str, Estimate] = {}
    lowest = 0.0
    for name, q in QUANTILES.items():
        estimate = _quantile(samples, by_process, q, CONFIDENCE, moved)
        # Of few samples, the tail of a pool may lie below the location of lower quantiles.
        value, high = max(estimate.value, lowest), estimate.high
        high = None if high is None else max(high, value)
        estimates[name] = msgspec.structs.replace(estimate, value=value, high=high)
        lowest = value
    mean = location([own.mean() for own in by_process], CONFIDENCE).value
    # A step from the end of one process to the beginning of the next is not drift.
    return msgspec.structs.replace(summary, mean=mean, drift=None, **estimates)
