"""How precise pairs are beside two separate runs of the same length, from the same samples.

In a session whose sides are identical every process did the same work, so its first half, both
sides taken together, is at the same time a run of the baseline alone, and its second half a run
of the current side alone: two separate runs, one after the other, with the same processes, slices
and seconds as the pairs that they are compared with. All intervals have a confidence of 0.99.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

import stratoperf as sp
from gate.records import Record
from stratoperf.analysis.stored.intervals import ratio_interval
from stratoperf.analysis.stored.sides import Process
from stratoperf.statistics import signed_rank

CONFIDENCE = 0.99
"""That of the live gate."""

WINDOW_S = 10.0

_NORMAL_QUANTILE = 2.5758
"""Of the standard normal law at 0.995."""


class Pairs(NamedTuple):
    """The pairs of a session, in the order taken.

    Attributes
    ----------
    started_s
        When each began, since the first.
    logs
        Of shape (pairs, 2): the logarithm of the median time of an iteration (in ns) of the process
        of the baseline and of that of the current side.
    tick
        The least step between two different samples, as a fraction of them: the clock tells no
        smaller difference.
    """

    started_s: NDArray[np.float64]
    logs: NDArray[np.float64]
    tick: float

    def within(self, begin_s: float, seconds: float) -> Pairs:
        """Return the pairs that begin and end within the window."""
        lasting = float(np.median(np.diff(self.started_s))) if len(self.logs) > 1 else 0.0
        ends = self.started_s + lasting
        chosen = (self.started_s >= begin_s) & (ends <= begin_s + seconds)
        return Pairs(self.started_s[chosen], self.logs[chosen], self.tick)


def read_pairs(path: Path) -> Pairs:
    """Return the pairs of a run file of a live session with one case."""
    (result,) = sp.load(path).results
    found: dict[int, dict[str, tuple[int, float]]] = {}
    for series in result.series:
        if series.pair is None or series.arm is None or series.started_ns is None:
            raise ValueError(f"{path}: not every process has a pair; it is no live session")
        value = math.log(float(np.median(np.asarray(series.columns["latency"]))))
        found.setdefault(series.pair, {})[series.arm] = (series.started_ns, value)
    arms = [found[number] for number in sorted(found) if len(found[number]) == 2]
    begins = np.array([min(began for began, _ in pair.values()) for pair in arms], dtype=float)
    logs = np.array([[pair[side][1] for side in ("baseline", "current")] for pair in arms])
    samples = np.asarray(result.series[0].columns["latency"], dtype=np.float64)
    return Pairs((begins - begins[0]) / 1e9, logs, _tick(samples))


def _tick(samples: NDArray[np.float64]) -> float:
    steps = np.diff(np.unique(samples)) / np.median(samples)
    # Samples that differ by rounding alone are the same.
    real = steps[steps > 1e-6]
    return float(np.min(real)) if len(real) else 0.0


def session_figures(path: Path, *, windows: bool) -> Record:
    """Return how precise a session of identical sides was.

    Parameters
    ----------
    path
        The run file.
    windows
        Whether to look also at every full stretch of 10 s, and to allow for drift.

    Returns
    -------
    dict
        ``pairs``, ``tick`` (see `Pairs`), and logarithms of ratios, whose truth is 0: ``paired``
        and ``separate`` (value, low, high), and with `windows` also ``drift`` (value, low, high of
        the separate runs by the stored gate) and ``windows``, a list of the same for each stretch.
    """
    pairs = read_pairs(path)
    whole = _figures(pairs, drift=windows)
    if windows:
        # A session of 60 s ends a little before: the last pair would not have fitted.
        stretches = round(float(pairs.started_s[-1]) / WINDOW_S)
        whole["windows"] = [
            _figures(pairs.within(index * WINDOW_S, WINDOW_S), drift=True)
            for index in range(stretches)
        ]
    return whole


def _figures(pairs: Pairs, *, drift: bool) -> Record:
    logs = pairs.logs
    paired = signed_rank(logs[:, 1] - logs[:, 0], CONFIDENCE)
    # Both sides of the first half, then both of the second; a pair in the middle is left out.
    half = len(logs) // 2
    first, second = logs[:half].ravel(), logs[len(logs) - half :].ravel()
    figures: Record = {
        "pairs": len(logs),
        "tick": pairs.tick,
        "paired": [paired.value, paired.low, paired.high],
        "separate": list(shift(first, second)),
    }
    if drift:
        figures["drift"] = _with_drift(first, second)
    return figures


def shift(
    first: NDArray[np.float64], second: NDArray[np.float64]
) -> tuple[float, float | None, float | None]:
    """Return how far the second sample lies above the first, with its interval.

    What `signed_rank` is for pairs: the median of all differences (Hodges & Lehmann) and those
    shifts that the rank-sum test does not reject (Moses; Hollander & Wolfe, *Nonparametric
    Statistical Methods*, sections 4.2 and 4.3, by the normal law). It takes processes as
    independent of each other, as comparisons of two runs commonly do.
    """
    differences = np.sort(np.subtract.outer(second, first).ravel())
    total = len(differences)
    deviation = math.sqrt(total * (len(first) + len(second) + 1) / 12)
    rank = math.floor(total / 2 - _NORMAL_QUANTILE * deviation - 0.5)
    value = float(np.median(differences))
    if rank < 0:
        return value, None, None
    return value, float(differences[rank]), float(differences[total - 1 - rank])


def _with_drift(first: NDArray[np.float64], second: NDArray[np.float64]) -> list[float | None]:
    """Return value and bounds as the stored gate gives them, which allow for drift."""
    sides = [
        [
            Process(value=math.exp(log), moment=(float(begin + index), 0))
            for index, log in enumerate(logs)
        ]
        for begin, logs in ((0, first), (len(first), second))
    ]
    ratio = ratio_interval(sides[0], sides[1], CONFIDENCE).ratio
    return [
        None if entry is None else math.log(entry) for entry in (ratio.value, ratio.low, ratio.high)
    ]
