"""Running a plan: results and failures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.running import Case, Listener, Plan

FAST: dict[str, Any] = {"preset": "ci", "warmup_s": 0.0, "duration_s": 0.02}

pytestmark = pytest.mark.usefixtures("benchmarks")


def summing(size: int = 100) -> Callable[[], int]:
    return lambda: sum(range(size))


def declare(name: str = "kv.put", **options: Any) -> None:
    sp.benchmark(name, params={"size": [10, 100]}, **options)(summing)


def test_a_result_has_all_that_the_contract_names() -> None:
    declare(items="size", item_unit="keys", version=3)
    run = sp.run("kv.put", **FAST)
    first = run.results[0]
    assert [result.key for result in run.results] == [
        "kv.put[backend=cpu,size=10]",
        "kv.put[backend=cpu,size=100]",
    ]
    assert (first.status, first.benchmark_version, first.params) == ("ok", 3, {"size": 10})
    latency, throughput = first.metrics["latency"], first.metrics["throughput"]
    assert (latency.unit, latency.better, latency.primary) == ("ns", "lower", True)
    assert (throughput.unit, throughput.better, throughput.primary) == ("keys/s", "higher", False)
    (series,) = first.series
    samples = series.columns["latency"]
    assert latency.summary is not None
    assert latency.summary.count == len(samples)
    rate = throughput.statistic("mean")
    assert rate is not None
    assert rate.value == pytest.approx(10 * len(samples) * 1e9 / samples.sum())
    assert series.system is not None
    assert "steal_percent" in first.environment
    assert first.environment["reference"]["integer_ns"] > 0
    assert first.stopped_because == "max_duration"
    assert run.systems[series.system].clock is not None


def test_what_falls_short_of_the_standard_is_listed() -> None:
    sp.benchmark("slow")(lambda: lambda: sum(range(200_000)))
    (result,) = sp.run("slow", **FAST).results
    assert any(line.startswith("iterations: ") for line in result.below_standard)
    assert any(line.startswith("warm-up: ") for line in result.below_standard)


def test_targets_are_judged_where_they_apply() -> None:
    targets = [
        sp.Target("latency.p50", ">", 1, "s", where={"size": 10}),
        sp.Target("throughput", ">", 1e15, "iterations/s"),
    ]
    declare(target=targets)
    small, large = sp.run("kv.put", **FAST).results
    verdicts = [
        (metric.target.verdict if metric.target else None)
        for result in (small, large)
        for metric in result.metrics.values()
    ]
    # A busy machine can correlate so few samples until no interval is left.
    judged = {"missed", "inconclusive"}
    assert {verdicts[0], verdicts[1], verdicts[3]} <= judged
    assert verdicts[2] == "not-measured"
    assert large.metrics["latency"].target is not None
    assert large.metrics["latency"].target.why == "the claim speaks of size 10; this is 100"


def test_a_benchmark_that_raises_fails_alone() -> None:
    def broken() -> Callable[[], None]:
        raise RuntimeError("no such luck")

    sp.benchmark("a.broken")(broken)
    sp.benchmark("b.exits")(lambda: raise_exit())
    sp.benchmark("c.good")(summing)
    broken_one, exits, good = sp.run(None, **FAST).results
    assert (broken_one.status, broken_one.metrics) == ("failed", {})
    assert broken_one.reason is not None
    assert broken_one.reason.startswith("RuntimeError: no such luck (test_running.py, line ")
    assert exits.status == "failed"
    assert good.status == "ok"


def raise_exit() -> None:
    raise SystemExit(3)


def test_an_operation_that_raises_fails_with_its_error() -> None:
    def raising() -> None:
        raise ValueError("inside")

    sp.benchmark("x")(lambda: raising)
    (result,) = sp.run("x", **FAST).results
    assert result.status == "failed"
    assert result.reason is not None
    assert "ValueError: inside" in result.reason


def test_wrong_outcomes_are_never_a_number() -> None:
    def wrong() -> int:
        raise sp.VerificationFailed("3 of 5 differ")

    sp.benchmark("x")(lambda: sp.Operation(lambda: None, verify=wrong))
    (result,) = sp.run("x", **FAST).results
    assert (result.status, result.metrics, result.series) == ("failed", {}, ())
    assert result.reason == "3 of 5 differ"
    assert result.verification is not None
    assert not result.verification.passed


def test_right_outcomes_are_counted() -> None:
    sp.benchmark("x")(lambda: sp.Operation(lambda: None, verify=lambda: 7))
    (result,) = sp.run("x", **FAST).results
    assert result.verification is not None
    assert (result.verification.checked, result.verification.passed) == (7, True)


def test_a_missing_prerequisite_skips() -> None:
    def needy() -> None:
        raise sp.PrerequisiteMissing("needs /dev/swarm_guard: sudo modprobe swarm_guard")

    sp.benchmark("x")(needy)
    (result,) = sp.run("x", **FAST).results
    assert (result.status, result.reason) == (
        "skipped",
        "needs /dev/swarm_guard: sudo modprobe swarm_guard",
    )


def test_the_listener_hears_everything_in_order(tmp_path: Path) -> None:
    heard: list[str] = []

    class Ear(Listener):
        def planned(self, plan: Plan) -> None:
            heard.append(f"planned {len(plan.cases)}")

        def case_started(self, index: int, case: Case) -> None:
            heard.append(f"started {index}")

        def case_finished(self, index: int, case: Case, result: Any) -> None:
            heard.append(f"finished {index} {result.status}")

        def saved(self, path: Path) -> None:
            heard.append(f"saved {path.parent.name}")

    declare()
    sp.run("kv.put", output=tmp_path / "results", listener=Ear(), **FAST)
    assert heard == [
        "planned 2",
        "started 0",
        "finished 0 ok",
        "started 1",
        "finished 1 ok",
        "saved results",
    ]


@pytest.mark.parametrize("of_processes", [False, True])
def test_a_run_on_a_slower_machine_than_the_latest_is_warned_of(
    tmp_path: Path, of_processes: bool
) -> None:
    declare()
    first = sp.run("kv.put", **FAST, output=tmp_path)
    path = tmp_path / "latest.json"
    tree = json.loads(path.read_bytes())
    for result in tree["results"]:
        result["environment"]["reference"]["integer_ns"] /= 3
        if of_processes:
            result["processes"] = [{"environment": result["environment"]}]
            result["environment"] = {}
    path.unlink()
    path.write_text(json.dumps(tree), "utf-8")
    second = sp.run("kv.put", **FAST, output=tmp_path)
    for result in second.results:
        assert any("slower" in line and "earlier runs" in line for line in result.warnings)
    assert not any("earlier runs" in line for result in first.results for line in result.warnings)


@pytest.mark.parametrize(
    "content", ['{"schema": "stratoperf.run/1", "results": 5}', '{"schema": "stratoperf.run/1", ']
)
def test_a_broken_latest_run_says_nothing_of_the_machine(tmp_path: Path, content: str) -> None:
    declare()
    (tmp_path / "latest.json").write_text(content, "utf-8")
    run = sp.run("kv.put", **FAST, output=tmp_path)
    assert [result.status for result in run.results] == ["ok", "ok"]
    assert not any("earlier runs" in line for result in run.results for line in result.warnings)
