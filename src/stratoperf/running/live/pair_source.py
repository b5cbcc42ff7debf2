"""One pair: a measurement of both sides now, and what a source of pairs must provide."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from stratoperf.analysis.comparison import Side
from stratoperf.errors import StratoperfError

if TYPE_CHECKING:
    from stratoperf.analysis.comparison import Comparison
    from stratoperf.statistics import Estimate

SIDES: tuple[Side, Side] = ("baseline", "current")


class SideFailed(StratoperfError):
    """One side could not be measured.

    Attributes
    ----------
    side
        Which.
    comparison
        The partial comparison, where the failure ended a whole comparison.
    """

    comparison: Comparison | None = None

    def __init__(self, side: Side, message: str) -> None:
        super().__init__(message)
        self.side: Side = side


class BudgetSpent(Exception):
    """The budget of a case ended, or cannot hold what comes next.

    Attributes
    ----------
    why
        What took how long, in words.
    pair_s
        Seconds that a pair takes, as far as is known.
    at_least
        Whether it takes longer than that, since something was cut short.
    """

    def __init__(self, why: str, pair_s: float, *, at_least: bool) -> None:
        super().__init__(why)
        self.why = why
        self.pair_s = pair_s
        self.at_least = at_least


@dataclasses.dataclass(frozen=True)
class Arm:
    """What one side of a pair took.

    Attributes
    ----------
    process
        Identity of the process.
    started_ns
        When the first sample began.
    batch
        Iterations in a sample.
    latency
        Nanoseconds an iteration, in the order taken.
    warmup
        Seconds and iterations before the first sample.
    checked
        Outcomes that were verified, or ``None`` when none were.
    verifying_s
        Seconds that this took.
    building_s
        Seconds before, in which other processes built artifacts for all later pairs.
    items, item_unit
        Work items in one iteration, and their plural name.
    printed
        What is to be noted of all that it printed, if anything.
    """

    process: str
    started_ns: int
    batch: int
    latency: NDArray[np.float64]
    warmup: dict[str, Any] | None = None
    checked: int | None = None
    verifying_s: float = 0.0
    building_s: float = 0.0
    items: float = 1.0
    item_unit: str = "iterations"
    printed: str | None = None


class Floor(NamedTuple):
    """What a process takes that does nothing.

    Attributes
    ----------
    program
        As one would type it.
    time_ns
        The median of its runs.
    runs
        How many there were.
    is_shell
        Whether it is the shell that runs the commands.
    """

    program: str
    time_ns: Estimate
    runs: int
    is_shell: bool


class PairSource(Protocol):
    """Measures one case, pair by pair."""

    def prepare(self, deadline: float) -> None:
        """Prepare for the first pair; `deadline` as for `measure`."""

    def measure(self, first: Side, seed: int, *, verify: bool, deadline: float) -> dict[Side, Arm]:
        """Measure a pair.

        Parameters
        ----------
        first
            The side that goes first wherever one has to.
        seed
            For whatever both sides draw at random, so that they draw the same.
        verify
            Whether to check the outcome of the timed work.
        deadline
            By `time.monotonic`: what still runs then is ended.

        Raises
        ------
        BudgetSpent
            When the pair does not end before the deadline.
        SideFailed
            When a side cannot be measured, or is wrong.
        """
        ...

    def floor(self) -> Floor | None:
        """Return the time of a run that does nothing, where it was measured."""


def other(side: Side) -> Side:
    """Return the other side."""
    return "current" if side == "baseline" else "baseline"
