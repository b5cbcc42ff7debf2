"""Where processes differ: a drift over the run, or a mode of slow ones."""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

from stratoperf.statistics.validation import Samples

LEAST_FOR_DRIFT = 4
"""Minimum number of processes that show a trend beside chance: of four, one order in twelve is
sorted."""

LEAST_FOR_MODES = 6
"""Processes from which on a gap between them means something: of five normal values, one set in
ten has a gap of five standard deviations; of six, one in twenty, and of eight, one in fifty."""

GAP = 5.0
"""Standard deviations within two groups of processes that must lie between them. Modes that lie
nine apart are recognized in 86 % of sets of eight."""

LEAST_GAP = 0.05
"""Modes that lie closer, as a fraction, are of no use to a reader."""


class Drift(NamedTuple):
    """How values change from first to last, and how probable so consistent a trend is by chance."""

    change: float
    chance: float


def drift(values: Samples) -> Drift | None:
    """Return the drift of a series.

    Parameters
    ----------
    values
        In the order taken.

    Returns
    -------
    Drift or None
        The median slope of all pairs (Theil 1950, Sen 1968) times the number of steps, and the
        probability of Kendall's S under every order being as likely (exact; ties make it larger
        than it need be). ``None`` with fewer than four values.
    """
    count = len(values)
    if count < LEAST_FOR_DRIFT:
        return None
    first, second = np.triu_indices(count, 1)
    rises = values[second] - values[first]
    slope = float(np.median(rises / (second - first)))
    score = abs(int(np.sum(np.sign(rises))))
    return Drift(slope * (count - 1), _chance(count, score))


@functools.lru_cache(maxsize=256)
def _chance(count: int, score: int) -> float:
    """Return the probability of a Kendall score of at least that size, of either sign."""
    if score == 0:
        return 1.0
    # Orders by their number of inversions: the next value is put before 0 to i of the others.
    inversions = np.ones(1)
    for values in range(2, count + 1):
        inversions = np.convolve(inversions, np.full(values, 1 / values))
    scores = len(inversions) - 1 - 2 * np.arange(len(inversions))
    return min(1.0, float(np.sum(inversions[np.abs(scores) >= score])))


class Modes(NamedTuple):
    """Two groups of values with a gap between them.

    Attributes
    ----------
    upper
        How many values form the upper group.
    apart
        The difference of the medians of both.
    """

    upper: int
    apart: float


def modes(values: Samples, least_gap: float) -> Modes | None:
    """Return the two modes of some values, or ``None`` where they show a single mode.

    Parameters
    ----------
    values
        In any order.
    least_gap
        The least gap that counts, in their unit.
    """
    if len(values) < LEAST_FOR_MODES:
        return None
    ordered = np.sort(values)
    gaps = np.diff(ordered)
    place = int(np.argmax(gaps)) + 1
    groups = ordered[:place], ordered[place:]
    squares = sum(float(np.sum((group - group.mean()) ** 2)) for group in groups)
    within = (squares / (len(values) - 2)) ** 0.5
    if gaps[place - 1] < max(least_gap, GAP * within):
        return None
    lower, upper = (float(np.median(group)) for group in groups)
    return Modes(len(groups[1]), upper - lower)
