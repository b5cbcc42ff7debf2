"""Confidence intervals by resampling, for any statistic and for ratios of two series.

The interval is the percentile interval (Efron & Tibshirani, *An Introduction to the Bootstrap*,
chapter 13): it respects monotone transformations, so that the interval of a ratio agrees with
that of the logarithm, and it needs no jackknife, which fails for quantiles. Independent samples
are resampled one by one, correlated ones in circular blocks (Politis & Romano 1992) whose length
follows Politis & White (2004, corrected by Patton, Politis & White 2009) with the integrated
autocorrelation time of the series.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from stratoperf import arguments
from stratoperf._core import statistics as _native
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.statistics.estimates import Estimate
from stratoperf.statistics.validation import (
    Samples,
    as_samples,
    check_confidence,
    check_quantile,
)

Statistic = str | float | Callable[[Samples], float]

_NAMED = ("mean", "median")

MOST_RESAMPLES = 10_000_000
"""Far more than any interval gains from; each takes as long as sorting the samples."""


def bootstrap(
    samples: npt.ArrayLike,
    statistic: Statistic = "median",
    *,
    resamples: int = 9999,
    confidence: float = 0.95,
    block: int | None = None,
    seed: int = 0,
) -> Estimate:
    """Estimate a statistic with its percentile bootstrap interval.

    Parameters
    ----------
    samples
        One-dimensional, finite, in the order taken.
    statistic
        ``"median"``, ``"mean"``, a number in [0, 1] for that quantile (these three run natively),
        or a function of a one-dimensional float64 array that returns a finite number.
    resamples
        How many replicates; at least two per tail of the interval.
    confidence
        Confidence of the two-sided interval; in (0, 1).
    block
        Samples per resampled block; ``None`` chooses from the data, 1 where no correlation is
        significant.
    seed
        From 0 to 2**64 - 1; the same seed gives the same interval.

    Returns
    -------
    Estimate
        Without bounds for a single sample. For one quantile of one series `quantile` is exact
        and cheaper; near its ends the bootstrap knows nothing beyond the extreme samples.

    Raises
    ------
    InvalidParameter
        For bad samples, an unknown statistic, or any other argument out of range.
    """
    data = as_samples(samples)
    _check(resamples, confidence, seed)
    length = _block(data, statistic, block)
    value = _value(data, statistic)
    replicates = _replicates(data, statistic, resamples, length, seed, stream=0)
    return _percentiles(value, replicates, confidence, len(data) > 1, [length])


def bootstrap_ratio(
    numerator: npt.ArrayLike,
    denominator: npt.ArrayLike,
    statistic: Statistic = "median",
    *,
    resamples: int = 9999,
    confidence: float = 0.95,
    block: int | None = None,
    seed: int = 0,
) -> Estimate:
    """Estimate the ratio of a statistic of two independent series.

    Parameters
    ----------
    numerator, denominator
        Each one-dimensional, finite, in the order taken; they may differ in length.
    statistic, resamples, confidence, block, seed
        As in `bootstrap`; `block` is chosen for each series of its own, and the two are resampled
        independently.

    Returns
    -------
    Estimate
        Without bounds where one of the series is a single sample.

    Raises
    ------
    InvalidParameter
        As in `bootstrap`, and when the statistic of the denominator is zero in any resample.
    """
    series = (as_samples(numerator, "numerator"), as_samples(denominator, "denominator"))
    _check(resamples, confidence, seed)
    lengths = [_block(data, statistic, block) for data in series]
    above, below = (
        _replicates(data, statistic, resamples, length, seed, stream)
        for stream, (data, length) in enumerate(zip(series, lengths, strict=True))
    )
    top, bottom = (_value(data, statistic) for data in series)
    if bottom == 0 or not below.all():
        raise InvalidParameter(
            "denominator: its statistic is zero, or zero in a resample, so the ratio has no "
            "bounds; compare differences, or choose a statistic that stays away from zero"
        )
    bounded = min(len(data) for data in series) > 1
    return _percentiles(top / bottom, above / below, confidence, bounded, lengths)


def _check(resamples: int, confidence: float, seed: int) -> None:
    check_confidence(confidence)
    least = int(np.ceil(4 / (1 - confidence) - 1e-9))  # two replicates in each tail
    if arguments.whole_number("resamples", resamples, 1, MOST_RESAMPLES) < least:
        raise InvalidParameter(
            f"resamples: a confidence of {confidence} needs at least {least}, got {resamples}"
        )
    arguments.whole_number("seed", seed, 0, 2**64 - 1)


def _quantile_of(statistic: Statistic) -> float | None:
    """Return which quantile the statistic is, or ``None`` if it is not one; reject others."""
    if callable(statistic) or statistic == "mean":
        return None
    if statistic == "median":
        return 0.5
    if isinstance(statistic, str):
        raise InvalidParameter(
            f"statistic: unknown name {statistic!r}; {did_you_mean(statistic, _NAMED)}"
        )
    check_quantile(statistic)
    return statistic


def _block(samples: Samples, statistic: Statistic, block: int | None) -> int:
    q = _quantile_of(statistic)
    if block is not None:
        return arguments.whole_number("block", block, 1, len(samples))
    if q is None:
        found = _native.correlation_time(samples)
    else:
        found = _native.indicator_correlation_time(samples, q)
    return _native.block_length(len(samples), found.time) if found.significant else 1


def _value(samples: Samples, statistic: Statistic) -> float:
    if callable(statistic):
        return _finite(statistic(samples))
    q = _quantile_of(statistic)
    return float(np.mean(samples) if q is None else np.quantile(samples, q))


def _replicates(
    samples: Samples, statistic: Statistic, resamples: int, block: int, seed: int, stream: int
) -> Samples:
    if callable(statistic):
        return _called(samples, statistic, resamples, block, seed, stream)
    q = _quantile_of(statistic)
    if q is None:
        return _native.bootstrap_mean(samples, resamples, block, seed, stream)
    return _native.bootstrap_quantile(samples, q, resamples, block, seed, stream)


def _called(
    samples: Samples,
    statistic: Callable[[Samples], float],
    resamples: int,
    block: int,
    seed: int,
    stream: int,
) -> Samples:
    generator = np.random.default_rng([seed, stream])
    count = len(samples)
    within = np.arange(block)
    replicates = np.empty(resamples)
    for i in range(resamples):
        starts = generator.integers(count, size=-(-count // block))
        indices = (starts[:, None] + within).ravel()[:count] % count
        replicates[i] = _finite(statistic(samples[indices]))
    return replicates


def _finite(value: float) -> float:
    if not np.ndim(value) == 0 or not np.isfinite(value):
        raise InvalidParameter(f"statistic: must return one finite number, returned {value!r}")
    return float(value)


def _percentiles(
    value: float, replicates: Samples, confidence: float, bounded: bool, blocks: list[int]
) -> Estimate:
    method = f"percentile bootstrap, {len(replicates)} resamples"
    if max(blocks) > 1:
        method += f" in blocks of {' and '.join(map(str, blocks))}"
    if not bounded:
        return Estimate(value, None, None, confidence, method)
    tail = (1 - confidence) / 2
    low, high = np.quantile(replicates, [tail, 1 - tail])
    return Estimate(value, float(low), float(high), confidence, method)
