"""How each tool is asked, and how its answer is read."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from repeats import criterion_run, ours_run, tools
from repeats.loops import OPERATIONS, timer
from repeats.plan import JOBS, Job
from repeats.processes import output_of
from repeats.python_work import CALLS
from wording import says


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_runs_in_a_loop(operation: str) -> None:
    assert timer(operation)(2) > 0


def test_every_tool_of_the_plan_can_be_asked() -> None:
    for tool in {job.tool for job in JOBS}:
        reason = tools.unavailable(tool)
        assert reason is None or "install" in reason


def test_pyperf_is_read_as_it_prints_all_values_without_the_warm_up() -> None:
    tree = {
        "metadata": {"perf_version": "2.9.0"},
        "benchmarks": [
            {"runs": [{"warmups": [[1, 9.0]]}, {"values": [1e-6, 3e-6]}, {"values": [2e-6]}]}
        ],
    }
    outcome = tools.read_pyperf(tree, "WARNING: may be unstable\n* too short\n\nx: Mean")
    assert outcome.interval.value == pytest.approx(2000.0)
    assert outcome.interval.low == pytest.approx(1000.0)
    assert outcome.interval.high == pytest.approx(3000.0)
    assert outcome.warned == ("WARNING: may be unstable",)
    assert outcome.program == "pyperf 2.9.0"


def aggregate(name: str, real_time: float) -> dict[str, Any]:
    return {"aggregate_name": name, "real_time": real_time, "time_unit": "ns", "repetitions": 10}


def test_google_benchmark_is_read_as_mean_and_deviation_of_repetitions() -> None:
    tree = {"benchmarks": [aggregate("mean", 50.0), aggregate("stddev", 5.0), aggregate("cv", 0.1)]}
    interval = tools.read_google(tree).interval
    assert (interval.low, interval.value, interval.high) == (45.0, 50.0, 55.0)


def test_an_error_of_google_benchmark_is_told() -> None:
    with pytest.raises(ValueError, match=says("disk", "full")):
        tools.read_google({"benchmarks": [{"error_message": "the disk is full"}]})


def test_whole_processes_are_at_least_ten_and_fill_the_time() -> None:
    begin = time.monotonic()
    outcome = tools.whole_processes(["true"], 0.1)
    assert time.monotonic() - begin >= 0.1
    assert outcome.details["values"] >= tools.LEAST_PROCESSES
    assert outcome.interval.value > 0


def test_the_sampling_of_criterion_grows_in_steps_and_is_flat_for_slow_work() -> None:
    fast = criterion_run.iteration_counts(1e-6, 3.0)
    assert list(fast) == [fast[0] * (index + 1) for index in range(100)]
    assert 3.0 <= fast.sum() * 1e-6 < 3.3
    slow = criterion_run.iteration_counts(4e-3, 3.0)
    assert set(slow.tolist()) == {8}


@pytest.mark.parametrize("linear", [True, False])
def test_the_interval_of_criterion_is_that_of_a_bootstrap(linear: bool) -> None:
    counts = np.arange(1, 101) * 10 if linear else np.full(100, 10)
    random = np.random.default_rng(5)
    times = counts * 1e-6 * random.normal(1.0, 0.1, 100)
    interval = criterion_run.bootstrapped(counts, times, seed=1)
    weights = counts.astype(float) ** 2 if linear else np.ones(100)
    error = 100.0 * float(np.sqrt((weights**2).sum()) / weights.sum())
    assert interval.low is not None
    assert interval.high is not None
    assert interval.low < interval.value < interval.high
    assert interval.value == pytest.approx(1000.0, abs=4 * error)
    assert interval.high - interval.low == pytest.approx(2 * 1.96 * error, rel=0.25)


def test_criterion_takes_its_time() -> None:
    asked: list[int] = []

    def run(iterations: int) -> float:
        asked.append(iterations)
        return 1e-4 * iterations

    interval = criterion_run.sampled(run, 5.0, seed=1)
    assert interval.value == pytest.approx(1e5)
    assert 5.0 <= 1e-4 * sum(asked) < 8.0


RESULT: dict[str, Any] = {
    "key": "repeats.native[backend=cpu]",
    "status": "ok",
    "metrics": {
        "latency": {"summary": {"p50": {"value": 10.0, "low": 9.0, "high": None, "method": "m"}}}
    },
    "environment": {},
    "warnings": ["waited for a CPU"],
    "notes": ["a note"],
}


def test_a_result_of_one_process_is_read_as_it_is() -> None:
    outcome = ours_run.read_result(RESULT)
    assert (outcome.interval.low, outcome.interval.value, outcome.interval.high) == (
        9.0,
        10.0,
        None,
    )
    assert outcome.warned == ("waited for a CPU",)
    assert outcome.details["notes"] == ["a note"]
    assert outcome.readings == ()
    assert outcome.scope is None


def test_a_result_of_several_processes_has_what_each_said_beside_the_speed() -> None:
    summary = {
        **RESULT["metrics"]["latency"]["summary"],
        "scope": "3 processes",
        "processes": 3,
    }
    processes = [
        {
            "environment": {"reference": {"integer_ns": step}},
            "metrics": {"latency": {"p50": 5 * step}},
        }
        for step in (2.0, 4.0, 3.0)
    ]
    outcome = ours_run.read_result(
        {
            **RESULT,
            "metrics": {"latency": {"summary": summary}},
            "processes": processes,
            "variation": {"between": 0.1},
            "disturbed": "the machine's speed changed by 8 % meanwhile",
        }
    )
    assert outcome.scope == "3 processes"
    assert outcome.values == (10.0, 20.0, 15.0)
    assert outcome.readings == (2.0, 4.0, 3.0)
    assert outcome.details["variation"] == {"between": 0.1}
    assert outcome.drifted
    assert outcome.disturbed


def test_a_result_that_was_not_measured_says_why() -> None:
    with pytest.raises(ValueError, match="skipped: no disk"):
        ours_run.read_result({**RESULT, "status": "skipped", "reason": "no disk"})


def test_what_a_failing_process_said_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"ended with 1: no such thing"):
        output_of([sys.executable, "-c", "raise SystemExit('no such thing')"])


def test_a_process_that_takes_too_long_ends_with_all_that_it_started(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    begin = time.monotonic()
    with pytest.raises(RuntimeError, match=r"longer than 0\.5 s"):
        output_of(["sh", "-c", f"sleep 300 & echo $! > {pid}; wait"], timeout_s=0.5)
    assert time.monotonic() - begin < 60
    for _ in range(500):
        if not alive(int(pid.read_text())):
            return
        time.sleep(0.02)
    raise AssertionError("the grandchild still runs")


def alive(pid: int) -> bool:
    try:
        status = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return status.rsplit(")", 1)[1].split()[0] not in ("Z", "X")


@pytest.mark.slow("two tools measure for seconds each")
def test_each_tool_that_is_installed_measures_in_a_fresh_process() -> None:
    for tool in ("run", "google"):
        if tools.unavailable(tool) is None:
            outcome = tools.measure(Job(tool, "syscall", "quick"))
            assert outcome.interval.problem() is None
            assert outcome.interval.low is not None


def test_python_operations_do_their_work() -> None:
    assert CALLS["arithmetic"]() == 124_750
    assert "replica-17" in str(CALLS["dictionary"]())
