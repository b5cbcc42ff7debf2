"""Statistics of a series of samples in the order taken."""

from __future__ import annotations

import numpy.typing as npt

from stratoperf._core import statistics as _native
from stratoperf.statistics.drift import drift
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
    correlated from sample to sample, the interval reaches as far, too, as the quantiles of eight
    parts of the series, whose extremes bound the true one at 99.2 % if the parts are independent.
    Where the correlation is so long that order statistics of the effective sample size (the number
    of samples over the integrated autocorrelation time) would not bound a side, that side reaches
    as far as one more part may lie away (Student's t). So it holds for another such series, as far
    as that drifts like this one.

    Parameters
    ----------
    samples
        One-dimensional, finite, in the order taken.
    q
        In [0, 1]; 0.95 is the 95th percentile.
    confidence
        Confidence of the two-sided, equal-tailed interval; in (0, 1).

    Returns
    -------
    Estimate
        With ``None`` on a side that no order statistic of as many independent samples bounds.

    Raises
    ------
    InvalidParameter
        For bad samples, or `q` or `confidence` out of range.
    """
    check_quantile(q)
    check_confidence(confidence)
    return _quantile(as_samples(samples), q, confidence)[0]


def mean(samples: npt.ArrayLike, confidence: float = 0.95) -> Estimate:
    """Estimate the mean with Student's interval.

    The standard error uses the effective sample size where the samples are significantly
    correlated; see `effective_sample_size`.

    Parameters
    ----------
    samples
        One-dimensional, finite, in the order taken.
    confidence
        Confidence of the two-sided interval; in (0, 1).

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
    found = _native.mean(data, confidence)
    method = "Student's t"
    if found.widened:
        method += f", {_correlated(len(data), found.effective_size)}"
    return Estimate(found.value, found.low, found.high, confidence, method)


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
        Confidence of the quantiles' intervals; in (0, 1).

    Raises
    ------
    InvalidParameter
        For bad samples or a `confidence` out of range.
    """
    check_confidence(confidence)
    data = as_samples(samples)
    series = _native.moments(data)
    median, correlated = _quantile(data, 0.5, confidence)
    trimmed = _native.trim(data, SIGMA)
    kept = trimmed.kept
    return Summary(
        count=series.count,
        mean=series.mean,
        stdev=series.stdev,
        min=series.min,
        max=series.max,
        p50=median,
        p95=_quantile(data, 0.95, confidence)[0],
        p99=_quantile(data, 0.99, confidence)[0],
        p999=_quantile(data, 0.999, confidence)[0],
        outliers=Outliers(
            trimmed.dropped,
            trimmed.dropped / series.count,
            SIGMA,
            kept.mean if kept.count > 0 else None,
            kept.stdev,
        ),
        drift=drift(data) if correlated else None,
    )


def _quantile(samples: Samples, q: float, confidence: float) -> tuple[Estimate, bool]:
    """Return the estimate, and whether the samples are correlated."""
    found = _native.quantile(samples, q, confidence)
    method = "order statistics"
    if found.widened:
        method += f" and the values of 8 parts, {_correlated(len(samples), found.effective_size)}"
    return Estimate(found.value, found.low, found.high, confidence, method), found.widened


def _correlated(count: int, effective: float) -> str:
    return f"widened for correlation ({effective:.0f} of {count} samples effective)"
