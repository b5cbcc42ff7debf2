"""What allowing for the next run does to the coverage of earlier records, judged on other parts.

    python tests/performance/repeats/next_run.py [FOLDER]

Widens the intervals of records that were made without the rule of
`stratoperf.statistics.next_run`. They need no values of single processes: the scatter of these
follows from the interval. Factors are chosen on one part of the records, as the narrowest that
cover 95 %, and 88 % of each operation, and judged on another.
"""

from __future__ import annotations

import itertools
import math
import re
import statistics
import sys
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from repeats.records import Rerun, read_reruns
from stratoperf._core import statistics as _native
from stratoperf.statistics.next_run import OF_SCATTER, OF_SPEED, movement

RECORDS = Path(__file__).parents[3] / "examples/results/intel-xeon-2-vcpu/repeatability"

OF_SCATTERS = (0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0)
OF_SPEEDS = (0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0, 1.2)
GOAL, EACH = 0.95, 0.88
BLOCK_S = 1200

_ALIKE = re.compile(r"([\d.]+) times wider")


class Run(NamedTuple):
    """A re-run of ours: logarithms of value and bounds, and what the rule needs."""

    operation: str
    at: float
    value: float
    low: float
    high: float
    student: float
    scatter: float
    moved: float
    truth: float = math.nan

    def widened(self, of_scatter: float, of_speed: float) -> tuple[float, float]:
        """Return how far the interval reaches below and above the value."""
        more = self.student * min(of_scatter * self.scatter, of_speed * self.moved)
        return math.hypot(self.value - self.low, more), math.hypot(self.high - self.value, more)


def runs_of(reruns: Iterable[Rerun]) -> list[Run]:
    """Return the quick re-runs of ``stratoperf run``, each with the median of the others."""
    runs = [
        run
        for rerun in reruns
        if (rerun.job.tool, rerun.job.mode) == ("run", "quick")
        if (run := _run(rerun)) is not None
    ]
    return [
        run._replace(
            truth=statistics.median(other.value for other in runs if _is_other(other, run))
        )
        for run in runs
    ]


def _is_other(other: Run, run: Run) -> bool:
    return other is not run and other.operation == run.operation


def _run(rerun: Rerun) -> Run | None:
    outcome = rerun.outcome
    if outcome is None or outcome.interval.low is None or outcome.interval.high is None:
        return None
    readings = outcome.readings or outcome.details.get("integer_ns", ())
    moved = movement(readings)
    if moved is None:
        return None
    count = len(readings)
    student = _native.student_half_width(0.95, count - 1)
    low, value, high = map(
        math.log, (outcome.interval.low, outcome.interval.value, outcome.interval.high)
    )
    alike = _ALIKE.search(outcome.details.get("method", ""))
    half = (high - low) / 2 / (float(alike[1]) if alike else 1.0)
    at = datetime.fromisoformat(rerun.started.replace("Z", "+00:00")).timestamp()
    scatter = half * math.sqrt(count) / student
    return Run(rerun.job.operation, at, value, low, high, student, scatter, moved)


class Share(NamedTuple):
    """How many intervals cover, of all and of the operation with the fewest, and their width."""

    covered: float
    least: float
    width: float


def judged(runs: Sequence[Run], of_scatter: float, of_speed: float) -> Share:
    """Return how the factors do on some runs."""
    holds: dict[str, list[bool]] = {}
    widths = []
    for run in runs:
        below, above = run.widened(of_scatter, of_speed)
        holds.setdefault(run.operation, []).append(-below <= run.truth - run.value <= above)
        widths.append(math.exp(above) - math.exp(-below))
    return Share(
        float(np.mean([does_hold for own in holds.values() for does_hold in own])),
        min(float(np.mean(own)) for own in holds.values()),
        statistics.median(widths),
    )


def chosen(runs: Sequence[Run]) -> tuple[float, float]:
    """Return the narrowest factors that reach the goal on some runs."""
    shares = {
        factors: judged(runs, *factors) for factors in itertools.product(OF_SCATTERS, OF_SPEEDS)
    }
    good = [
        factors
        for factors, share in shares.items()
        if share.covered >= GOAL and share.least >= EACH
    ]
    if not good:
        raise ValueError(f"FOLDER: no factors cover {100 * GOAL:g} % of its records")
    return min(good, key=lambda factors: shares[factors].width)


def main(folder: Path = RECORDS) -> None:
    """Print it."""
    runs = runs_of(read_reruns(folder))
    if not runs:
        sys.exit(f"FOLDER: there is no quick re-run of ours with readings in {folder}")
    print(f"{'operation':12} {'before':>8} {'width':>7} {'after':>8} {'width':>7}")
    for operation in (*sorted({run.operation for run in runs}), "all"):
        own = [run for run in runs if operation in ("all", run.operation)]
        before, after = judged(own, 0, 0), judged(own, OF_SCATTER, OF_SPEED)
        print(
            f"{operation:12} {before.covered:8.1%} {before.width:7.0%} "
            f"{after.covered:8.1%} {after.width:7.0%}"
        )
    begin, end = min(run.at for run in runs), max(run.at for run in runs)
    first = [run for run in runs if run.at < (begin + end) / 2]
    second = [run for run in runs if run.at >= (begin + end) / 2]
    for name, fitted, other in (("first", first, second), ("second", second, first)):
        factors = chosen(fitted)
        share = judged(other, *factors)
        print(
            f"chosen on the {name} half {factors}: {share.covered:.1%} of the other half, "
            f"{share.least:.1%} at least, width {share.width:.0%}"
        )
    blocks: dict[int, list[Run]] = {}
    for run in runs:
        blocks.setdefault(int((run.at - begin) // BLOCK_S), []).append(run)
    holds = [
        judged([run], *factors).covered
        for own in blocks.values()
        for factors in [chosen([run for run in runs if run not in own])]
        for run in own
    ]
    print(f"blocks of {BLOCK_S // 60} minutes, chosen without each: {np.mean(holds):.1%}")
    for operation in sorted({run.operation for run in runs}):
        factors = chosen([run for run in runs if run.operation != operation])
        share = judged([run for run in runs if run.operation == operation], *factors)
        print(f"chosen without {operation} {factors}: {share.covered:.1%}, {share.width:.0%}")


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
