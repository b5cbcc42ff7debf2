"""From records to rates: how often a gate says ``slower``, with exact intervals."""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from gate.plan import OPERATIONS, TAIL_SHARES, Trial
from gate.records import Record

BOTH = "both"
"""Stands for the operations together."""

GATES = {
    "live": "stratoperf, live gate",
    "stored": "stratoperf, stored gate, 5 runs a side",
    "medians": "medians beyond the threshold",
    "criterion": "Criterion.rs's rule",
    "criterion-floor": "Criterion.rs's rule, noise = threshold",
    "pyperf": "pyperf compare_to",
    "pyperf-floor": "pyperf compare_to, --min-speed = threshold",
}
"""What judges, by its name in the records: one run of ``rules`` or ``pyperf`` serves several."""

TAIL_GATES = {"p95": "live gate, p95", "p99": "live gate, p99"}
"""The live gate by a high quantile."""

TAIL_OPERATIONS = (*OPERATIONS, *TAIL_SHARES)


class Cell(NamedTuple):
    """The checks of one gate on one kind of change.

    Attributes
    ----------
    gate
        A key of `GATES` or of `TAIL_GATES`.
    operation
        Or `BOTH`.
    slowdown, threshold
        As fractions; for tails the share of the iterations that have one.
    checks, slower, faster, inconclusive
        How many there were, and how many ended with these verdicts; the others said ``same``.
    rate
        The share that said ``slower``: of identical sides false alarms, else detections.
    low, high
        The two-sided 95 % interval of the rate (Clopper & Pearson 1934).
    at_most
        The one-sided upper bound of the rate at 95 %.
    seconds
        The median time from the first process to the verdict.
    half_width
        The median half-width of the interval of the ratio, as a fraction; ``None`` for gates
        without one.
    """

    gate: str
    operation: str
    slowdown: float
    threshold: float
    checks: int
    slower: int
    faster: int
    inconclusive: int
    rate: float
    low: float
    high: float
    at_most: float
    seconds: float
    half_width: float | None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return self._asdict()


def cells(records: Iterable[Record]) -> list[Cell]:
    """Return a cell for each gate, operation and kind of change that was tried, pooled ones first.

    The order is that of `GATES`, then of the slow-downs.
    """
    return _cells(records, list(GATES), OPERATIONS)


def tail_cells(records: Iterable[Record]) -> list[Cell]:
    """Return the same for the live gate by p95 and p99."""
    return _cells(records, list(TAIL_GATES), TAIL_OPERATIONS)


def _cells(records: Iterable[Record], gates: list[str], operations: Sequence[str]) -> list[Cell]:
    checks: dict[tuple[str, str, float, float], list[tuple[str, Record]]] = {}
    for record in records:
        trial = Trial.named(record["trial"])
        for gate, verdict in _verdicts(trial, record, gates):
            for operation in (BOTH, trial.operation):
                key = (gate, operation, trial.slowdown, trial.threshold)
                checks.setdefault(key, []).append((verdict, record))
    places = (BOTH, *operations)
    ordered = sorted(checks, key=lambda key: (places.index(key[1]), gates.index(key[0]), *key[2:]))
    return [_cell(key, checks[key]) for key in ordered]


def _verdicts(trial: Trial, record: Record, gates: list[str]) -> Iterator[tuple[str, str]]:
    """Yield what each of these gates said of a check."""
    if "verdicts" in record:
        yield from (said for said in record["verdicts"].items() if said[0] in gates)
    elif trial.gate in gates:
        yield trial.gate, record["verdict"]


def _cell(key: tuple[str, str, float, float], found: list[tuple[str, Record]]) -> Cell:
    verdicts = [verdict for verdict, _ in found]
    slower = verdicts.count("slower")
    low, high = clopper_pearson(slower, len(found), 0.95)
    widths = [width for _, record in found if (width := _half_width(key[0], record)) is not None]
    return Cell(
        *key,
        checks=len(found),
        slower=slower,
        faster=verdicts.count("faster"),
        inconclusive=verdicts.count("inconclusive"),
        rate=slower / len(found),
        low=low,
        high=high,
        # The upper end of an interval that leaves out 5 % on each side.
        at_most=clopper_pearson(slower, len(found), 0.90)[1],
        seconds=statistics.median(record["decided_s"] for _, record in found),
        half_width=statistics.median(widths) if widths else None,
    )


def _half_width(gate: str, record: Record) -> float | None:
    """Return half the width of the interval of the ratio, relative to its geometric center."""
    if gate in ("criterion", "criterion-floor"):
        change = record["criterion"]
        low, high = 1 + change["low"], 1 + change["high"]
    elif gate in ("live", "stored", *TAIL_GATES):
        low, high = record["low"], record["high"]
    else:
        return None
    return None if low is None or high is None else float((high / low) ** 0.5 - 1)


def clopper_pearson(hits: int, checks: int, confidence: float) -> tuple[float, float]:
    """Return the exact two-sided interval of a rate (Clopper & Pearson, Biometrika 26, 1934).

    Parameters
    ----------
    hits, checks
        With ``0 <= hits <= checks`` and at least one check.
    confidence
        Of the two-sided interval; each side leaves out half of the rest.
    """
    from scipy import stats

    interval = stats.binomtest(hits, checks).proportion_ci(confidence, method="exact")
    return float(interval.low), float(interval.high)
