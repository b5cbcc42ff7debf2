"""From the figures of sessions to what pairing gains."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from gate.plan import OPERATIONS, Trial
from gate.records import Record

METHODS = ("paired", "separate", "drift")
"""Keys of `gate.sessions.session_figures`."""

_RESAMPLES = 10_000


class Widths(NamedTuple):
    """Half-widths of 99 % intervals of the ratio of identical sides.

    Attributes
    ----------
    operation
        Which.
    seconds
        How long the sessions lasted, for both sides together.
    sessions
        How many there were.
    paired, separate, drift
        Medians, as fractions: of pairs; of two separate runs of the same samples whose processes
        are taken as independent; of the same with the stored gate's allowance for drift. None is
        given narrower than one tick of the clock.
    paired_missed, separate_missed
        How many of the intervals did not hold the truth.
    """

    operation: str
    seconds: float
    sessions: int
    paired: float
    separate: float
    drift: float
    paired_missed: int
    separate_missed: int

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON types: an infinite width as ``None``."""
        return _finite(self._asdict())


class Errors(NamedTuple):
    """How far point estimates of the ratio of identical sides lie from 1.

    Attributes
    ----------
    operation
        Which.
    sessions
        How many live checks they are of.
    paired, separate
        Root mean squares of the logarithm of the ratio: of pairs, and of two separate runs of the
        same samples.
    factor, low, high
        How many times further the separate ones lie, with its 95 % bootstrap interval over the
        checks.
    """

    operation: str
    sessions: int
    paired: float
    separate: float
    factor: float
    low: float
    high: float

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON types: an infinite factor as ``None``."""
        return _finite(self._asdict())


def widths(records: Iterable[Record]) -> list[Widths]:
    """Return the half-widths by operation, of stretches of 10 s and of whole sessions of 60 s."""
    sessions = _sessions(records, "precision")
    found: list[Widths] = []
    for operation in OPERATIONS:
        whole = sessions.get(operation, [])
        stretches = [stretch for entry in whole for stretch in entry["windows"]]
        for seconds, ones in ((10.0, stretches), (60.0, whole)):
            if ones:
                found.append(_widths(operation, seconds, ones))
    return found


def errors(records: Iterable[Record]) -> list[Errors]:
    """Return the errors by operation, of the checks of the live gate on identical sides."""
    return [
        _errors(operation, ones) for operation, ones in _sessions(records, "live").items() if ones
    ]


def _sessions(records: Iterable[Record], gate: str) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {operation: [] for operation in OPERATIONS}
    for record in records:
        trial = Trial.named(record["trial"])
        if trial.gate == gate and trial.slowdown == 0 and "session" in record:
            found[trial.operation].append(record["session"])
    return found


def _widths(operation: str, seconds: float, sessions: Sequence[Record]) -> Widths:
    paired, separate, drift = (
        statistics.median(_half(session, method) for session in sessions) for method in METHODS
    )
    return Widths(
        operation,
        seconds,
        len(sessions),
        paired,
        separate,
        drift,
        sum(_misses(entry["paired"]) for entry in sessions),
        sum(_misses(item["separate"]) for item in sessions),
    )


def _errors(operation: str, sessions: Sequence[Record]) -> Errors:
    squares = np.array(
        [[session[method][0] ** 2 for method in METHODS[:2]] for session in sessions]
    )
    generator = np.random.default_rng(1)
    picked = generator.integers(len(squares), size=(_RESAMPLES, len(squares)))
    with np.errstate(divide="ignore", invalid="ignore"):
        paired, separate = np.sqrt(squares.mean(axis=0))
        drawn = squares[picked].mean(axis=1)
        factors = np.sqrt(drawn[:, 1] / drawn[:, 0])
        low, high = np.percentile(factors, [2.5, 97.5])
        factor = separate / paired
    return Errors(
        operation,
        len(sessions),
        *(float(entry) for entry in (paired, separate, factor, low, high)),
    )


def _half(session: Record, method: str) -> float:
    """Return the half-width; none is narrower than a tick of the clock, which all values share."""
    _, low, high = session[method]
    width = math.inf if low is None or high is None else math.expm1((high - low) / 2)
    return max(width, float(session["tick"]))


def _misses(interval: Sequence[float | None]) -> bool:
    _, low, high = interval
    return low is not None and high is not None and not low <= 0 <= high


def _finite(tree: dict[str, Any]) -> dict[str, Any]:
    return {
        name: None if isinstance(entry, float) and not math.isfinite(entry) else entry
        for name, entry in tree.items()
    }
