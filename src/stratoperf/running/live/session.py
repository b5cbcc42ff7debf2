"""One case, measured in pairs until the verdict is known or the budget is used."""

from __future__ import annotations

import dataclasses
import math
import random
import statistics
import time
from collections.abc import Callable

import numpy as np

from stratoperf.analysis.comparison import Side
from stratoperf.analysis.paired_design import LOOKS, Look, PairedDesign
from stratoperf.analysis.tails import TailDesign
from stratoperf.running.interrupts import deferred_interrupt
from stratoperf.running.live.pair_source import SIDES, Arm, BudgetSpent, PairSource, SideFailed
from stratoperf.statistics.estimates import QUANTILES

VERIFICATION_SHARE = 0.1
"""The first pair is verified, and later ones while that has taken at most this share of the time.

A reference may take a hundred times as long as what it verifies.
"""


@dataclasses.dataclass(frozen=True)
class Pair:
    """One pair: its number, the side that went first, and what was measured."""

    number: int
    first: Side
    arms: dict[Side, Arm]


@dataclasses.dataclass
class Session:
    """The pairs of one case, and their evaluation.

    Attributes
    ----------
    design
        Judges the pairs.
    pairs
        All that were completed.
    look
        The last one, or ``None`` before the first.
    seconds
        Wall-clock time from the start until the last pair was complete; without one, until the
        end.
    failure
        The side that could not be measured or was wrong, and why; it ended the session.
    spent
        What the end of the budget cut short, where that ended the session.
    interrupted
        Whether Ctrl-C did.
    """

    design: PairedDesign | TailDesign
    pairs: list[Pair] = dataclasses.field(default_factory=list)
    look: Look | None = None
    seconds: float = 0.0
    failure: SideFailed | None = None
    spent: BudgetSpent | None = None
    interrupted: bool = False

    @property
    def printed(self) -> list[str]:
        """What is to be noted of the output of each side, of the first pair that has it."""
        remarks = {
            side: next(
                (pair.arms[side].printed for pair in self.pairs if pair.arms[side].printed), None
            )
            for side in SIDES
        }
        return [f"the {side} side: {words}" for side, words in remarks.items() if words]

    @property
    def item_unit(self) -> str:
        """What throughput counts."""
        return self.pairs[-1].arms["current"].item_unit if self.pairs else "iterations"

    @property
    def stopped_because(self) -> str:
        """``"decided"`` when the verdict was known before the end, else ``"max_duration"``."""
        decided = self.look is not None and self.look.verdict != "inconclusive"
        return "decided" if decided else "max_duration"

    def values(self, side: Side, statistic: str) -> list[float]:
        """Return the value of one side in every pair."""
        return [value_of(pair.arms[side], statistic) for pair in self.pairs]


def value_of(arm: Arm, statistic: str) -> float:
    """Return a statistic of the samples of one process, in ns an iteration (or an item)."""
    if statistic == "throughput":
        return float(np.mean(arm.latency)) / arm.items
    if statistic == "mean":
        return float(np.mean(arm.latency))
    return float(np.quantile(arm.latency, QUANTILES[statistic]))


class Budget:
    """The time that a case may take."""

    def __init__(self, duration_s: float) -> None:
        self._duration_s = duration_s
        self._begin = time.monotonic()
        self._pairs: list[float] = []
        self._due = 0

    @property
    def seconds(self) -> float:
        """Seconds since the start."""
        return time.monotonic() - self._begin

    @property
    def deadline(self) -> float:
        """When it ends, by `time.monotonic`."""
        return self._begin + self._duration_s

    def count(self, seconds: float) -> None:
        """Record how long a pair took."""
        self._pairs.append(seconds)

    @property
    def is_last(self) -> bool:
        """Whether another pair would not fit."""
        return self.seconds + statistics.median(self._pairs) > self._duration_s

    def used(self, *, early: bool) -> float | None:
        """Return the share to look at now, or ``None`` when no look is due."""
        if self.is_last:
            return 1.0
        share = min(self.seconds / self._duration_s, 1.0)
        due = sum(planned <= share for planned in LOOKS)
        if not early or due == self._due:
            return None
        self._due = due
        return share


def run_session(
    source: PairSource,
    design: PairedDesign | TailDesign,
    *,
    statistic: str,
    duration_s: float,
    generator: random.Random,
    stop_early: bool,
    tell: Callable[[Look | None, int, float], None],
) -> Session:
    """Measure a case.

    Parameters
    ----------
    source
        Measures the pairs.
    design
        Judges them; empty so far.
    statistic
        Statistic of the samples of one process.
    duration_s
        The budget, from now on: what still runs at its end is ended, and its pair dropped.
    generator
        Tosses the coin that decides which side goes first.
    stop_early
        Whether to look before the end, and stop when the verdict is known.
    tell
        Is called after each pair with the look at it, the number of pairs and the seconds.

    Returns
    -------
    Session
        However it ended, Ctrl-C included.
    """
    session = Session(design)
    used: float | None = None
    budget = Budget(duration_s)
    try:
        source.prepare(budget.deadline)
        verifying = 0.0
        while session.look is None or session.look.verdict == "inconclusive":
            begin = budget.seconds
            verify = not session.pairs or verifying <= VERIFICATION_SHARE * begin
            first = generator.choice(SIDES)
            seed = generator.randrange(2**32)
            arms = source.measure(first, seed, verify=verify, deadline=budget.deadline)
            # What was built once says nothing about how long the next pair takes.
            budget.count(budget.seconds - begin - arms["current"].building_s)
            if verify:
                verifying += sum(arm.verifying_s for arm in arms.values())
            values = [_usable(side, arms[side], statistic) for side in SIDES]
            # A pair is noted everywhere or nowhere.
            with deferred_interrupt() as pressed:
                session.pairs.append(Pair(design.pairs, first, arms))
                if isinstance(design, TailDesign):
                    design.add(*(arms[side].latency for side in SIDES))
                else:
                    design.add(*values)
                session.seconds = budget.seconds
                used = budget.used(early=stop_early)
                look = None if used is None else design.look(used)
                session.look = look or session.look
            if pressed:
                raise KeyboardInterrupt
            tell(look, design.pairs, session.seconds)
            if used == 1.0:
                break
    except SideFailed as failure:
        session.failure = failure
    except BudgetSpent as spent:
        session.spent = spent
    except KeyboardInterrupt:
        session.interrupted = True
    if session.spent or session.interrupted:
        is_open = session.look is None or session.look.verdict == "inconclusive"
        if is_open and used != 1.0 and session.pairs:
            # All the error that is left: this is the last look.
            session.look = design.look(1.0)
    if not session.pairs:
        session.seconds = budget.seconds
    return session


def _usable(side: Side, arm: Arm, statistic: str) -> float:
    """Return the value of a side, which must have a logarithm."""
    value = value_of(arm, statistic) if np.isfinite(arm.latency).all() else math.nan
    if not value > 0:
        raise SideFailed(
            side,
            f"its {statistic} is {value:g} ns, of which no ratio can be formed; "
            "let an iteration do more work",
        )
    return value
