"""Drift: whether a series moved in one direction, and how far."""

from __future__ import annotations

import numpy as np

from stratoperf.statistics.validation import Samples

PARTS = 8
"""As many as the intervals of correlated series look at."""

_FEWEST = 8
"""Samples in a part at least: the median of fewer says little."""

# Student's t with the 6 degrees of freedom that eight parts leave beside two levels or a line, at a
# two-sided probability of 1 % for all eight tests together (Bonferroni). Only correlated series are
# tested, so of independent ones a thousandth of a percent drift.
_CRITICAL_T = 5.71


def drift(samples: Samples) -> float | None:
    """Return the change of the median from the first part to the last, as a share of it.

    The medians of eight parts are tested for two levels, one up to some part and another after it,
    as of a start that settles and of a step, and for a line, as of a machine that gets slower.

    Parameters
    ----------
    samples
        A correlated series, in the order taken.

    Returns
    -------
    float or None
        ``None`` where they show neither, or the median is 0.
    """
    median = float(np.median(samples))
    if len(samples) < PARTS * _FEWEST or median == 0:
        return None
    medians = np.array([np.median(part) for part in np.array_split(samples, PARTS)])
    if not _has_two_levels(medians) and not _follows_a_line(medians):
        return None
    return float((medians[-1] - medians[0]) / abs(median))


def _has_two_levels(medians: Samples) -> bool:
    """Whether those before some part differ from those after, beyond the scatter of both."""
    for split in range(1, len(medians)):
        before, after = medians[:split], medians[split:]
        squares = sum(float(np.sum((level - level.mean()) ** 2)) for level in (before, after))
        error = np.sqrt(squares / (len(medians) - 2) * (1 / len(before) + 1 / len(after)))
        if abs(after.mean() - before.mean()) > _CRITICAL_T * error:
            return True
    return False


def _follows_a_line(medians: Samples) -> bool:
    """Whether the slope of a line through them is not 0."""
    position = np.arange(len(medians)) - (len(medians) - 1) / 2
    squares = float(position @ position)
    slope = float(position @ medians) / squares
    residuals = medians - medians.mean() - slope * position
    error = np.sqrt(float(residuals @ residuals) / (len(medians) - 2) / squares)
    return bool(abs(slope) > _CRITICAL_T * error)
