"""What one process contributes to the result of a case."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from stratoperf.results.schema import Result

Tree = dict[str, Any]


class ProcessResult(NamedTuple):
    """The result of one process: as the tree of a run file, and as a reader sees it."""

    tree: Tree
    result: Result

    @property
    def started_ns(self) -> float:
        """When its first series started; infinity where that is unknown."""
        started = [
            series.started_ns for series in self.result.series if series.started_ns is not None
        ]
        return min(started, default=math.inf)

    @property
    def process(self) -> str | None:
        """The name of the process, which its series carry."""
        return next((series.process for series in self.result.series if series.process), None)
