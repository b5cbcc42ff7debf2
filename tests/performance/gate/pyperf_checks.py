"""Checks by ``pyperf compare_to``, on runs as ``pyperf`` takes them with ``--fast``."""

from __future__ import annotations

import re
from pathlib import Path

from gate.fresh import run_python, run_script
from gate.plan import Job, Trial
from gate.records import Record, Store
from gate.rounds import measure_round


def check(job: Job, number: int, store: Store) -> list[Record]:
    """Measure and judge a round."""
    return measure_round(job, number, store, _measure, judge)


def _measure(operation: str, work: int, path: Path) -> float:
    """Run ten processes of three values each, one of them warm-up: about 5 s."""
    # It refuses to overwrite what a round that was cut short has left.
    path.unlink(missing_ok=True)
    arguments = ("--fast", "--quiet", "--operation", operation, "--work", work, "-o", path)
    return run_script("pyperf_run.py", *arguments)


def judge(baseline: Path, current: Path, trial: Trial, number: int) -> Record:
    """Ask for its verdict as it comes, and with the trial's threshold as the least change."""
    compare = ("-m", "pyperf", "compare_to", "--verbose")
    said = run_python(*compare, baseline, current)
    floor = run_python(*compare, f"--min-speed={100 * trial.threshold:g}", baseline, current)
    return {
        "verdicts": {"pyperf": verdict(said), "pyperf-floor": verdict(floor)},
        "said": said.strip(),
    }


def verdict(said: str) -> str:
    """Read the verdict from what ``pyperf compare_to --verbose`` printed.

    Raises
    ------
    ValueError
        When there is none to be found.
    """
    if "Not significant!" in said:
        return "same"
    direction = re.search(r": (?:[\d.]+x (slower|faster)|no change)$", said, re.MULTILINE)
    if direction is None or not re.search(r"^Significant", said, re.MULTILINE):
        raise ValueError(f"said: no verdict of pyperf's in {said!r}; does its version fit?")
    return direction[1] or "same"
