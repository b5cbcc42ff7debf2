"""Change points in the history of one benchmark.

The library ruptures finds where the level of a series changes most plausibly; two tests then have
to agree that it changed at all:

ranks
    The exact rank-sum test of Mann & Whitney (1947) between the runs before and after. One run
    that went wrong, or a few, cannot make a change.
drift
    A likelihood ratio whose null hypothesis is not independent runs but the local level model
    (Durbin & Koopman, "Time Series Analysis by State Space Methods", 2012, section 2.1): a random
    walk under the noise, as strong as explains the series best. A step that a drifting machine
    could have made is not a change point.

Either is multiplied by the number of places where the change could have been (Bonferroni), since
the place was chosen by the same values.

Why ruptures and not Apache Otava: version 0.8.0 of the latter requires one exact NumPy and a
bounded SciPy, which would replace those that the benchmarks of the same environment run on, and
brings the clients of BigQuery, PostgreSQL and Slack, about forty distributions. Its t-test also
takes the place as given and the runs as independent: with its defaults it found changes in 2 % of
200 simulated series of 40 independent normal values, in 40 % when neighbors had a correlation of
0.5, and in 95 % of random walks.
"""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stratoperf.errors import PrerequisiteMissing

Array = NDArray[np.float64]

LEAST_RUNS = 5
"""Runs before and after a change point: as many as a side of a stored comparison needs. Fewer runs
off the level may be a disturbance that passes; five of 40, all off, have a rank-sum significance of
1e-4, which leaves room for a hundred trends."""

STRENGTHS_OF_DRIFT = (0.0, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0, 100.0)
"""Variance of a step of the random walk over that of the noise: from none to nothing but drift, in
factors of about three, between which the likelihood hardly differs."""

WINSORIZED = 3.0
"""Robust standard deviations beyond which a run counts as just that far off in the test of drift,
so that one stray run does not inflate the noise (Winsorizing: Tukey & McLaughlin, 1963)."""

_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_EXACT_UP_TO = 200  # runs; above, the normal approximation is used, whose tail is the wider one


class Change(NamedTuple):
    """Where the level changes, and the probability of such a change without a cause.

    Attributes
    ----------
    place
        Index of the first value of the new level.
    significance
        The greater p-value of the two tests, after Bonferroni's correction for the place.
    """

    place: int
    significance: float


def detect(values: Sequence[float] | Array, error: float, threshold: float) -> list[Change]:
    """Return the change points of a series, in order.

    Parameters
    ----------
    values
        Finite and above 0, one for each run in the order taken; changes are ratios, so the tests
        see logarithms.
    error
        The admissible probability of any false change point. It holds for
        independent runs and for a random walk; for mixtures of both it is kept within a few times
        (``tests/analysis/history/test_history_detection.py`` measures it).
    threshold
        The least change that counts, as a fraction: smaller ones are merged, as Fleming et al. do
        ("Hunter: using change point detection to hunt for performance regressions", ICPE 2023).

    Raises
    ------
    PrerequisiteMissing
        Without ruptures, which is in the extra ``history``.
    """
    logs = np.log(np.asarray(values, dtype=np.float64))
    places = _candidates(logs)
    while places:
        edges = [0, *places, len(logs)]
        candidates = [
            _tested(logs[start:end], place - start, len(logs))
            for start, place, end in zip(edges, places, edges[2:], strict=False)
        ]
        weakest = max(range(len(places)), key=lambda index: candidates[index].significance)
        if candidates[weakest].significance <= error:
            weakest = min(range(len(places)), key=lambda index: abs(candidates[index].step))
            if abs(candidates[weakest].step) >= np.log1p(threshold):
                return [
                    Change(place, candidate.significance)
                    for place, candidate in zip(places, candidates, strict=True)
                ]
        # Its neighbors are judged again, with the runs of both levels.
        del places[weakest]
    return []


def load_ruptures() -> Any:
    """Return the module ``ruptures``.

    Raises
    ------
    PrerequisiteMissing
        When it cannot be imported; names the extra.
    """
    try:
        # It ships no types.
        return importlib.import_module("ruptures")
    except ImportError as error:
        raise PrerequisiteMissing(
            "change points need ruptures: pip install 'stratoperf[history]'"
        ) from error


def _candidates(logs: Array) -> list[int]:
    """Return the places of the best segmentation of the ranks.

    PELT (Killick et al., 2012) finds the optimum; on ranks it is robust and free of scale. The
    penalty is that of Schwarz' criterion (Yao, 1988) at unit variance: it finds too many rather
    than too few, and the tests decide.
    """
    ruptures = load_ruptures()
    from scipy.stats import rankdata

    if len(logs) < 2 * LEAST_RUNS:
        return []
    ranks = rankdata(logs)
    spread = float(np.std(ranks))
    if spread == 0:
        return []
    signal = ((ranks - np.mean(ranks)) / spread)[:, np.newaxis]
    search = ruptures.KernelCPD(kernel="linear", min_size=LEAST_RUNS).fit(signal)
    # The last place is the end of the series.
    return [int(place) for place in search.predict(pen=2 * np.log(len(logs)))[:-1]]


class _Tested(NamedTuple):
    """A place between two levels: the change of the logarithm, and its significance."""

    step: float
    significance: float


def _tested(logs: Array, place: int, runs: int) -> _Tested:
    before, after = logs[:place], logs[place:]
    places = runs - 2 * LEAST_RUNS + 1
    chance = max(_rank_chance(before, after), drift_chance(logs, place))
    step = float(np.median(after) - np.median(before))
    return _Tested(step, min(1.0, places * chance))


def _rank_chance(before: Array, after: Array) -> float:
    """Return the p-value of the rank-sum test."""
    from scipy.stats import mannwhitneyu

    together = np.concatenate([before, after])
    ties = len(np.unique(together)) < len(together)
    exact = not ties and len(together) <= _EXACT_UP_TO
    result = mannwhitneyu(before, after, method="exact" if exact else "asymptotic")
    return float(result.pvalue)


def drift_chance(logs: Array, place: int) -> float:
    """Return the p-value of a step at a place, against drift and noise without a step.

    The cosine transform makes the covariance of the local level model diagonal, with the level
    itself in the coefficient that is left out. Both models, with and without the step, get the
    strength of drift that makes them most likely; twice the logarithm of their ratio is turned
    into an F statistic with one and n - 3 degrees of freedom.

    Parameters
    ----------
    logs
        Logarithms of the values, shape (n,).
    place
        Index of the first value after the step.
    """
    from scipy.fft import dct
    from scipy.stats import f as f_distribution

    count = len(logs)
    step = np.where(np.arange(count) < place, 0.0, 1.0)
    seen, expected = (dct(signal, norm="ortho")[1:] for signal in (_winsorized(logs, place), step))
    walk = 1 / (4 * np.sin(np.pi * np.arange(1, count) / (2 * count)) ** 2)
    variances = 1 + np.outer(STRENGTHS_OF_DRIFT, walk)
    without = np.sum(seen**2 / variances, axis=1)
    slope = np.sum(seen * expected / variances, axis=1)
    gain = slope**2 / np.sum(expected**2 / variances, axis=1)
    rest = without - gain
    if float(np.min(rest)) <= 1e-12 * float(np.min(without)):
        return 0.0  # nothing but the step
    spread = np.sum(np.log(variances), axis=1) / (count - 1)
    # In logarithms of the ratio per coefficient.
    ratio = float(np.min(np.log(without) + spread) - np.min(np.log(rest) + spread))
    return float(f_distribution.sf(np.expm1(ratio) * (count - 3), 1, count - 3))


def _winsorized(logs: Array, place: int) -> Array:
    """Draw stray runs in, toward the median of their side."""
    centers = np.where(
        np.arange(len(logs)) < place, np.median(logs[:place]), np.median(logs[place:])
    )
    off = logs - centers
    limit = WINSORIZED * _MAD_TO_SIGMA * float(np.median(np.abs(off)))
    if limit == 0:
        return logs
    drawn: Array = centers + np.clip(off, -limit, limit)
    return drawn
