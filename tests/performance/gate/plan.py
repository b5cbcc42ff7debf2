"""What is tried, how often, and in which order."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from gate.records import Record


class Trial(NamedTuple):
    """One kind of check.

    Attributes
    ----------
    gate
        What judges: ``"live"``, ``"stored"``, ``"rules"`` (the medians and Criterion's rule, on the
        same two runs), ``"pyperf"``, or ``"precision"`` (a live session of 60 s to its end).
    operation
        ``"gate.native"`` or ``"gate.python"``.
    slowdown
        The extra work of the current side, as a fraction; 0 is identical against identical.
    threshold
        Of the verdict.
    checks
        How many are wanted.
    """

    gate: str
    operation: str
    slowdown: float
    threshold: float
    checks: int

    @property
    def name(self) -> str:
        """The identity of the trial in the records."""
        return f"{self.gate}/{self.operation}/{self.slowdown:g}/{self.threshold:g}"


OPERATIONS = ("gate.native", "gate.python")


def _trials(gate: str, slowdown: float, threshold: float, checks: int) -> list[Trial]:
    """Return a trial for each operation, which share the checks."""
    return [Trial(gate, one, slowdown, threshold, checks // 2) for one in OPERATIONS]


STREAMS: dict[str, list[Trial]] = {
    "live": [
        *_trials("live", 0.0, 0.05, 300),
        *_trials("live", 0.05, 0.02, 60),
        *_trials("live", 0.10, 0.05, 60),
        *_trials("live", 0.20, 0.05, 60),
        *_trials("precision", 0.0, 0.05, 4),
    ],
    "others": [
        *_trials("stored", 0.0, 0.05, 300),
        *_trials("rules", 0.0, 0.05, 60),
        *_trials("pyperf", 0.0, 0.05, 60),
        *(
            trial
            for gate in ("stored", "rules", "pyperf")
            for slowdown, threshold in ((0.05, 0.02), (0.10, 0.05), (0.20, 0.05))
            for trial in _trials(gate, slowdown, threshold, 20)
        ),
    ],
}
"""Two writers at a time, each on a CPU of its own: the noise that each is to the other is part of
what a gate has to stand."""


def schedule(trials: Iterable[Trial], records: Iterable[Record]) -> Iterator[tuple[Trial, int]]:
    """Yield what is still to be done, the trial that lags most behind first.

    Stopping at any moment thus leaves all trials at about the same share of what is wanted.
    """
    wanted = list(trials)
    done = Counter(record["trial"] for record in records)
    while True:
        behind = min(wanted, key=lambda trial: done[trial.name] / trial.checks)
        if done[behind.name] >= behind.checks:
            return
        yield behind, done[behind.name]
        done[behind.name] += 1
