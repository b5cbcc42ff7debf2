"""Which tool measures which operation how often, for how long, and in which order."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

MODES = ("quick", "60s")

NATIVE = ("native", "allocation", "memory", "syscall", "file", "threads")
EVERY = ("native", "arithmetic", "dictionary", *NATIVE[1:])


class Tool(NamedTuple):
    """What gives a number with an interval.

    Attributes
    ----------
    title
        For readers.
    states
        What its bounds are.
    operations
        Those that it can measure.
    counts
        By mode, how many re-runs of each operation are planned.
    seconds
        By mode, how long one takes, until records tell better.
    """

    title: str
    states: str
    operations: tuple[str, ...]
    counts: Mapping[str, int]
    seconds: Mapping[str, float]


SPREAD = "mean ± standard deviation"
INTERVAL = "95 % interval"

TOOLS: dict[str, Tool] = {
    "run": Tool(
        "stratoperf, run", INTERVAL, EVERY, {"quick": 100, "60s": 30}, {"quick": 6.0, "60s": 75.0}
    ),
    "measure": Tool("stratoperf, measure", INTERVAL, EVERY, {"quick": 12}, {"quick": 3.0}),
    "measure-8": Tool(
        "stratoperf, measure in 8 processes", INTERVAL, EVERY, {"quick": 12}, {"quick": 6.0}
    ),
    "pyperf": Tool("pyperf", SPREAD, EVERY, {"quick": 12, "60s": 8}, {"quick": 8.0, "60s": 25.0}),
    "google": Tool(
        "Google Benchmark, repetitions",
        SPREAD,
        NATIVE,
        {"quick": 12, "60s": 8},
        {"quick": 2.0, "60s": 60.0},
    ),
    "criterion": Tool(
        "Criterion.rs's rule", INTERVAL, EVERY, {"quick": 12, "60s": 8}, {"quick": 6.0, "60s": 61.0}
    ),
    "whole": Tool(
        "whole processes, as hyperfine",
        SPREAD,
        EVERY,
        {"quick": 12, "60s": 8},
        {"quick": 3.5, "60s": 61.0},
    ),
}
"""Ours first. Peers have fewer re-runs, 96 or 64 over all operations: what covers 70 % is told from
what covers 93 %, and all quick re-runs together take about two hours."""

OURS = ("run", "measure", "measure-8")
PEERS = tuple(name for name in TOOLS if name not in OURS)


class Job(NamedTuple):
    """One tool on one operation in one mode."""

    tool: str
    operation: str
    mode: str

    @property
    def planned(self) -> int:
        """How many re-runs are planned."""
        return TOOLS[self.tool].counts[self.mode]


JOBS = tuple(
    Job(name, operation, mode)
    for mode in MODES
    for name, tool in TOOLS.items()
    for operation in tool.operations
    if mode in tool.counts
)


def schedule(
    jobs: Sequence[Job], done: Mapping[Job, int], count: int | None = None
) -> Iterator[Job]:
    """Yield what is still to be done, mode by mode.

    Within a mode the re-runs of each job are spread evenly over the whole, and those that are due
    at the same time come in random order, so tools and operations alternate all the time. The
    order is the same however often it was stopped and started again.

    Parameters
    ----------
    jobs
        What is wanted.
    done
        How many re-runs of each there are.
    count
        How many are wanted of each, instead of those planned.
    """
    entries = []
    for job in jobs:
        wanted = job.planned if count is None else count
        for index in range(done.get(job, 0), wanted):
            # The middle of its share of the time, moved by up to half of it.
            moment = (index + random.Random(f"{job} {index}").random()) / wanted
            entries.append((MODES.index(job.mode), moment, job))
    yield from (job for _, _, job in sorted(entries))


def seconds_of(job: Job, seen: Mapping[Job, float]) -> float:
    """Return how long a re-run takes: as long as those before, where there are any."""
    return seen.get(job, TOOLS[job.tool].seconds[job.mode])
