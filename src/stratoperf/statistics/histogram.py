"""A histogram in constant memory, for runs too long to keep every sample."""

from __future__ import annotations

from typing import SupportsFloat, SupportsIndex, TypeAlias

import numpy as np
import numpy.typing as npt

from stratoperf import arguments
from stratoperf._core import histogram as _native
from stratoperf.errors import InvalidParameter
from stratoperf.statistics.estimates import SIGMA, Estimate, Outliers, Summary
from stratoperf.statistics.validation import check_confidence, check_quantile

_State: TypeAlias = tuple[int, int, int, list[int], list[int], int, int, int]
"""What a pickled histogram holds, as the native one takes it."""


class Histogram(_native.Histogram):
    """Counts of non-negative values in buckets of constant relative width.

    The log-linear scheme of HdrHistogram (Gil Tene, hdrhistogram.org): every power of two is cut
    into equally many buckets. A quantile is within ``10**-digits`` of the true one, the memory
    depends on the range alone, and recording takes a few nanoseconds.

    A value above `highest` is counted as `overflow`: it stays in `count`, in `max` and, above all
    others, in the quantiles; only its size is not kept. Floats are rounded to the nearest integer.
    Safe for use by several threads.

    Parameters
    ----------
    lowest
        The smallest difference that matters, at least 1.
    highest
        The largest value that gets a bucket; the default is one hour in nanoseconds.
    digits
        Significant decimal digits, 1 to 5.

    Raises
    ------
    InvalidParameter
        For an impossible range, and by the methods for negative or not finite values.
    """

    def __init__(self, lowest: int = 1, highest: int = 3_600_000_000_000, digits: int = 3) -> None:
        super().__init__(
            arguments.whole_number("lowest", lowest, 1, 2**64 - 1),
            arguments.whole_number("highest", highest, 1, 2**64 - 1),
            arguments.whole_number("digits", digits, 1, 5),
        )

    def quantile(self, q: SupportsFloat | SupportsIndex) -> float:
        """Return a quantile; each value counts as the middle of its bucket.

        Parameters
        ----------
        q
            In [0, 1]; interpolated as by `numpy.quantile`, overflow taken for `highest`.

        Raises
        ------
        InvalidParameter
            When nothing is recorded, or for a `q` out of range.
        """
        check_quantile(q)
        return super().quantile(q)

    def record_many(self, values: npt.ArrayLike) -> None:
        """Count every value of a one-dimensional array; releases the GIL.

        Parameters
        ----------
        values
            Integers or floats; int64, uint64 and float64 arrays are read in place.

        Raises
        ------
        InvalidParameter
            For another type or shape, or for a negative or not finite value; then nothing is
            recorded.
        """
        array = np.asarray(values)
        if array.dtype.kind not in "iuf":
            raise InvalidParameter(f"values: expected real numbers, got {array.dtype}")
        widest = {"i": np.int64, "u": np.uint64, "f": np.float64}[array.dtype.kind]
        super().record_many(np.ascontiguousarray(array, dtype=widest) if array.ndim else array)

    def estimate(self, q: float, confidence: float = 0.95) -> Estimate:
        """Estimate a quantile with its distribution-free interval.

        As `stratoperf.statistics.quantile`, with the bounds at the outer edges of their buckets.
        The order of the samples is not kept, so they are taken for independent; where they are
        not, the interval is too narrow.

        Parameters
        ----------
        q
            In [0, 1].
        confidence
            Confidence of the two-sided interval; in (0, 1).
        """
        check_quantile(q)
        check_confidence(confidence)
        found = self.quantile_interval(q, confidence)
        method = "order statistics of a histogram, samples taken as independent"
        return Estimate(found.value, found.low, found.high, confidence, method)

    def summary(self, confidence: float = 0.95) -> Summary:
        """Summarize the recorded values; each value counts as the middle of its bucket.

        Parameters
        ----------
        confidence
            Confidence of the quantiles' intervals; in (0, 1).

        Raises
        ------
        InvalidParameter
            When nothing is recorded, or for a `confidence` out of range.
        """
        check_confidence(confidence)
        average = self.mean  # refuses an empty histogram
        stdev = self.stdev if self.count > 1 else None
        return Summary(
            count=self.count,
            mean=average,
            stdev=stdev,
            min=float(self.min or 0),
            max=float(self.max or 0),
            p50=self.estimate(0.5, confidence),
            p95=self.estimate(0.95, confidence),
            p99=self.estimate(0.99, confidence),
            p999=self.estimate(0.999, confidence),
            outliers=self._outliers(stdev or 0.0),
        )

    def _outliers(self, stdev: float) -> Outliers:
        filled = self.buckets()
        middles = np.append(filled.low + (filled.high - filled.low) / 2, float(self.highest))
        counts = np.append(filled.count, np.uint64(self.overflow))
        keep = counts * (np.abs(middles - self.mean) <= SIGMA * stdev)
        kept = int(keep.sum())
        dropped = self.count - kept
        mean = float((keep * middles).sum() / kept) if kept else None
        spread = None
        if mean is not None and kept > 1:
            spread = float(np.sqrt((keep * (middles - mean) ** 2).sum() / (kept - 1)))
        return Outliers(dropped, dropped / self.count, SIGMA, mean, spread)

    def __len__(self) -> int:
        return self.count

    def __reduce__(self) -> tuple[type[Histogram], tuple[int, int, int], _State]:
        return type(self), (self.lowest, self.highest, self.digits), self._state()

    def __setstate__(self, state: _State) -> None:
        self._restore(state)

    def __repr__(self) -> str:
        kept = f"count={self.count}, overflow={self.overflow}"
        range_ = f"lowest={self.lowest}, highest={self.highest}, digits={self.digits}"
        return f"Histogram({range_}; {kept})"
