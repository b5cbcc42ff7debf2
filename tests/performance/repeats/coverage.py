"""From re-runs to rates: how often an interval covers the long-run median, and how wide it is.

The long-run median of a re-run is the median of what the same tool said of the same operation in
all other re-runs of the same mode. It leaves the re-run itself out, which else would pull the
median towards its own interval: with 20 re-runs that alone adds some percent.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from gate.rates import clopper_pearson
from repeats.plan import EVERY, JOBS, MODES, OURS, PEERS, TOOLS, Job
from repeats.records import Interval, Outcome, Rerun

ALL = "all"
"""Stands for the operations together."""

CONFIDENCE = 0.95

POOLED_GOAL = 0.93
"""Of 95 % intervals, over all operations: what hundreds of re-runs can tell from 95 %."""

EACH_GOAL = {"quick": 88 / 100, "60s": 25 / 30}
"""Of each operation, by mode."""


class Judged(NamedTuple):
    """One re-run beside the others.

    Attributes
    ----------
    interval
        What it said.
    truth
        The long-run median without it.
    drifted, disturbed
        Whether the result itself warned of the host's drift, or of others that took the processor.
    seconds
        That it took.
    """

    interval: Interval
    truth: float
    drifted: bool
    disturbed: bool
    seconds: float

    @property
    def covers(self) -> bool:
        """Whether the interval has the truth in it; no interval covers nothing."""
        low, high = self.interval.low, self.interval.high
        return low is not None and high is not None and low <= self.truth <= high

    @property
    def width(self) -> float:
        """The whole interval as a share of the value; infinite where a bound is missing."""
        low, high = self.interval.low, self.interval.high
        return math.inf if low is None or high is None else (high - low) / self.interval.value

    @property
    def needed(self) -> float:
        """How many times as wide the interval must be to cover the truth just so."""
        distance = self.truth - self.interval.value
        bound = self.interval.high if distance > 0 else self.interval.low
        if distance == 0:
            return 0.0
        if bound is None or bound == self.interval.value:
            return math.inf
        return distance / (bound - self.interval.value)


def judged(reruns: Iterable[Rerun], *, at_reference: bool = False) -> dict[Job, list[Judged]]:
    """Return every re-run that gave a number, by what was measured.

    Parameters
    ----------
    reruns
        Of anything.
    at_reference
        Take the values at reference speed, which is one for all re-runs of a mode: that at which
        a step of the reference workload takes its median time. Re-runs whose processes do not
        follow the speed of the machine are left out.
    """
    measured = [
        (rerun.job, rerun.outcome, rerun.seconds) for rerun in reruns if rerun.outcome is not None
    ]
    by_job: dict[Job, list[tuple[Interval, Outcome, float]]] = {job: [] for job in JOBS}
    usual = _usual_steps(measured)
    for job, outcome, seconds in measured:
        interval = outcome.interval
        if at_reference:
            scaled = outcome.at_speed(usual[job.mode]) if outcome.readings else None
            if scaled is None:
                continue
            interval = scaled
        by_job[job].append((interval, outcome, seconds))
    return {job: _judged(pairs) for job, pairs in by_job.items() if len(pairs) > 1}


def _usual_steps(measured: Sequence[tuple[Job, Outcome, float]]) -> dict[str, float]:
    """Return, by mode, the median time of a step of the reference workload."""
    steps: dict[str, list[float]] = {}
    for job, outcome, _ in measured:
        steps.setdefault(job.mode, []).extend(outcome.readings)
    return {mode: statistics.median(values) for mode, values in steps.items() if values}


def _judged(pairs: Sequence[tuple[Interval, Outcome, float]]) -> list[Judged]:
    values = [interval.value for interval, _, _ in pairs]
    return [
        Judged(
            interval,
            statistics.median(values[:index] + values[index + 1 :]),
            outcome.drifted,
            outcome.disturbed,
            seconds,
        )
        for index, (interval, outcome, seconds) in enumerate(pairs)
    ]


class Cell(NamedTuple):
    """The re-runs of one tool on one operation, or on all of them.

    Attributes
    ----------
    tool, operation, mode
        `operation` may be `ALL`.
    at_reference
        Whether the values are those at reference speed.
    reruns, covered
        How many there were, and how many intervals cover the long-run median.
    drifted, drifted_covered
        The same of those whose result itself warned of the host's drift.
    disturbed
        How many of all warned that others took the processor.
    unbounded
        How many have no interval; they cover nothing.
    low, high
        The 95 % interval of the share that covers (Clopper & Pearson 1934).
    width
        The median of the intervals' widths, each as a share of its value.
    apart
        How far apart the middle nine tenths of all values lie, as a share of their median; of
        several operations, the median of that.
    factor
        How many times as wide the intervals must be for 95 % of them to cover.
    seconds
        The median time of a re-run.
    """

    tool: str
    operation: str
    mode: str
    at_reference: bool
    reruns: int
    covered: int
    drifted: int
    drifted_covered: int
    disturbed: int
    unbounded: int
    low: float
    high: float
    width: float
    apart: float
    factor: float
    seconds: float

    @property
    def rate(self) -> float:
        """The share that covers."""
        return self.covered / self.reruns

    @property
    def met(self) -> bool | None:
        """Whether the goal holds; peers have none, nor has one process alone.

        Those that warned of the host's drift count as well: on a host whose speed never rests all
        of them do, and the others would prove nothing.
        """
        if self.tool in PEERS or self.tool == "measure":
            return None
        return self.rate >= (POOLED_GOAL if self.operation == ALL else EACH_GOAL[self.mode])

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return _finite({**self._asdict(), "rate": self.rate, "met": self.met})


def _finite(tree: dict[str, Any]) -> dict[str, Any]:
    """Return it with ``None`` for what is infinite or not a number, which JSON does not know."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value
        for name, value in tree.items()
    }


def cells(reruns: Iterable[Rerun], *, at_reference: bool = False) -> list[Cell]:
    """Return a cell for each mode, tool and operation, those of all operations first."""
    by_job = judged(reruns, at_reference=at_reference)
    made = []
    for mode in MODES:
        for operation in (ALL, *EVERY):
            for tool in TOOLS:
                matching = [
                    rows
                    for job, rows in by_job.items()
                    if (job.tool, job.mode) == (tool, mode) and operation in (ALL, job.operation)
                ]
                if matching:
                    made.append(_cell((tool, operation, mode, at_reference), matching))
    return made


def _cell(key: tuple[str, str, str, bool], by_operation: Sequence[Sequence[Judged]]) -> Cell:
    rows = [row for rows in by_operation for row in rows]
    drifted = [row for row in rows if row.drifted]
    covered = sum(row.covers for row in rows)
    low, high = clopper_pearson(covered, len(rows), CONFIDENCE)
    return Cell(
        *key,
        reruns=len(rows),
        covered=covered,
        drifted=len(drifted),
        drifted_covered=sum(row.covers for row in drifted),
        disturbed=sum(row.disturbed for row in rows),
        unbounded=sum(math.isinf(row.width) for row in rows),
        low=low,
        high=high,
        width=statistics.median(row.width for row in rows),
        apart=statistics.median(map(_apart, by_operation)),
        factor=factor(rows),
        seconds=statistics.median(row.seconds for row in rows),
    )


def _apart(rows: Sequence[Judged]) -> float:
    values = sorted(row.interval.value for row in rows)
    cut = len(values) // 20
    return (values[-1 - cut] - values[cut]) / statistics.median(values)


def factor(rows: Sequence[Judged]) -> float:
    """Return how many times as wide the intervals must be for 95 % of them to cover."""
    needed = sorted(row.needed for row in rows)
    return needed[math.ceil(CONFIDENCE * len(needed)) - 1]


class Widths(NamedTuple):
    """A peer's widths beside ours, at equal coverage and time.

    Attributes
    ----------
    ours, peer, mode
        Two tools.
    operations
        How many both have measured.
    ours_width, peer_width
        Geometric means over these operations of the width as a share of the value, as it would be
        with 95 % covered: the median width times `factor` of the tool over all these operations.
        That of the peer is also scaled to the time of ours, by the square root of the times' ratio.
        More time in one process does not help against what differs between processes, so this is
        kind to quick peers that stay in one.
    ratio, low, high
        How many times as wide the peer's is, with the 95 % interval over the operations (Student's
        t of the logarithms); ``None`` where too few are finite.
    """

    ours: str
    peer: str
    mode: str
    operations: int
    ours_width: float
    peer_width: float
    ratio: float | None
    low: float | None
    high: float | None

    def to_json(self) -> dict[str, Any]:
        """Return it as plain JSON types."""
        return _finite(self._asdict())


def widths(reruns: Iterable[Rerun]) -> list[Widths]:
    """Return the comparison of ours, measured by `run`, with each peer in each mode."""
    by_job = judged(reruns)
    return [
        _widths(mode, peer, by_job)
        for mode in MODES
        for peer in PEERS
        if _common(mode, peer, by_job)
    ]


def _common(mode: str, peer: str, by_job: dict[Job, list[Judged]]) -> list[str]:
    return [
        operation
        for operation in EVERY
        if all(Job(tool, operation, mode) in by_job for tool in (OURS[0], peer))
    ]


def _widths(mode: str, peer: str, by_job: dict[Job, list[Judged]]) -> Widths:
    operations = _common(mode, peer, by_job)
    ours = [by_job[Job(OURS[0], operation, mode)] for operation in operations]
    theirs = [by_job[Job(peer, operation, mode)] for operation in operations]
    scaled = [
        math.sqrt(_seconds(their) / _seconds(our)) for our, their in zip(ours, theirs, strict=True)
    ]
    our_logs = _log_widths(ours, [1.0] * len(ours))
    their_logs = _log_widths(theirs, scaled)
    logs = [their - our for our, their in zip(our_logs, their_logs, strict=True)]
    low, ratio, high = _ratio(logs)
    return Widths(
        OURS[0],
        peer,
        mode,
        len(operations),
        _exp(statistics.fmean(our_logs)),
        _exp(statistics.fmean(their_logs)),
        ratio,
        low,
        high,
    )


def _seconds(rows: Sequence[Judged]) -> float:
    return statistics.median(row.seconds for row in rows)


def _log_widths(by_operation: Sequence[Sequence[Judged]], scales: Sequence[float]) -> list[float]:
    wider = factor([row for rows in by_operation for row in rows])
    return [
        _log(wider * scale * statistics.median(row.width for row in rows))
        for rows, scale in zip(by_operation, scales, strict=True)
    ]


def _log(value: float) -> float:
    return math.log(value) if value > 0 else -math.inf


def _exp(value: float) -> float:
    return math.inf if value == math.inf else math.exp(value)


def _ratio(logs: Sequence[float]) -> tuple[float | None, float | None, float | None]:
    if not all(map(math.isfinite, logs)):
        return None, None, None
    mean = statistics.fmean(logs)
    if len(logs) < 2:
        return None, math.exp(mean), None
    from scipy import stats

    around = float(stats.t.ppf(0.5 + CONFIDENCE / 2, len(logs) - 1))
    around *= statistics.stdev(logs) / math.sqrt(len(logs))
    return math.exp(mean - around), math.exp(mean), math.exp(mean + around)
