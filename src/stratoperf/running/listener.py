"""What a run tells while it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stratoperf.results import Result
    from stratoperf.running.planner import Case, Plan


class Listener:
    """Receives the progress of a run; override what is of interest.

    The methods run between measurements, never while one is taken, on the thread that called
    `stratoperf.run`.
    """

    def planned(self, plan: Plan) -> None:
        """Tell what will be measured, how long it takes at most and how much it writes."""

    def case_started(self, index: int, case: Case) -> None:
        """Tell that the case at `index` of the plan begins."""

    def process_started(self, index: int, case: Case, number: int, planned: int) -> None:
        """Tell that a process of the case begins: the first has the number 1.

        `planned` is how many there will be at most. Between the processes of a case come those of
        others. Of a case that this process measures itself, nothing is told here.
        """

    def process_finished(self, index: int, case: Case, number: int, planned: int) -> None:
        """Tell that a process of the case has ended, however it did."""

    def case_finished(self, index: int, case: Case, result: Result) -> None:
        """Tell the outcome of a case, also of one that was skipped or failed."""

    def saved(self, path: Path) -> None:
        """Tell where the run file is."""
