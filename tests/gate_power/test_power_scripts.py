"""The scripts that fresh processes run, and the tables that are printed."""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

import stratoperf as sp
from gate import pyperf_checks, sampled_run, stored_checks
from gate.fresh import HERE, run_python, run_script
from gate.operations import TAILS, WORK, tailed_capsule, work_of
from gate.plan import STREAMS, Trial
from gate.rates import GATES
from gate.records import Record, Store
from gate.report import as_markdown, as_text
from gate.simulated import live_record
from stratoperf import _core
from topics import gate_

MAIN = HERE.parent / "gate_power.py"


def test_the_samples_grow_in_steps_and_fill_the_measurement() -> None:
    counts = sampled_run.iteration_counts(30_000.0)
    assert counts == [counts[0] * (index + 1) for index in range(100)]
    assert sum(counts) * 30_000.0 >= sampled_run.MEASUREMENT_S * 1e9
    assert sum(counts) * 30_000.0 < 1.1 * sampled_run.MEASUREMENT_S * 1e9


def test_a_slow_operation_is_still_sampled_once_each() -> None:
    assert sampled_run.iteration_counts(1e12)[0] == 1


def test_the_warm_up_doubles_until_its_time_is_over() -> None:
    asked: list[int] = []

    def timer(iterations: int) -> int:
        asked.append(iterations)
        return 1_000_000 * iterations

    assert sampled_run.warm_up(timer) == 1_000_000
    assert asked == [2**power for power in range(len(asked))]
    assert sum(asked) * 1e6 > sampled_run.WARMUP_S * 1e9


def test_what_a_failing_process_said_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 1:\n.*no such thing"):
        run_python("-c", "raise SystemExit('no such thing')")


def test_a_stored_run_is_a_run_file_whose_key_does_not_tell_the_work(tmp_path: Path) -> None:
    keys = set()
    for work in (WORK["gate.python"], 2 * WORK["gate.python"]):
        run_script("stored_run.py", "gate.python", work, tmp_path / f"{work}.json")
        (result,) = sp.load(tmp_path / f"{work}.json").results
        assert result.status == "ok"
        keys.add(result.key)
    assert len(keys) == 1


@pytest.mark.slow("starts ten processes")
def test_the_stored_gate_judges_five_fresh_processes_a_side(store: Store) -> None:
    job = next(job for job in STREAMS["stored"] if job.trials[0].slowdown == 0.2)
    (record,) = stored_checks.check(job, 0, store)
    assert record["trial"] == job.name
    assert record["low"] < record["ratio"] < record["high"]
    series = [
        (path.stem.split("-")[0], entry.process)
        for path in (store.raw / record["raw"]).glob("*.json")
        for result in sp.load(path).results
        for entry in result.series
    ]
    assert Counter(side for side, _ in series) == {"baseline": 5, "current": 5}
    assert len({process for _, process in series}) == 10


@pytest.mark.slow("starts pyperf twice")
def test_pyperf_measures_a_side_and_judges_two(tmp_path: Path) -> None:
    pytest.importorskip("pyperf", reason="needs pyperf: pip install pyperf")
    path = tmp_path / "side.json"
    arguments = ("--debug-single-value", "--quiet", "--operation", "gate.python", "--work", 100)
    run_script("pyperf_run.py", *arguments, "-o", path)
    # Two single values differ significantly for pyperf, even from themselves: "no change".
    record = pyperf_checks.judge(path, path, Trial("pyperf", "gate.python", 0.0, 0.05), 0)
    assert set(record["verdicts"]) == {"pyperf", "pyperf-floor"}
    assert record["verdicts"]["pyperf-floor"] == "same"


def test_a_folder_without_records_cannot_be_reported(tmp_path: Path) -> None:
    command = [sys.executable, str(MAIN), "report", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
    assert done.returncode == 2
    assert "run first" in done.stderr


def full_records(alarms: int = 0) -> list[Record]:
    """Return records of the live gate and of the peers, 100 identical checks and 20 slow ones."""
    records = []
    for number in range(100):
        records.append(live_record(0.0, "slower" if number < alarms else "same", number))
        records.append(of_peers(0.0, "slower" if number < 10 else "same"))
    for number in range(20):
        records.append(live_record(0.1, "slower", number))
        records.append(of_peers(0.1, "slower"))
    return records


def of_peers(slowdown: float, verdict: str) -> Record:
    names = [name for name in GATES if name not in ("live", "stored")]
    return {
        "trial": Trial("rules", "gate.native", slowdown, 0.05).name,
        "verdicts": dict.fromkeys(names, verdict),
        "criterion": {"mean": 0.0, "low": -0.02, "high": 0.02, "p_value": 0.5},
        "decided_s": 10.0,
    }


def test_the_tables_name_every_gate_and_its_counts() -> None:
    text = as_text(full_records(), None)
    markdown = as_markdown(full_records(), {"cpu": "Abacus", **MACHINE})
    for gate in ("live", "medians", "criterion", "pyperf"):
        assert GATES[gate] in text
        assert GATES[gate] in markdown
    assert "Abacus" in markdown
    assert "10 of 100: 10 % [4.9 to 18 %], at most 16 %" in markdown
    assert "20 of 20: 100 % [83 to 100 %]" in markdown


def test_the_tables_tell_of_tails_with_identical_sides_pooled() -> None:
    slow = Trial("p95", "gate.faulting", 0.08, 0.2).name
    records = [
        live_record(0.0, "same", trial=Trial("p95", operation, 0.0, 0.2).name)
        for operation in ("gate.native", "gate.locked")
        for _ in range(150)
    ] + [live_record(0.08, "slower", trial=slow) for _ in range(60)]
    for text in (as_text(records, None), as_markdown(records, None)):
        rows = [line for line in text.splitlines() if "live gate, p95" in line]
        assert len(rows) == 4
        assert "all operations" in rows[0]
        assert "0 of 300: 0 % [0 to 1.2 %], at most 0.99 %" in rows[0]
        assert "8% of the iterations" in rows[3]
        assert "60 of 60: 100 % [94 to 100 %]" in rows[3]


@pytest.mark.parametrize("operation", TAILS)
def test_the_share_that_was_asked_for_takes_longer_and_all_work_is_done(operation: str) -> None:
    samples = {}
    for share in (0.0, 0.3):
        capsule = tailed_capsule(operation, work_of(operation, share))
        work = sp.Operation(capsule).work
        sampled = _core.sampler.sample(
            work,
            warmup_s=0.01,
            min_samples=300,
            max_duration_s=0.3,
            batch=1,
            max_iterations=0,
            precision=0.0,
            quantile=0.5,
            confidence=0.95,
            histogram=None,
            stop_on_signal=False,
        )
        samples[share] = taken = sampled.samples_ns
        runs = len(taken) + sampled.warmup_iterations
        checked = _core.sampler.verify(work)
        assert checked is not None
        assert (checked.checked, checked.passed, checked.message) == (runs, True, "")
    if operation != "gate.locked":
        # Whether the holder of the lock gets a CPU is for the machine to decide.
        slow = samples[0.3] > 1.4 * np.median(samples[0.0])
        assert 0.15 < np.mean(slow) < 0.6


def test_the_plan_names_what_is_left_and_the_time(tmp_path: Path) -> None:
    command = [sys.executable, str(MAIN), "plan", "--data", str(tmp_path), "--stream", "tails"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=100)
    assert "p95/gate.planted/0.06/0.2: 60 of 60 left, 60 min at most" in done.stdout
    assert "all: " in done.stdout


MACHINE = {
    "logical_cores": 2,
    "virtualization": None,
    "kernel": "6",
    "python": "3",
    "stratoperf": "0",
}


def test_peers_say_how_many_times_fewer_false_alarms_there_are(store: Store) -> None:
    store.append(full_records(alarms=1))
    rows = gate_.rows(store.directory)
    (row,) = (row for row in rows if row.name.startswith("false") and "pyperf" in row.peer_name)
    assert (row.ours, row.peer) == (1.0, 10.0)
    assert row.ratio == pytest.approx(10.0)
    assert row.ratio_low is not None
    assert row.ratio_high is not None
    assert row.ratio_low < 10.0 < row.ratio_high
    assert row.met
    json.dumps([row.to_json() for row in rows], allow_nan=False)


def test_a_gate_that_cries_wolf_does_not_meet_its_goal(store: Store) -> None:
    store.append(full_records(alarms=2))
    goals = {row.name: row.met for row in gate_.rows(store.directory)}
    assert goals["false alarms, live gate"] is False
    assert goals["finds 10% at a threshold of 5%, live gate"] is True


def test_without_any_false_alarm_the_ratio_is_only_bounded_from_below(store: Store) -> None:
    store.append(full_records())
    row = gate_.rows(store.directory)[0]
    assert row.ratio is None
    assert row.ratio_high is None
    assert row.ratio_low is not None
    assert row.ratio_low > 0


def test_without_records_peers_tell_how_to_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("GATE_RECORDS", raising=False)
    monkeypatch.setattr(gate_, "KEPT", tmp_path)
    assert gate_.measure() == []
    assert "gate_power.py run" in capsys.readouterr().err


def test_the_records_that_were_made_last_are_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GATE_RECORDS", raising=False)
    monkeypatch.setattr(gate_, "KEPT", tmp_path)
    for machine, at in (("a", "2026-02-01T00:00:00Z"), ("b", "2026-01-01T00:00:00Z")):
        Store(tmp_path / machine / "gate", "live").append([live_record(0.0, "same", at=at)])
    assert gate_.records_folder() == tmp_path / "a" / "gate"


def test_peers_know_the_topic() -> None:
    assert "gate" in importlib.import_module("peers").TOPICS
