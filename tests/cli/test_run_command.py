from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.results import SCHEMA, Run
from wording import says

Command = Callable[..., Any]
SHORT = ("--duration", "20ms", "--warmup", "0", "--iterations", "100", "--processes", "1")


def declare(name: str, function: Callable[[], object], **options: Any) -> None:
    sp.benchmark(name, **options)(lambda: function)


def work() -> None:
    sum(range(50))


def broken() -> None:
    raise ValueError("boom")


def test_a_run_shows_a_table_saves_a_file_and_names_it(stratoperf: Command, tmp_path: Path) -> None:
    ending = stratoperf("run", "clock.overhead", *SHORT)
    assert ending.code == 0
    assert "clock.overhead" in ending.out
    saved = next(line for line in ending.out.splitlines() if line.startswith("saved:"))
    path = tmp_path / saved.removeprefix("saved: ")
    assert sp.load(path).results[0].status == "ok"
    assert (tmp_path / "results" / "latest.json").exists()
    assert "next:" in ending.out


def test_the_plan_comes_before_the_results_and_on_stderr(stratoperf: Command) -> None:
    ending = stratoperf("run", "clock.overhead", *SHORT)
    assert re.match("plan: 1 case.*, at most", ending.err)
    assert "on disk" in ending.err.splitlines()[0]
    assert "plan:" not in ending.out


def test_a_pipe_gets_no_escapes_and_one_line_per_case(stratoperf: Command) -> None:
    declare("demo.work", work)
    ending = stratoperf("run", "demo.work", "clock.overhead", *SHORT)
    assert "\x1b" not in ending.out + ending.err
    table = [line for line in ending.out.splitlines() if line.startswith(("demo.w", "clock.o"))]
    assert [line.split()[0] for line in table] == ["demo.work", "clock.overhead"]


def test_json_is_all_of_stdout(stratoperf: Command) -> None:
    ending = stratoperf("run", "clock.overhead", *SHORT, "--json")
    document = json.loads(ending.out)
    assert document["schema"] == "stratoperf.run/1"
    assert document["results"][0]["metrics"]["latency"]["summary"]["p50"]["value"] > 0
    assert Path(document["path"]).exists()
    assert isinstance(document["claims"], list)
    assert "clock.overhead" in ending.err


def test_a_failed_benchmark_ends_with_1_and_is_told(stratoperf: Command) -> None:
    declare("demo.broken", broken)
    declare("demo.work", work)
    ending = stratoperf("run", "demo.broken", "demo.work", *SHORT)
    assert ending.code == 1
    assert "failed: demo.broken" in ending.out
    assert "boom" in ending.out
    assert "demo.work" in ending.out


def judged(verdict: str, benchmark: str = "demo.work", **params: int) -> Run:
    """Return a run with one verdict, which real measurements on a busy machine cannot promise."""
    side = {"confidence": 0.95, "method": "order statistics"}
    estimate = {"value": 12_300.0, "low": 12_100.0, "high": 12_700.0, **side}
    target = {"statistic": "p50", "direction": "<", "value": 10.0, "unit": "us"}
    summary = {"count": 1000, "p50": estimate, "p95": estimate, "p99": estimate}
    latency = {"unit": "ns", "better": "lower", "primary": True, "summary": summary}
    result = {
        "key": f"{benchmark}[backend=cpu]",
        "benchmark": benchmark,
        "backend": "cpu",
        "params": params,
        "status": "ok",
        "metrics": {"latency": {**latency, "target": {**target, "verdict": verdict, "why": ""}}},
        "series": [],
    }
    return Run(
        {
            "schema": SCHEMA,
            "id": "demo",
            "created": "2026-01-01T00:00:00Z",
            "preset": "quick",
            "command": [],
            "stratoperf_version": sp.__version__,
            "systems": {},
            "results": [result],
        }
    )


@pytest.mark.parametrize("enforced", [True, False])
@pytest.mark.parametrize("verdict", ["met", "missed", "inconclusive", "not-measured"])
def test_only_a_missed_target_that_is_enforced_ends_with_1(
    stratoperf: Command, monkeypatch: pytest.MonkeyPatch, verdict: str, enforced: bool
) -> None:
    monkeypatch.setattr("stratoperf.running.run", lambda *_, **__: judged(verdict))
    ending = stratoperf("run", *(["--enforce-targets"] if enforced else []))
    assert ending.code == (1 if enforced and verdict == "missed" else 0)
    assert ("no claim" if verdict == "not-measured" else verdict) in ending.out


def test_a_claim_about_another_backend_stands_beside_the_value_here(
    stratoperf: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = judged("not-measured", "consensus.round", votes=10_000)
    monkeypatch.setattr("stratoperf.running.run", lambda *_, **__: run)
    claims = [line for line in stratoperf("run").out.splitlines() if line.startswith("claim:")]
    (claim,) = claims
    for words in ("< 100 µs", "published ~49 µs", "here 12.3 µs", "not measured", "cuda"):
        assert words in claim


@pytest.mark.usefixtures("without_cuda")
def test_skipped_cases_take_one_line_per_reason(stratoperf: Command) -> None:
    sp.benchmark("demo.both", params={"size": [1, 2, 3]}, backends=("cpu", "cuda"))(
        lambda size: work
    )
    sp.benchmark("demo.more", backends=("cpu", "cuda"))(lambda: work)
    ending = stratoperf("run", "demo.*", *SHORT)
    (skipped,) = [line for line in ending.out.splitlines() if line.startswith("skipped:")]
    assert "4 cases of demo.both and demo.more on cuda" in skipped
    path = ending.out.rpartition("saved: ")[2].splitlines()[0]
    run = sp.load(path)
    assert run._repr_html_().count(skipped.partition(": ")[2]) == 1, "a notebook says it once, too"


def test_parameters_select_values(stratoperf: Command) -> None:
    sp.benchmark("demo.size", params={"size": [1, 2, 3]})(lambda size: work)
    ending = stratoperf("run", "demo.size", "--param", "size=2,5", *SHORT, "--json")
    sizes = [result["params"]["size"] for result in json.loads(ending.out)["results"]]
    assert sizes == [2, 5]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("rnu",), 2, "did you mean 'run'?"),
        (("run", "clock.overheat"), 2, "did you mean 'clock.overhead'?"),
        (("run", "--backend", "cpuu"), 2, "did you mean 'cpu'?"),
        (("run", "--duration", "nan"), 2, "'nan'"),
        (("run", "--duration", "0"), 2, "leaves no time"),
        (("run", "--warmup", "5 apples"), 2, "'5 apples'"),
        (("run", "--iterations", "0"), 2, "0"),
        (("run", "--iterations", "many"), 2, "'many'"),
        (("run", "--param", "votes"), 2, "NAME=VALUE"),
        (("run", "demo.size", "--param", "sise=1"), 2, "did you mean 'size'?"),
        (("run", "demo.size", "--param", "size=x"), 2, "'size'"),
        (("run", "--quick", "--ci"), 2, "exclude each other"),
        (("run", "--all", "clock.overhead"), 2, "exclude each other"),
        (("run", "--resume", "nowhere.json"), 2, "nowhere.json"),
        (("run", "--resume", "/"), 2, "expected a run file or a journal"),
        (("run", "--resume", ""), 2, "expected a run file or a journal"),
        (("run", "clock.overhead", "--output", "/proc/nowhere"), 2, "output"),
        (("run", "--no-such-option"), 2, "--no-such-option"),
    ],
)
def test_wrong_usage_names_the_value_and_shows_no_traceback(
    stratoperf: Command, arguments: tuple[str, ...], code: int, words: str
) -> None:
    sp.benchmark("demo.size", params={"size": [1, 2, 3]})(lambda size: work)
    ending = stratoperf(*arguments)
    assert ending.code == code
    assert words in ending.err
    assert "Traceback" not in ending.err
    assert ending.out == ""


def test_a_backend_that_cannot_run_ends_with_3_and_the_reason(
    stratoperf: Command, without_cuda: str
) -> None:
    sp.benchmark("demo.both", backends=("cpu", "cuda"))(lambda: work)
    ending = stratoperf("run", "demo.both", "--backend", "cuda")
    assert ending.code == 3
    assert without_cuda in ending.err


def test_an_output_folder_that_is_a_file_is_wrong_usage(
    stratoperf: Command, tmp_path: Path
) -> None:
    (tmp_path / "taken").write_text("")
    ending = stratoperf("run", "clock.overhead", "--output", "taken", *SHORT)
    assert ending.code == 2
    assert "taken" in ending.err


def test_debugging_shows_the_traceback(
    stratoperf: Command, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("STRATOSWARM_BENCH_DEBUG", "1")
    with caplog.at_level("DEBUG"):
        assert stratoperf("run", "nothing.here").code == 2
    assert any(record.exc_info for record in caplog.records)


def test_a_profile_is_shown_and_kept(stratoperf: Command) -> None:
    ending = stratoperf("run", "clock.overhead", *SHORT, "--profile")
    assert ending.code == 0
    assert "profile of clock.overhead" in ending.out
    assert "per iteration: " in ending.out
    document = json.loads(Path("results/latest.json").read_text())
    assert document["results"][0]["profile"]["iterations"] > 0


@pytest.mark.parametrize("number", ["0", "-1", "501", "99999999999999999999"])
def test_a_number_of_processes_out_of_range_is_refused(stratoperf: Command, number: str) -> None:
    ending = stratoperf("run", "clock.overhead", *SHORT, "--processes", number)
    assert ending.code == 2
    assert re.search(rf"processes.*1.*500.*{number}", ending.err)
    assert not Path("results").exists()


@pytest.mark.parametrize("number", ["many", "1.5", ""])
def test_what_is_no_number_of_processes_is_refused(stratoperf: Command, number: str) -> None:
    ending = stratoperf("run", "clock.overhead", *SHORT, "--processes", number)
    assert ending.code == 2
    assert re.search(rf"--processes.*{number}.*integer", ending.err)


@pytest.fixture
def quiet_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let no process be measured again because something disturbed it."""

    def missing(parts: list[Any], most: int) -> bool:
        return len(parts) < most

    monkeypatch.setattr("stratoperf.running.case_progress.wants_another", missing)


@pytest.mark.usefixtures("quiet_machine")
def test_so_many_processes_measure_as_were_asked_for(stratoperf: Command) -> None:
    ending = stratoperf("run", "clock.overhead", *SHORT, "--processes", "2", "--json")
    assert ending.code == 0
    document = json.loads(ending.out)
    (result,) = document["results"]
    assert result["metrics"]["latency"]["summary"]["scope"] == "2 processes"
    assert len({series["process"] for series in result["series"]}) == 2
    assert len(result["processes"]) == 2
    assert isinstance(result["remarks"], list)
    assert "in 2 processes each" in ending.err


@pytest.mark.usefixtures("quiet_machine")
def test_a_single_process_says_that_its_numbers_are_of_this_process(stratoperf: Command) -> None:
    ending = stratoperf("run", "clock.overhead", *SHORT)
    assert ending.code == 0
    (row,) = [line for line in ending.out.splitlines() if line.startswith("clock.overhead ")]
    assert "this process" in row
    assert "p50" in ending.err
    assert "this process" in ending.err


def test_processes_are_not_changed_when_a_run_goes_on(stratoperf: Command) -> None:
    ending = stratoperf("run", "--resume", "any.json", "--processes", "3")
    assert ending.code == 2
    assert re.search(says("resume:", "leave out"), ending.err)
