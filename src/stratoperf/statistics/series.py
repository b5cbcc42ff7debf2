"""Statistics of a series of samples in the order taken."""

from __future__ import annotations

import numpy.typing as npt

from stratoperf._core import statistics as _native
from stratoperf.statistics.estimates import SIGMA, Estimate, Outliers, Summary
from stratoperf.statistics.validation import (
    Samples,
    as_samples,
    check_confidence,
    check_quantile,
)


def quantile(samples: npt.ArrayLike, q: float, confidence: float = 0.95) -> Estimate:
    """Estimate a quantile with a distribution-free interval.

    The value interpolates linearly between order statistics (definition 7 of Hyndman & Fan 1996,
    the default of `numpy.quantile`). The bounds are order statistics at exact binomial ranks
    (David & Nagaraja, *Order Statistics*, section 7.1), so the interval covers at least with the
    given confidence whatever the distribution. Where being below the quantile is significantly
    correlated from sample to sample, the ranks are those of the effective sample size: the number
    of samples over the integrated autocorrelation time of that indicator (Sokal's window, at the
    scale at which the correlation shows most).

    Parameters
    ----------
    samples
        One-dimensional, finite, in the order taken.
    q
        In [0, 1]; 0.95 is the 95th percentile.
    confidence
        Of the two-sided, equal-tailed interval; in (0, 1).

    Returns
    -------
    Estimate
        With ``None`` on a side that no order statistic bounds.

    Raises
    ------
    InvalidParameter
        For bad samples, or `q` or `confidence` out of range.
    """
    check_quantile(q)
    check_confidence(confidence)
    return _quantile(as_samples(samples), q, confidence)


def mean(samples: npt.ArrayLike, confidence: float = 0.95) -> Estimate:
    """Estimate the mean with Student's interval.

    The standard error uses the effective sample size where the samples are significantly
    correlated; see `effective_sample_size`.

    Parameters
    ----------
    samples
        One-dimensional, finite, in the order taken.
    confidence
        Of the two-sided interval; in (0, 1).

    Returns
    -------
    Estimate
        Without bounds for a single sample.

    Raises
    ------
    InvalidParameter
        For bad samples or a `confidence` out of range.
    """
    check_confidence(confidence)
    data = as_samples(samples)
    value, low, high, effective, widened = _native.mean(data, confidence)
    method = _named("Student's t", len(data), effective, widened)
    return Estimate(value, low, high, confidence, method)


def median_absolute_deviation(samples: npt.ArrayLike) -> float:
    """Return the median distance of the samples to their median, in their unit.

    It is not scaled; times 1.4826 it estimates the standard deviation of a normal distribution.

    Parameters
    ----------
    samples
        One-dimensional and finite.
    """
    return _native.median_absolute_deviation(as_samples(samples))


def summarize(samples: npt.ArrayLike, confidence: float = 0.95) -> Summary:
    """Summarize a series: moments, extremes, quantiles with intervals, the 3-sigma view.

    Parameters
    ----------
    samples
        One-dimensional, finite, in the order taken.
    confidence
        Of the quantiles' intervals; in (0, 1).

    Raises
    ------
    InvalidParameter
        For bad samples or a `confidence` out of range.
    """
    check_confidence(confidence)
    data = as_samples(samples)
    count, average, stdev, smallest, largest = _native.moments(data)
    dropped, (kept, kept_mean, kept_stdev, _, _) = _native.trim(data, SIGMA)
    return Summary(
        count=count,
        mean=average,
        stdev=stdev,
        min=smallest,
        max=largest,
        p50=_quantile(data, 0.5, confidence),
        p95=_quantile(data, 0.95, confidence),
        p99=_quantile(data, 0.99, confidence),
        p999=_quantile(data, 0.999, confidence),
        outliers=Outliers(
            dropped, dropped / count, SIGMA, kept_mean if kept > 0 else None, kept_stdev
        ),
    )


def _quantile(samples: Samples, q: float, confidence: float) -> Estimate:
    value, low, high, effective, widened = _native.quantile(samples, q, confidence)
    method = _named("order statistics", len(samples), effective, widened)
    return Estimate(value, low, high, confidence, method)


def _named(method: str, count: int, effective: float, widened: bool) -> str:
    if not widened:
        return method
    return f"{method}, widened for correlation ({effective:.0f} of {count} samples effective)"
