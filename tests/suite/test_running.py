"""Running a plan: results, failures, files."""

from __future__ import annotations

import json
import resource
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.suite import Case, Listener, Plan, Registry

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


def test_without_output_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    declare()
    sp.run("kv.put", **FAST)
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_saved_under_its_selection_and_as_the_latest(tmp_path: Path) -> None:
    declare()
    output = tmp_path / "new" / "results"
    run = sp.run("kv.*", output=output, **FAST)
    assert run.path is not None
    assert run.path.name.startswith("kv.all_20")
    assert {file.name for file in output.iterdir()} == {run.path.name, "latest.json"}
    assert sp.load(output / "latest.json").id == run.id
    again = sp.run("kv.*", output=output, **FAST)
    assert again.path != run.path
    assert sp.load(output / "latest.json").id == again.id


def test_the_latest_run_finds_its_long_series(tmp_path: Path) -> None:
    sp.benchmark("x")(lambda: lambda: None)
    run = sp.run("x", preset="ci", warmup_s=0, iterations=20_000, duration_s=0.4, output=tmp_path)
    latest = sp.load(tmp_path / "latest.json")
    column = latest.results[0].series[0].columns["latency"]
    assert len(column) > 10_000
    assert run.path is not None
    assert run.path.with_suffix(".npz").exists()


def test_an_output_that_is_a_file_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    sp.benchmark("x")(lambda: pytest.fail("it was measured"))
    with pytest.raises(sp.InvalidParameter, match=r"output: cannot write to .*file"):
        sp.run("x", output=tmp_path / "file", **FAST)


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], None]]:
    """Stand in for a full disk: no file can grow above a limit."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    signal.signal(signal.SIGXFSZ, handler)


def test_a_disk_that_fills_up_loses_only_the_result_in_progress(
    tmp_path: Path, small_disk: Callable[[int], None]
) -> None:
    def fills(step: int) -> Callable[[], None]:
        if step == 2:
            small_disk(lines().stat().st_size + 100)
        return lambda: None

    def lines() -> Path:
        return next(tmp_path.glob("*.journal/results.jsonl"))

    sp.benchmark("x", params={"step": [1, 2]})(fills)
    with pytest.raises(sp.StratoperfError, match=r"cannot write .*results\.jsonl") as caught:
        sp.run("x", output=tmp_path, **FAST)
    journal = lines().parent
    assert f"--resume {journal}" in str(caught.value)
    assert [result.params for result in sp.load(journal).results] == [{"step": 1}]


def test_a_run_whose_file_could_not_be_written_is_resumed(
    tmp_path: Path, small_disk: Callable[[int], None]
) -> None:
    class FullAtTheEnd(Listener):
        def case_finished(self, index: int, case: Case, result: Any) -> None:
            small_disk(100)

    def restore() -> None:
        soft = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, soft))

    sp.benchmark("x")(summing)
    with pytest.raises(sp.StratoperfError, match="cannot write"):
        sp.run("x", output=tmp_path, listener=FullAtTheEnd(), **FAST)
    restore()
    (journal,) = tmp_path.glob("*.journal")
    run = sp.run(resume=journal)
    assert [result.status for result in run.results] == ["ok"]
    assert not journal.exists()
    assert sp.load(tmp_path / "latest.json").id == run.id


class TestResuming:
    @pytest.fixture
    def journal(self, tmp_path: Path) -> Path:
        """Leave the journal of a run that crashed in its second case."""

        class Crash(Listener):
            def case_started(self, index: int, case: Case) -> None:
                if index == 1:
                    raise RuntimeError("crash")

        declare()
        with pytest.raises(RuntimeError, match="crash"):
            sp.run("kv.put", output=tmp_path, listener=Crash(), **FAST)
        (journal,) = tmp_path.glob("*.journal")
        return journal

    def test_only_open_cases_are_measured(self, journal: Path) -> None:
        before = sp.load(journal)
        started: list[int] = []

        class Ear(Listener):
            def case_started(self, index: int, case: Case) -> None:
                started.append(index)

        run = sp.run(resume=journal, listener=Ear())
        assert started == [1]
        assert [result.status for result in run.results] == ["ok", "ok"]
        assert run.id == before.id
        assert run.results[0].metrics == before.results[0].metrics
        # Two processes took part, and the file says so.
        assert len({result.series[0].process for result in run.results}) == 2

    def test_other_parameters_are_refused(self, journal: Path) -> None:
        with pytest.raises(sp.InvalidParameter, match="no other parameter"):
            sp.run("kv.put", resume=journal)
        with pytest.raises(sp.InvalidParameter, match="no other parameter"):
            sp.run(resume=journal, iterations=5)

    def test_a_benchmark_that_changed_is_refused(self, journal: Path, benchmarks: Registry) -> None:
        benchmarks.remove("kv.put")
        declare(version=2)
        with pytest.raises(sp.InvalidParameter, match=r"version 1 .* now at 2"):
            sp.run(resume=journal)
        benchmarks.remove("kv.put")
        sp.benchmark("kv.put", params={"size": [10]})(summing)
        with pytest.raises(sp.InvalidParameter, match=r"size=100\] differs"):
            sp.run(resume=journal)
        assert journal.exists()

    def test_a_run_file_without_a_plan_is_refused(self, journal: Path) -> None:
        run = sp.run(resume=journal)
        assert run.path is not None
        tree = json.loads(run.path.read_text())
        del tree["plan"]
        run.path.write_text(json.dumps(tree))
        with pytest.raises(sp.InvalidParameter, match="what was planned"):
            sp.run(resume=run.path)

    def test_what_is_no_run_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(sp.SchemaError, match=r"no\.json"):
            sp.run(resume=tmp_path / "no.json")

    def test_a_copied_journal_goes_on_elsewhere(self, journal: Path, tmp_path: Path) -> None:
        moved = tmp_path / "other" / journal.name
        shutil.copytree(journal, moved)
        run = sp.run(resume=moved)
        assert run.path == moved.with_suffix(".json")
