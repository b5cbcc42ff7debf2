"""Checks of the live gate."""

from __future__ import annotations

import time
from pathlib import Path

import stratoperf as sp
from gate.distill import with_figures
from gate.operations import TAILS, work_of
from gate.plan import TAIL_SHARES, Job, Trial
from gate.records import Record, Store
from stratoperf.analysis import ComparedMetric

MODULE = str(Path(__file__).with_name("operations.py"))

IDENTICAL_S = {"live": 10.0, "p95": 20.0, "p99": 20.0}
SLOW_S = 60.0
"""Budgets: false alarms are counted at short ones, detections and precision at 60 s."""


def check(job: Job, number: int, store: Store) -> list[Record]:
    """Run the live gate once; the samples are kept."""
    (trial,) = job.trials
    begin = time.monotonic()
    precision = trial.gate == "precision"
    comparison = sp.compare_live(
        *_sides(trial),
        [trial.operation],
        threshold=trial.threshold,
        statistic=trial.gate if trial.gate in ("p95", "p99") else "p50",
        duration_s=budget_s(trial) or SLOW_S,
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


def budget_s(trial: Trial) -> float | None:
    """Return what a check of the live gate takes at most, and of others ``None``."""
    if trial.gate not in (*IDENTICAL_S, "precision"):
        return None
    return SLOW_S if trial.slowdown else IDENTICAL_S.get(trial.gate, SLOW_S)


def _sides(trial: Trial) -> tuple[sp.Environment, sp.Environment]:
    """Return both sides; identical ones have a tail where the operation can have it."""
    slowdowns = (0.0, trial.slowdown)
    if trial.operation in TAILS and not trial.slowdown:
        slowdowns = (TAIL_SHARES[trial.operation],) * 2
    baseline, current = (
        sp.Environment(params={"work": work_of(trial.operation, slowdown)}, modules=(MODULE,))
        for slowdown in slowdowns
    )
    return baseline, current


def _interval(metric: ComparedMetric) -> Record:
    ratio = metric.ratio
    if ratio is None:
        return {"ratio": None, "low": None, "high": None}
    return {"ratio": ratio.value, "low": ratio.low, "high": ratio.high}
