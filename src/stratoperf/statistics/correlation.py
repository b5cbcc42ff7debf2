"""Correlation between the samples of a series."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stratoperf import arguments
from stratoperf._core import statistics as _native
from stratoperf.statistics.validation import as_samples


def autocorrelation(samples: npt.ArrayLike, max_lag: int) -> npt.NDArray[np.float64]:
    """Return the sample autocorrelation at the lags 0 to `max_lag`.

    The biased estimator (sums divided by the number of samples at every lag), whose values form a
    valid autocorrelation sequence; by FFT in O(n log n).

    Parameters
    ----------
    samples
        One-dimensional, finite, in the order taken.
    max_lag
        From 0 to the number of samples less one.

    Returns
    -------
    ndarray
        float64, shape ``(max_lag + 1,)``; the first is 1. A constant series has 0 at every other
        lag.

    Raises
    ------
    InvalidParameter
        For bad samples or a lag out of range.
    """
    data = as_samples(samples)
    # Up to the number of samples less one.
    max_lag = arguments.whole_number("max_lag", max_lag, 0, len(data) - 1)
    result = np.zeros(max_lag + 1)
    if data.min() < data.max():
        centered = data - data.mean()
        # Zeros behind the series keep its end from meeting its start.
        size = 1 << (len(data) + max_lag).bit_length()
        power = np.abs(np.fft.rfft(centered, size)) ** 2
        covariance = np.fft.irfft(power, size)[: max_lag + 1]
        result = covariance / covariance[0]
    result[0] = 1.0
    return result


def effective_sample_size(samples: npt.ArrayLike) -> float:
    """Return the number of independent samples whose mean would be as precise.

    The number of samples over the integrated autocorrelation time (window of Sokal 1996, bias
    correction of Wolff 2004). It equals the number of samples where no correlation is significant
    (lag-1 autocorrelation of block sums at every dyadic block size; 0.1 % false alarms altogether),
    and never exceeds it.

    Parameters
    ----------
    samples
        One-dimensional, finite, in the order taken.
    """
    data = as_samples(samples)
    found = _native.correlation_time(data)
    return len(data) / found.time if found.significant else float(len(data))
