"""The center of paired differences, with an interval that needs only symmetry."""

from __future__ import annotations

import functools
import statistics

import numpy as np
import numpy.typing as npt

from stratoperf.statistics.estimates import Estimate
from stratoperf.statistics.validation import Samples, as_samples, check_confidence

EXACT_UP_TO = 100
"""Largest number of differences whose null distribution is enumerated.

Beyond, the normal law stands for it, which errs on the cautious side: at 100 the tail that it cuts
off has 0.96 of the probability asked for at 0.005, and 0.76 at 0.0001.
"""


def signed_rank(differences: npt.ArrayLike, confidence: float = 0.95) -> Estimate:
    """Estimate the center of symmetric differences.

    The value is the median of all pairwise means (Hodges & Lehmann 1963), the bounds are those
    centers that Wilcoxon's signed-rank test does not reject (Hollander & Wolfe, *Nonparametric
    Statistical Methods*, sections 3.2 and 3.3). Outliers move neither far, and the test against
    zero holds by the signs alone: where a coin decided which of two identical sides went first,
    nothing is assumed of the noise. Ties make the closed interval wider than it need be, never
    too narrow.

    Parameters
    ----------
    differences
        One-dimensional and finite, at least one.
    confidence
        Confidence of the two-sided, equal-tailed interval; in (0, 1).

    Returns
    -------
    Estimate
        Without bounds where there are too few differences: a confidence of 0.99 needs 8.

    Raises
    ------
    InvalidParameter
        For bad differences or a `confidence` out of range.
    """
    data = as_samples(differences, "differences")
    check_confidence(confidence)
    means = _pairwise_means(data)
    value = float(np.median(means))
    rank = _critical_rank(len(data), (1 - confidence) / 2)
    if rank is None:
        return Estimate(value, None, None, confidence, "signed ranks")
    means.partition([rank, len(means) - 1 - rank])
    low, high = float(means[rank]), float(means[len(means) - 1 - rank])
    return Estimate(value, low, high, confidence, "signed ranks")


def least_differences(confidence: float) -> int:
    """Return how many differences `signed_rank` needs for an interval of that confidence."""
    check_confidence(confidence)
    count = 1
    while 2.0**-count > (1 - confidence) / 2:
        count += 1
    return count


def _pairwise_means(data: Samples) -> Samples:
    """Return the mean of every pair, each difference paired with itself too."""
    first, second = np.triu_indices(len(data))
    means: Samples = (data[first] + data[second]) / 2
    return means


@functools.lru_cache(maxsize=4096)
def _critical_rank(count: int, tail: float) -> int | None:
    """Return how many of the smallest pairwise means the interval leaves out, if any may be.

    It is the largest ``k`` for which a signed-rank statistic below ``k`` has at most the
    probability `tail`, less one: the index of the bound in the sorted means.
    """
    if count > EXACT_UP_TO:
        mean = count * (count + 1) / 4
        deviation = (count * (count + 1) * (2 * count + 1) / 24) ** 0.5
        below = int(mean + statistics.NormalDist().inv_cdf(tail) * deviation - 0.5)
        return below if below >= 0 else None
    reached = int(np.searchsorted(_null_distribution(count), tail, side="right"))
    return reached - 1 if reached > 0 else None


@functools.lru_cache(maxsize=64)
def _null_distribution(count: int) -> Samples:
    """Return P(W <= w) for every w: each rank is in the sum or not, with equal probability."""
    largest = count * (count + 1) // 2
    density = np.zeros(largest + 1)
    density[0] = 1.0
    for rank in range(1, count + 1):
        shifted = np.zeros_like(density)
        shifted[rank:] = density[:-rank]
        density = (density + shifted) / 2
    cumulative: Samples = np.cumsum(density)
    return cumulative
