"""Rounds: five runs in a row, in random order, of which the first side serves four checks.

The runs are of the baseline, of the same again, and of each slow-down, so each check has two runs
that lie within the same minute, as a careful user would take them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

from gate.operations import work_of
from gate.plan import Job, Trial
from gate.records import Record, Store

Measure = Callable[[str, int, Path], float]
"""Runs an operation of so many steps in fresh processes, saves to the path, returns seconds."""

Judge = Callable[[Path, Path, Trial, int], Record]
"""Judges two saved runs; the last argument is the number of the round."""


def measure_round(
    job: Job, number: int, store: Store, measure: Measure, judge: Judge
) -> list[Record]:
    """Measure a round and return a record for each of its checks.

    Parameters
    ----------
    job
        With one trial for each run other than the baseline.
    number
        Of the round; with the job it seeds the order.
    store
        Keeps the runs.
    measure, judge
        The gate.
    """
    sides: list[Trial | None] = [None, *job.trials]
    order = random.Random(f"{job.name} {number}").sample(range(len(sides)), len(sides))
    paths: dict[int, Path] = {}
    seconds: dict[int, float] = {}
    for index in order:
        trial = sides[index]
        slowdown = 0.0 if trial is None else trial.slowdown
        label = "baseline" if trial is None else f"{slowdown:g}"
        paths[index] = store.raw / f"{job.name.replace('/', '-')}-{number}-{label}.json"
        seconds[index] = measure(job.operation, work_of(job.operation, slowdown), paths[index])
    return [
        {
            "trial": trial.name,
            "number": number,
            **judge(paths[0], paths[index], trial, number),
            "decided_s": seconds[0] + seconds[index],
            "apart": abs(order.index(index) - order.index(0)),
            "raw": [paths[0].name, paths[index].name],
        }
        for index, trial in enumerate(job.trials, start=1)
    ]
