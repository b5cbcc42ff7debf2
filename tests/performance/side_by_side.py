"""Compare ours with a named peer, interleaved in one process tree and one run."""

from __future__ import annotations

import random
import statistics
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass
class Goal:
    """What a row is held to: the ratio to the peer, or our own value."""

    kind: Literal["ratio", "value"]
    op: Literal[">=", "<="]
    number: float

    def met_by(self, *, ratio: float | None, value: float) -> bool:
        """Whether the goal holds for this ratio or value."""
        measured = value if self.kind == "value" else ratio
        if measured is None:
            return False
        return measured >= self.number if self.op == ">=" else measured <= self.number


@dataclass
class Row:
    """One line of the table; `ratio` is how many times better than the peer we are.

    Without `ours` it was not measured, and the note says why.
    """

    name: str
    ours: float | None
    peer: float | None
    peer_name: str
    unit: str
    better: Literal["lower", "higher"]
    ratio: float | None = None
    ratio_low: float | None = None
    ratio_high: float | None = None
    goal: Goal | None = None
    met: bool | None = None
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """Return the object that `--json` prints."""
        return asdict(self)


def missing(
    name: str,
    peer_name: str,
    unit: str,
    better: Literal["lower", "higher"],
    install: str,
    ours: float,
    goal: Goal | None = None,
) -> Row:
    """Row for a peer that is not installed."""
    return Row(
        name,
        ours,
        None,
        peer_name,
        unit,
        better,
        goal=goal,
        met=None,
        note=f"{peer_name} is not installed: {install}",
    )


def side_by_side(
    name: str,
    ours: Callable[[], float],
    peer: Callable[[], float],
    *,
    peer_name: str,
    unit: str,
    better: Literal["lower", "higher"] = "lower",
    goal: Goal | None = None,
    pairs: int = 15,
    note: str = "",
) -> Row:
    """Call both sides once per pair in random order and compare within the pairs.

    Parameters
    ----------
    ours, peer
        Each returns one value in `unit` (say, the median time of an inner loop).
    pairs
        How many pairs; the ratio's interval is the order-statistic interval of the pairs' median
        with at least 95 % confidence (ranks from the binomial distribution).

    Returns
    -------
    Row
        Medians of both sides, and the median of the ratios within pairs with its interval.
    """
    generator = random.Random(1)
    our_values: list[float] = []
    peer_values: list[float] = []
    for _ in range(pairs):
        if generator.random() < 0.5:
            our_values.append(ours())
            peer_values.append(peer())
        else:
            peer_values.append(peer())
            our_values.append(ours())
    ratios = sorted(
        p / o if better == "lower" else o / p for o, p in zip(our_values, peer_values, strict=True)
    )
    low, high = _median_interval(ratios)
    value = statistics.median(our_values)
    ratio = statistics.median(ratios)
    return Row(
        name,
        value,
        statistics.median(peer_values),
        peer_name,
        unit,
        better,
        ratio,
        low,
        high,
        goal,
        None if goal is None else goal.met_by(ratio=ratio, value=value),
        note,
    )


def _median_interval(ordered: list[float]) -> tuple[float | None, float | None]:
    from math import comb

    n = len(ordered)
    tail = 0.0
    rank = -1
    for k in range(n):
        tail += comb(n, k) / 2**n
        if tail > 0.025:
            break
        rank = k
    if rank < 0:
        return None, None
    return ordered[rank], ordered[n - 1 - rank]
