"""Events that a run or a live comparison reports while it measures."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Generic, TypeVar

from stratoperf.results import Result
from stratoperf.running.cases import Case, Plan

PlanT = TypeVar("PlanT", contravariant=True)
CaseT = TypeVar("CaseT", contravariant=True)
OutcomeT = TypeVar("OutcomeT", contravariant=True)


class Events(Generic[PlanT, CaseT, OutcomeT]):
    """The common events; `Listener` and `stratoperf.running.live.LiveListener` add their own.

    The methods run between measurements, never while one is taken, on the thread that called
    `stratoperf.run` or `stratoperf.compare_live`.
    """

    def planned(self, plan: PlanT) -> None:
        """Receive the plan: what will be measured, the maximum time, and warnings."""

    def warned(self, warnings: Sequence[str]) -> None:
        """Receive warnings that come up while there is still time to stop."""

    def case_started(self, index: int, case: CaseT) -> None:
        """Note that the case at `index` of the plan begins."""

    def case_finished(self, index: int, case: CaseT, outcome: OutcomeT) -> None:
        """Receive the outcome of a case, also of one that was skipped or failed."""

    def saved(self, path: Path) -> None:
        """Receive the path of the run file."""


class Listener(Events[Plan, Case, Result]):
    """Receives the progress of a run; override what is of interest.

    The outcome of a case is its result.
    """

    def process_started(self, index: int, case: Case, number: int, planned: int) -> None:
        """Note that a process of the case begins; the first has the number 1.

        `planned` is how many there will be at most. Between the processes of a case come those of
        others. Of a case that this process measures itself, nothing is told here.
        """

    def process_finished(self, index: int, case: Case, number: int, planned: int) -> None:
        """Note that a process of the case has ended, with or without a result."""
