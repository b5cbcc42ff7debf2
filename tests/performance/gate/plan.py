"""What is tried, how often, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

from gate.records import Record


class Trial(NamedTuple):
    """One kind of check.

    Attributes
    ----------
    gate
        What judges: ``"live"``, ``"stored"``, ``"rules"`` (the medians and Criterion's rule, on the
        same two runs), ``"pyperf"``, ``"precision"`` (a live session of 60 s to its end), or the
        live gate by ``"p95"`` or ``"p99"``.
    operation
        Its name.
    slowdown
        The extra work of the current side, as a fraction, or the share of its iterations that have
        a tail; 0 is identical against identical.
    threshold
        Of the verdict.
    """

    gate: str
    operation: str
    slowdown: float
    threshold: float

    @property
    def name(self) -> str:
        """The identity of the trial in the records."""
        return f"{self.gate}/{self.operation}/{self.slowdown:g}/{self.threshold:g}"

    @classmethod
    def named(cls, name: str) -> Trial:
        """Return the trial of that name."""
        gate, operation, slowdown, threshold = name.split("/")
        return cls(gate, operation, float(slowdown), float(threshold))


class Job(NamedTuple):
    """What is measured in one go: a check of one trial, or a round with a check of each of several.

    Attributes
    ----------
    trials
        Of one gate and one operation.
    checks
        How many are wanted of each.
    """

    trials: tuple[Trial, ...]
    checks: int

    @property
    def gate(self) -> str:
        """Of the trials."""
        return self.trials[0].gate

    @property
    def operation(self) -> str:
        """Of the trials."""
        return self.trials[0].operation

    @property
    def name(self) -> str:
        """The trial's name, or that of the round."""
        return self.trials[0].name if len(self.trials) == 1 else f"{self.gate}/{self.operation}"


OPERATIONS = ("gate.native", "gate.python")

TAIL_THRESHOLD = 0.2

TAIL_SHARES = {"gate.planted": 0.06, "gate.faulting": 0.08, "gate.locked": 0.08}
"""Iterations with a tail, by the operation: of the current side; of both, where they are identical.
"""

SLOWDOWNS = ((0.05, 0.02), (0.10, 0.05), (0.20, 0.05))
"""Each with the threshold that it is tried at."""


def _jobs(gate: str, slowdown: float, threshold: float, checks: int) -> list[Job]:
    """Return a job for each operation; they share the checks."""
    return [
        Job((Trial(gate, operation, slowdown, threshold),), checks // 2) for operation in OPERATIONS
    ]


def _rounds(gate: str, rounds: int) -> list[Job]:
    kinds = ((0.0, 0.05), *SLOWDOWNS)
    return [
        Job(tuple(Trial(gate, operation, *kind) for kind in kinds), rounds // 2)
        for operation in OPERATIONS
    ]


def _tails() -> list[Job]:
    """Return the jobs of the live gate by p95 and p99: 300 identical checks of either."""
    statistics = ("p95", "p99")
    operations = (*OPERATIONS, *TAIL_SHARES)
    identical = [
        Job((Trial(statistic, operation, 0.0, TAIL_THRESHOLD),), 300 // len(operations))
        for statistic in statistics
        for operation in operations
    ]
    slow = [
        Job((Trial("p95", operation, share, TAIL_THRESHOLD),), 60)
        for operation, share in TAIL_SHARES.items()
    ]
    # Of p99 a smaller share is a tail.
    return [*identical, *slow, Job((Trial("p99", "gate.planted", 0.02, TAIL_THRESHOLD),), 60)]


def _own_gate(gate: str) -> list[Job]:
    return [
        *_jobs(gate, 0.0, 0.05, 300),
        *(job for kind in SLOWDOWNS for job in _jobs(gate, *kind, 60)),
    ]


STREAMS: dict[str, list[Job]] = {
    "live": [*_own_gate("live"), *_jobs("precision", 0.0, 0.05, 4)],
    "tails": _tails(),
    "stored": _own_gate("stored"),
    "rules": _rounds("rules", 60),
    "pyperf": _rounds("pyperf", 60),
}
STREAMS["others"] = [*STREAMS["stored"], *STREAMS["rules"], *STREAMS["pyperf"]]
"""Two writers at a time, each on a CPU of its own: the noise that each is to the other is part of
what a gate has to stand."""


def schedule(jobs: Iterable[Job], records: Iterable[Record]) -> Iterator[tuple[Job, int]]:
    """Yield what is still to be done with its number, the job that lags most behind first.

    Stopping at any moment thus leaves all jobs at about the same share of what is wanted.
    """
    recorded = Counter(record["trial"] for record in records)
    wanted = list(jobs)
    done = {job: min(recorded[trial.name] for trial in job.trials) for job in wanted}
    while True:
        behind = min(wanted, key=lambda job: done[job] / job.checks)
        if done[behind] >= behind.checks:
            return
        yield behind, done[behind]
        done[behind] += 1


def remaining(jobs: Iterable[Job], records: Iterable[Record]) -> int:
    """Return how many goes are left."""
    return sum(1 for _ in schedule(jobs, records))


def seconds_left(
    jobs: Iterable[Job], records: Iterable[Record], budget_s: Callable[[Trial], float | None]
) -> dict[Job, float | None]:
    """Return how long what is left will take, by job.

    Parameters
    ----------
    jobs, records
        As for `schedule`.
    budget_s
        What a check takes at most; where some are measured their mean counts instead. ``None``
        where neither is known.
    """
    known: dict[str, list[float]] = {}
    for record in records:
        taken = record["seconds"] if "seconds" in record else record["decided_s"]
        known.setdefault(record["trial"], []).append(taken)
    left: dict[Job, float | None] = {}
    for job in jobs:
        before = known.get(job.trials[-1].name, [])
        each = sum(before) / len(before) if before else budget_s(job.trials[0])
        done = min(len(known.get(trial.name, [])) for trial in job.trials)
        left[job] = None if each is None else each * max(job.checks - done, 0)
    return left
