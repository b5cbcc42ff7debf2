"""Results of the statistics: values with their uncertainty."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import msgspec

from stratoperf import media

QUANTILES: Mapping[str, float] = MappingProxyType(
    {"p50": 0.50, "p95": 0.95, "p99": 0.99, "p999": 0.999}
)
"""The quantiles that every summary has, by their name in the file."""

THIS_PROCESS = "this process"
"""The scope of what a single process measured: its intervals do not cover the next process."""

# The rule of thumb that "outliers" lie beyond three standard deviations from the mean.
SIGMA = 3.0


def scope_of(processes: int) -> str:
    """Return what the intervals of this number of processes cover."""
    return f"{processes} processes" if processes > 1 else THIS_PROCESS


class Estimate(msgspec.Struct, frozen=True):
    """A value and its two-sided confidence interval, in the unit of the samples.

    Attributes
    ----------
    value
        The point estimate.
    low, high
        The bounds of the interval; ``None`` where the samples support none (the 99th percentile
        of 50 samples has no upper bound).
    confidence
        The probability with which such intervals cover the true value, for example 0.95.
    method
        How the interval was found, in words.
    """

    value: float
    low: float | None
    high: float | None
    confidence: float
    method: str

    def scaled(self, factor: float) -> Estimate:
        """Return the same estimate in another unit; `factor` is above 0."""
        low = None if self.low is None else self.low * factor
        high = None if self.high is None else self.high * factor
        return Estimate(self.value * factor, low, high, self.confidence, self.method)


def inverse(estimate: Estimate) -> Estimate:
    """Return the estimate of ``1 / value``, such as a rate from a time.

    Parameters
    ----------
    estimate
        With a value other than 0. A bound of 0 bounds nothing after that, and becomes ``None``.
    """
    low, high = (None if not bound else 1 / bound for bound in (estimate.high, estimate.low))
    return msgspec.structs.replace(estimate, value=1 / estimate.value, low=low, high=high)


class Outliers(msgspec.Struct, frozen=True):
    """The 3-sigma view: what is left when samples far from the mean are dropped, once.

    It stands beside the percentiles, which always come from all samples: in a latency the slow
    samples are part of the truth.

    Attributes
    ----------
    count, fraction
        How many samples lie further than `sigma` standard deviations from the mean, and their
        share of all.
    sigma
        The number of standard deviations, 3.
    mean, stdev
        Moments of the samples that remain; ``None`` where too few remain.
    """

    count: int
    fraction: float
    sigma: float
    mean: float | None
    stdev: float | None

    def scaled(self, factor: float) -> Outliers:
        """Return the same view in another unit; `factor` is above 0."""
        mean = None if self.mean is None else self.mean * factor
        stdev = None if self.stdev is None else self.stdev * factor
        return Outliers(self.count, self.fraction, self.sigma, mean, stdev)


class Summary(msgspec.Struct, frozen=True):
    """A series at a glance; all values in the unit of the samples.

    Attributes
    ----------
    count, mean, stdev, min, max
        Of all samples. `stdev` divides by ``count - 1`` and is ``None`` for a single sample.
    p50, p95, p99, p999
        Quantiles with their intervals.
    outliers
        The 3-sigma view.
    drift
        How much the median changed from the first eighth of the series to the last, as a share of
        that of all: -0.09 is 9 % less at the end. ``None`` where it did not change in one
        direction, or no more than chance explains.
    stopped_because
        Why the measurement ended, where the series comes from one.
    processes, scope
        How many processes the samples of a measurement come from, and what its intervals speak of:
        ``"this process"``, or ``"5 processes"``.
    """

    count: int
    mean: float
    stdev: float | None
    min: float
    max: float
    p50: Estimate
    p95: Estimate
    p99: Estimate
    p999: Estimate
    outliers: Outliers
    drift: float | None = None
    stopped_because: str | None = None
    processes: int | None = None
    scope: str | None = None

    def scaled(self, factor: float) -> Summary:
        """Return the same summary in another unit; `factor` is above 0."""
        return msgspec.structs.replace(
            self,
            mean=self.mean * factor,
            stdev=None if self.stdev is None else self.stdev * factor,
            min=self.min * factor,
            max=self.max * factor,
            outliers=self.outliers.scaled(factor),
            p50=self.p50.scaled(factor),
            p95=self.p95.scaled(factor),
            p99=self.p99.scaled(factor),
            p999=self.p999.scaled(factor),
        )

    def _repr_html_(self) -> str:
        return media.html(self)
