"""Sessions that are stopped and go on, and the commands around them."""

from __future__ import annotations

import importlib
import json
import time
from collections import Counter
from pathlib import Path

import pytest

import repeatability
from gate.distill import keep_machine, this_machine
from repeats.plan import JOBS, OURS, PEERS, Job, schedule, seconds_of
from repeats.records import Interval, Outcome, Store, read_reruns
from repeats.simulated import normal_reruns, simulated_rerun
from topics import repeatability_
from wording import mentions

QUICK = [job for job in JOBS if job.mode == "quick"]


def say(job: Job) -> Outcome:
    return Outcome(Interval(float(len(job.operation)), 1.0, 50.0), "simulated")


class Stopped:
    """A tool that is stopped by Ctrl-C after so many re-runs."""

    def __init__(self, after: int) -> None:
        self._left = after

    def __call__(self, job: Job) -> Outcome:
        if not self._left:
            raise KeyboardInterrupt
        self._left -= 1
        return say(job)


@pytest.mark.parametrize("after", [0, 1, 7, 40])
def test_ctrl_c_loses_the_running_re_run_alone_and_the_next_session_goes_on(
    tmp_path: Path, after: int
) -> None:
    store = Store(tmp_path)
    left = list(schedule(QUICK, {}, 1))
    with pytest.raises(KeyboardInterrupt):
        repeatability.measure_all(left, store, Stopped(after), {})
    assert [rerun.job for rerun in read_reruns(tmp_path)] == left[:after]
    done = Counter(rerun.job for rerun in read_reruns(tmp_path))
    rest = list(schedule(QUICK, done, 1))
    assert rest == left[after:]
    repeatability.measure_all(rest, store, say, {})
    assert [rerun.job for rerun in read_reruns(tmp_path)] == left


def test_a_tool_that_keeps_failing_is_left_out_and_the_reason_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def sometimes(job: Job) -> Outcome:
        if job.tool == "pyperf":
            raise RuntimeError("no permission for the clock")
        return say(job)

    jobs = [Job(tool, "native", "quick") for tool in ("run", "pyperf")]
    left = list(schedule(jobs, {}, 10))
    repeatability.measure_all(left, Store(tmp_path), sometimes, {})
    reruns = read_reruns(tmp_path)
    failed = [rerun.failed for rerun in reruns if rerun.failed]
    assert failed == ["no permission for the clock"] * repeatability.FAILURES
    assert sum(rerun.job.tool == "run" for rerun in reruns) == 10
    assert mentions(capsys.readouterr().err, "permission", "clock")
    # What failed is still to be done.
    assert Counter(schedule(jobs, repeatability._done(reruns), 10)) == {jobs[1]: 10}


def test_a_session_starts_nothing_that_would_end_after_its_time(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left = [Job("run", "native", "quick")] * 5
    seen = {left[0]: 10.0}
    repeatability.measure_all(left, Store(tmp_path), say, seen, end=time.time() + 9.0)
    assert read_reruns(tmp_path) == []
    assert "5 re-runs are left" in capsys.readouterr().err


def test_the_plan_says_how_long_it_takes_by_the_records_there_are() -> None:
    job = Job("google", "native", "quick")
    reruns = normal_reruns(job, 2, scatter=1.0, half_width=1.0, seconds=1800.0)
    assert "4 re-runs, 2 h 00 min" in repeatability.planned([job], reruns, 6)


def test_the_quick_part_is_planned_for_about_two_hours() -> None:
    took = sum(seconds_of(job, {}) for job in schedule(QUICK, {}))
    assert 1.5 * 3600 < took < 2.2 * 3600


def test_the_plan_is_printed_without_measuring(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    options = ["--plan", "--data", str(tmp_path), "--tools", "google", "--operations", "file"]
    assert repeatability.main([*options, "--count", "7", "--mode", "all"]) == 0
    assert "left in all: 14 re-runs" in capsys.readouterr().out
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("option", "value", "remedy"),
    [
        ("--until", "25:00", "07:30"),
        ("--hours", "0", "above 0"),
        ("--hours", "soon", "number"),
        ("--count", "-1", "above 0"),
        ("--count", "many", "whole number"),
        ("--tools", "abacus", "google"),
        ("--operations", "nothing", "native"),
        ("--mode", "long", "quick"),
    ],
)
def test_an_option_that_makes_no_sense_is_named_with_its_value_and_what_would(
    option: str, value: str, remedy: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        repeatability.main([option, value])
    assert stopped.value.code == 2
    said = capsys.readouterr().err
    assert option in said
    assert value in said
    assert remedy in said


def test_an_hour_of_the_clock_that_has_passed_is_that_of_tomorrow() -> None:
    for text in ("00:00", "12:00", "23:59"):
        assert time.time() <= repeatability._at_time(text) <= time.time() + 25 * 3600


def test_a_folder_without_records_cannot_be_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert repeatability.main(["--report", "--data", str(tmp_path)]) == 2
    assert "measure first" in capsys.readouterr().err


def test_a_damaged_record_is_told_with_its_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "quick.jsonl").write_text('{"tool": "abacus"}\n', "utf-8")
    assert repeatability.main(["--report", "--data", str(tmp_path)]) == 2
    assert "line 1" in capsys.readouterr().err


def test_records_of_another_machine_are_not_mixed_with_those_of_this_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_machine(tmp_path, {**this_machine(), "cpu": "Abacus"})
    assert repeatability.main(["--data", str(tmp_path), "--tools", "run"]) == 2
    assert "Abacus" in capsys.readouterr().err
    assert read_reruns(tmp_path) == []


@pytest.fixture
def records(tmp_path: Path) -> Path:
    """A folder in which ours covers and Criterion's rule does not."""
    store = Store(tmp_path)
    for operation in ("native", "file"):
        for tool, half in (("run", 25.0), ("criterion", 2.0)):
            job = Job(tool, operation, "quick")
            for rerun in normal_reruns(job, 30, scatter=10.0, half_width=half):
                store.append(rerun)
    return tmp_path


def test_peers_set_coverage_and_widths_beside_each_other(records: Path) -> None:
    coverage, width = repeatability_.rows(records)
    assert "Criterion" in coverage.peer_name
    assert coverage.ours is not None
    assert coverage.peer is not None
    assert coverage.ours >= 93
    assert coverage.peer < 40
    assert coverage.met
    assert coverage.ratio is not None
    assert coverage.ratio_low is not None
    assert coverage.ratio_low > 1
    # The same values from both, whatever they stated.
    assert width.ratio == pytest.approx(1.0, rel=0.01)
    json.dumps([row.to_json() for row in (coverage, width)], allow_nan=False)


def test_peers_say_how_often_ours_covers_at_reference_speed(tmp_path: Path) -> None:
    store = Store(tmp_path)
    for slowness in (1.0, 1.2, 1.4):
        value = 100 * slowness
        store.append(
            simulated_rerun(Job("run", "native", "quick"), value, 1.0, step_ns=2 * slowness)
        )
    (row,) = repeatability_.rows(tmp_path)
    assert (row.ours, row.peer, row.met) == (100.0, None, True)


def test_a_peer_is_compared_on_the_operations_that_both_have_measured(records: Path) -> None:
    store = Store(records)
    for rerun in normal_reruns(Job("run", "memory", "quick"), 30, scatter=10.0, half_width=0.1):
        store.append(rerun)
    coverage, _ = repeatability_.rows(records)
    assert coverage.ours is not None
    assert coverage.ours >= 93
    assert "of 60" in coverage.note


def test_the_report_has_every_tool_and_form(
    records: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for form in ([], ["--markdown"], ["--json"]):
        assert repeatability.main(["--report", "--data", str(records), *form]) == 0
        said = capsys.readouterr().out
        assert "criterion" in said.lower()
    assert {row["tool"] for row in json.loads(said)["raw"]} == {"run", "criterion"}


def test_without_records_peers_tell_how_to_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("REPEATABILITY_RECORDS", raising=False)
    monkeypatch.setattr(repeatability_, "KEPT", tmp_path)
    assert repeatability_.measure() == []
    assert "repeatability.py" in capsys.readouterr().err


def test_the_records_that_were_made_last_are_reported(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("REPEATABILITY_RECORDS", raising=False)
    kept = tmp_path / "kept"
    monkeypatch.setattr(repeatability_, "KEPT", kept)
    for machine, year in (("a", 2027), ("b", 2026), ("empty", None)):
        store = Store(kept / machine / "repeatability")
        if year is not None:
            rerun = read_reruns(records)[0]
            store.append(rerun._replace(started=f"{year}-01-01T00:00:00Z"))
    assert repeatability_.records_folder() == kept / "a" / "repeatability"


def test_peers_know_the_topic_and_its_tools() -> None:
    assert "repeatability" in importlib.import_module("peers").TOPICS
    assert set(OURS) | set(PEERS) == {job.tool for job in JOBS}
