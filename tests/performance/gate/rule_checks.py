"""Checks by two rules on the same two runs: the medians and a threshold, and Criterion's rule."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from gate import criterion
from gate.fresh import run_script
from gate.plan import Job, Trial
from gate.records import Record, Store
from gate.rounds import measure_round


def check(job: Job, number: int, store: Store) -> list[Record]:
    """Measure and judge a round of runs that are sampled as Criterion does."""
    return measure_round(job, number, store, _measure, judge)


def _measure(operation: str, work: int, path: Path) -> float:
    return run_script("sampled_run.py", operation, work, path)


def judge(baseline: Path, current: Path, trial: Trial, number: int) -> Record:
    """Apply both rules, and Criterion's also with the trial's threshold for its noise."""
    before, after = (_averages(path) for path in (baseline, current))
    ratio = float(np.median(after) / np.median(before))
    change = criterion.change(before, after, seed=number)
    return {
        "verdicts": {
            "medians": by_medians(ratio, trial.threshold),
            "criterion": change.verdict(),
            "criterion-floor": change.verdict(trial.threshold),
        },
        "ratio": ratio,
        "criterion": change._asdict(),
    }


def by_medians(ratio: float, threshold: float) -> str:
    """Return the verdict of a bare threshold on the ratio of two medians."""
    if ratio > 1 + threshold:
        return "slower"
    return "faster" if ratio < 1 / (1 + threshold) else "same"


def _averages(path: Path) -> criterion.Values:
    """Return the average times of an iteration, one per sample, in ns."""
    sampled = json.loads(path.read_bytes())
    averages: criterion.Values = np.divide(sampled["times_ns"], sampled["iterations"])
    return averages
