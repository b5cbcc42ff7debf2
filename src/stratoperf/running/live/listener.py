"""Events that a live comparison reports, besides those that a run reports, too."""

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
        """Note that a pair is done, with the estimate of all `pairs` at a planned look.

        `seconds` is how long they took together.
        """
