"""What a live comparison tells while it goes on, beside what a run tells too."""

from __future__ import annotations

from stratoperf.analysis.comparison import ComparedMetric
from stratoperf.analysis.paired_design import Look
from stratoperf.running.listener import Events
from stratoperf.running.live.cases import Agenda, LiveCase


class LiveListener(Events[Agenda, LiveCase, ComparedMetric]):
    """Receives the progress; override what is of interest.

    The outcome of a case is the verdict on it.
    """

    def pair(
        self, index: int, case: LiveCase, look: Look | None, pairs: int, seconds: float
    ) -> None:
        """Tell that a pair is done, and what all `pairs` say, where that was looked at.

        `seconds` is how long they took together.
        """
