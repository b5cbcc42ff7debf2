"""Checks of the stored gate: five runs of the one side, then five of the other."""

from __future__ import annotations

import time

import stratoperf as sp
from gate.fresh import run_script
from gate.operations import work_of
from gate.plan import Job
from gate.records import Record, Store

RUNS = 5
"""Of each side: the fewest from which stored mode uses their scatter."""


def check(job: Job, number: int, store: Store) -> list[Record]:
    """Measure both sides in fresh processes, one side after the other, and compare the files."""
    (trial,) = job.trials
    begin = time.monotonic()
    folder = store.raw / f"{job.name.replace('/', '-')}-{number}"
    folder.mkdir(exist_ok=True)
    sides: dict[str, list[str]] = {"baseline": [], "current": []}
    for side, slowdown in (("baseline", 0.0), ("current", trial.slowdown)):
        for index in range(RUNS):
            path = folder / f"{side}-{index}.json"
            run_script("stored_run.py", trial.operation, work_of(trial.operation, slowdown), path)
            sides[side].append(str(path))
    comparison = sp.compare(sides["baseline"], sides["current"], threshold=trial.threshold)
    (metric,) = comparison.judged
    seconds = time.monotonic() - begin
    return [
        {
            "trial": trial.name,
            "number": number,
            "verdicts": {"stored": comparison.verdict},
            "ratio": metric.ratio and metric.ratio.value,
            "low": metric.ratio and metric.ratio.low,
            "high": metric.ratio and metric.ratio.high,
            "decided_s": seconds,
            "raw": folder.name,
        }
    ]
