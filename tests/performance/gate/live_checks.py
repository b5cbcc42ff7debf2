"""Checks of the live gate."""

from __future__ import annotations

import time
from pathlib import Path

import stratoperf as sp
from gate.distill import with_figures
from gate.operations import work_of
from gate.plan import Job, Trial
from gate.records import Record, Store
from stratoperf.analysis import ComparedMetric

MODULE = str(Path(__file__).with_name("operations.py"))

BUDGET_S = {True: 10.0, False: 60.0}
"""By whether the sides are identical: false alarms are counted at 10 s, detection at 60 s."""


def check(job: Job, number: int, store: Store) -> list[Record]:
    """Run the live gate once; the samples are kept."""
    (trial,) = job.trials
    begin = time.monotonic()
    precision = trial.gate == "precision"
    comparison = sp.compare_live(
        _side(trial, 0.0),
        _side(trial, trial.slowdown),
        [trial.operation],
        threshold=trial.threshold,
        duration_s=60.0 if precision else BUDGET_S[trial.slowdown == 0],
        stop_early=not precision,
        seed=number,
        output=store.raw,
    )
    (metric,) = comparison.metrics
    record = {
        "trial": trial.name,
        "number": number,
        "verdict": metric.verdict,
        **_interval(metric),
        "pairs": metric.pairs,
        "decided_s": metric.seconds,
        "seconds": time.monotonic() - begin,
        "raw": Path(comparison.run_path or "").name,
    }
    return [with_figures(record, store.raw)]


def _side(trial: Trial, slowdown: float) -> sp.Environment:
    work = work_of(trial.operation, slowdown)
    return sp.Environment(params={"work": work}, modules=(MODULE,))


def _interval(metric: ComparedMetric) -> Record:
    ratio = metric.ratio
    if ratio is None:
        return {"ratio": None, "low": None, "high": None}
    return {"ratio": ratio.value, "low": ratio.low, "high": ratio.high}
