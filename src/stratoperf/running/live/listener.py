"""What a live comparison tells while it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stratoperf.analysis.comparison import ComparedMetric
    from stratoperf.analysis.paired import Look


class LiveListener:
    """Receives the progress; override what is of interest.

    The methods run between pairs, when nothing is measured, on the thread that called
    `stratoperf.compare_live`.
    """

    def planned(self, keys: Sequence[str], seconds: float) -> None:
        """Tell what will be compared, and how many seconds the budgets allow for all of it."""

    def warned(self, warnings: Sequence[str]) -> None:
        """Tell what one should know before it starts, such as what is written to a disk."""

    def pair(self, key: str, look: Look | None, pairs: int, seconds: float) -> None:
        """Tell that a pair is done, and what all `pairs` say, where that was looked at."""

    def decided(self, metric: ComparedMetric) -> None:
        """Tell the verdict on a case."""
