"""Records survive kills, are checked, and have one writer."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from repeats.plan import JOBS, Job
from repeats.records import Interval, Outcome, Rerun, Store, read_rerun, read_reruns
from repeats.simulated import simulated_rerun
from stratoperf.monitor.disturbance import disturbance
from stratoperf.monitor.speed import Pace, Speed, speed_warnings

JOB = Job("run", "native", "quick")

RERUNS = [
    simulated_rerun(JOB, 100.0, 1.0, warned=["other processes kept 1.7 CPUs busy"], step_ns=2.5),
    Rerun(JOB, "2026-01-01T00:00:01Z", 3.0, None, "it said no"),
    simulated_rerun(Job("google", "file", "quick"), 1e6, None),
]


@pytest.fixture
def store(tmp_path: Path) -> Store:
    """One with all of them."""
    store = Store(tmp_path / "records")
    for rerun in RERUNS:
        store.append(rerun)
    return store


def test_records_come_back_as_they_were_written(store: Store) -> None:
    assert read_reruns(store.directory) == RERUNS


def test_each_mode_has_its_file(store: Store) -> None:
    store.append(simulated_rerun(Job("run", "native", "60s"), 1.0, 0.1))
    assert {path.name for path in store.directory.iterdir()} == {"quick.jsonl", "60s.jsonl"}


def test_a_file_that_is_cut_short_anywhere_gives_its_whole_lines(store: Store) -> None:
    path = store.directory / "quick.jsonl"
    whole = path.read_bytes()
    ends = [index for index, byte in enumerate(whole) if byte == ord("\n")]
    for cut in {*range(0, len(whole), 31), *ends, *(end + 1 for end in ends)}:
        path.write_bytes(whole[:cut])
        # The line is whole when only its end is missing.
        complete = sum(end <= cut for end in ends)
        assert read_reruns(store.directory) == RERUNS[:complete]


def test_a_line_that_was_cut_short_does_not_swallow_the_next_record(store: Store) -> None:
    path = store.directory / "quick.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    store.append(RERUNS[0])
    assert read_reruns(store.directory) == [*RERUNS[:2], RERUNS[0]]


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"tool": "abacus"}, "tool"),
        ({"operation": "nothing"}, "operation"),
        ({"mode": "long"}, "mode"),
        ({"tool": "google", "operation": "arithmetic"}, "arithmetic"),
        ({"started": None}, "started"),
        ({"seconds": -1}, "seconds"),
        ({"seconds": True}, "seconds"),
        ({"interval": {"value": 100.0, "low": 101.0, "high": 102.0}}, "low"),
        ({"interval": {"value": -1.0, "low": None, "high": None}}, "value"),
        ({"interval": {"value": 1e999, "low": None, "high": None}}, "finite"),
        ({"interval": {"value": "fast", "low": None, "high": None}}, "interval.value"),
        ({"interval": {"value": 1.0}}, "low"),
        ({"values": [1.0, 0.0]}, "values"),
        ({"values": [1.0, 2.0], "readings": [1.0]}, "readings"),
        ({"color": "blue"}, "color"),
    ],
)
def test_what_is_no_record_is_rejected_with_its_file_line_and_field(
    store: Store, change: dict[str, Any], named: str
) -> None:
    path = store.directory / "quick.jsonl"
    tree = {**RERUNS[0].to_json(), **change}
    path.write_text(json.dumps(RERUNS[1].to_json()) + "\n" + json.dumps(tree) + "\n", "utf-8")
    with pytest.raises(ValueError, match=rf"quick\.jsonl, line 2: .*{named}.*remove the line"):
        read_reruns(store.directory)


def test_a_record_that_is_no_object_is_rejected() -> None:
    with pytest.raises(ValueError, match="object"):
        read_rerun([1, 2])


def test_bounds_that_rounding_moved_are_no_error() -> None:
    outcome = Outcome(Interval(1.0000000004, 1.0000000004, 1.0000000004), "simulated")
    rerun = Rerun(JOB, "2026-01-01T00:00:00Z", 1.0, outcome)
    assert read_rerun(json.loads(json.dumps(rerun.to_json()))).job == JOB


def test_a_second_writer_is_refused_until_the_first_has_ended(tmp_path: Path) -> None:
    first, second = Store(tmp_path), Store(tmp_path)
    with first.claimed(), pytest.raises(BlockingIOError, match="--data"), second.claimed():
        pass
    with second.claimed():
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "drifted", "disturbed"),
    [
        ("the CPU was 12 % slower than usual in this run", True, False),
        ("the speed of the memory changed by 20 % during the measurement", True, False),
        ("disturbed: the machine's speed changed by 8 % meanwhile", True, True),
        ("waited for a CPU 69.0 % of the time: other processes were running", False, True),
        ("the hypervisor took the CPU away for 3.0 % of the time", False, True),
        ("WARNING: the benchmark result may be unstable", False, False),
    ],
)
def test_a_warning_of_the_hosts_drift_is_no_warning_of_other_processes(
    text: str, drifted: bool, disturbed: bool
) -> None:
    outcome = Outcome(Interval(1.0, None, None), "simulated", (text,))
    assert (outcome.drifted, outcome.disturbed) == (drifted, disturbed)


@pytest.mark.parametrize("part", ["integer", "memory"])
@pytest.mark.parametrize(
    "pace", [Pace(2.0, 0.5, 1.0, None), Pace(2.0, 0.0, 0.5, None), Pace(2.0, 0.0, 1.0, 2.0)]
)
def test_what_we_warn_of_the_machines_speed_is_known_as_drift(part: str, pace: Pace) -> None:
    (text,) = speed_warnings(Speed(**{"integer": None, "memory": None, part: pace}))
    outcome = Outcome(Interval(1.0, None, None), "simulated", (text,))
    assert outcome.drifted
    assert not outcome.disturbed


def test_what_we_say_of_a_disturbance_is_known_as_such() -> None:
    busy = {"seconds": 1.0, "cpu_seconds": 0.5, "waiting_seconds": 0.5, "others_seconds": 1.0}
    stolen = {"seconds": 1.0, "steal_percent": 30.0}
    changed = {"seconds": 1.0, "reference": {"integer_change": 0.2}}
    for environment, drifted in ((busy, False), (stolen, False), (changed, True)):
        why = disturbance(environment)
        assert why is not None
        outcome = Outcome(Interval(1.0, None, None), "simulated", (f"disturbed: {why}",))
        assert outcome.disturbed
        assert outcome.drifted == drifted


def test_every_job_can_be_recorded() -> None:
    for job in JOBS:
        rerun = simulated_rerun(job, 1.5, 0.5)
        assert read_rerun(rerun.to_json()) == rerun
