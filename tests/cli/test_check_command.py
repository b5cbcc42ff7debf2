"""The gate on stored runs: exit codes and what CI systems read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from wording import mentions, says

Command = Callable[..., Any]
Write = Callable[..., Path]

BASELINE = "results/baseline.json"
LATEST = "results/latest.json"
SLOWER = 2.0
"""Beyond the widest known drift, so that one run a side decides."""


def test_a_check_without_a_baseline_names_the_command_that_makes_one(
    stratoperf: Command, write_run: Write
) -> None:
    ending = stratoperf("check")
    assert ending.code == 2
    assert "stratoperf run --ci && cp results/latest.json results/baseline.json" in ending.err
    write_run(LATEST, 1000.0)
    assert ": cp results/latest.json results/baseline.json" in stratoperf("check").err


def test_a_check_without_a_latest_run_says_how_to_measure(
    stratoperf: Command, write_run: Write
) -> None:
    write_run(BASELINE, 1000.0)
    ending = stratoperf("check")
    assert ending.code == 2
    assert mentions(ending.err, "results/latest.json")
    assert "stratoperf run" in ending.err


def test_a_regression_ends_with_1(stratoperf: Command, write_run: Write) -> None:
    write_run(BASELINE, 1000.0, 1000.0)
    write_run(LATEST, 1000.0 * SLOWER, 1000.0)
    ending = stratoperf("check")
    assert ending.code == 1
    assert "check: failed (1 slower, 1 inconclusive)" in ending.out
    row = next(line for line in ending.out.splitlines() if line.startswith("kv.0"))
    assert "lies above 1.05" in row


def test_an_inconclusive_check_passes_with_a_warning_unless_told_otherwise(
    stratoperf: Command, write_run: Write
) -> None:
    write_run(BASELINE, 1000.0)
    write_run(LATEST, 1100.0)
    lenient = stratoperf("check")
    assert lenient.code == 0
    assert mentions(lenient.out, "warning", "results")
    strict = stratoperf("check", "--inconclusive", "fail")
    assert strict.code == 4
    assert "check: inconclusive" in strict.out


def test_a_baseline_that_is_the_latest_run_passes_with_a_loud_warning_and_no_verdict(
    stratoperf: Command, write_run: Write
) -> None:
    path = write_run(LATEST, 1000.0)
    (path.parent / "baseline.json").write_bytes(path.read_bytes())
    ending = stratoperf("check", "--annotations")
    assert ending.code == 0
    assert "warning: THE SAME RUN ON BOTH SIDES" in ending.out
    assert mentions(ending.out, "::warning", "title=the same run")
    assert "check: inconclusive" in ending.out
    assert stratoperf("check", "--inconclusive", "fail").code == 4


def test_a_threshold_is_in_percent(stratoperf: Command, write_run: Write) -> None:
    write_run(BASELINE, 1000.0)
    write_run(LATEST, 1000.0 * SLOWER)
    assert stratoperf("check", "--threshold", "20").code == 1
    assert stratoperf("check", "--threshold", "400%", "--inconclusive", "fail").code == 0


def test_several_runs_a_side_are_given_by_repeating_the_option(
    stratoperf: Command, write_run: Write
) -> None:
    sides: list[str] = []
    for number in range(8):
        for side, value in (("baseline", 1000.0), ("current", 1000.0)):
            path = write_run(f"{side}{number}.json", value * (1 + 0.001 * (number % 3)))
            sides += [f"--{side}", str(path)]
    ending = stratoperf("check", *sides, "--inconclusive", "fail", "--json")
    metric = json.loads(ending.out)["metrics"][0]
    assert (metric["baseline_processes"], metric["current_processes"]) == (8, 8)
    assert (ending.code, metric["verdict"]) == (0, "same")


def failed(reason: str) -> dict[str, Any]:
    return {"status": "failed", "reason": reason, "metrics": {}, "series": []}


@pytest.mark.parametrize(("side", "code"), [("current", 1), ("baseline", 0)])
def test_a_failure_fails_the_check_on_the_current_side_alone(
    stratoperf: Command, write_run: Write, side: str, code: int
) -> None:
    for name in (BASELINE, LATEST):
        path = write_run(name, 1000.0, 1000.0)
        if (name == LATEST) == (side == "current"):
            document = json.loads(path.read_text())
            document["results"][1].update(failed("boom"))
            path.write_text(json.dumps(document))
    ending = stratoperf("check")
    assert ending.code == code
    assert f"{side} failed: boom" in ending.out
    assert stratoperf("check", "--inconclusive", "fail").code == (1 if code else 4)


def test_a_failure_in_one_of_several_runs_is_not_overlooked(
    stratoperf: Command, write_run: Write
) -> None:
    write_run(BASELINE, 1000.0)
    write_run("a.json", 1000.0)
    path = write_run("b.json", 1000.0)
    document = json.loads(path.read_text())
    document["results"][0].update(failed("wrong outcome"))
    path.write_text(json.dumps(document))
    ending = stratoperf("check", "--current", "a.json", "--current", "b.json")
    assert ending.code == 1
    assert "wrong outcome (in 1 of 2 runs)" in ending.out


def test_runs_with_nothing_in_common_cannot_be_checked(
    stratoperf: Command, write_run: Write
) -> None:
    write_run(BASELINE, 1000.0)
    write_run(LATEST)
    ending = stratoperf("check")
    assert ending.code == 2
    assert mentions(ending.err, "kv.0[backend=cpu,size=64]", "baseline")


def test_another_machine_is_a_loud_warning(stratoperf: Command, write_run: Write) -> None:
    write_run(BASELINE, 1000.0)
    write_run(LATEST, 1000.0, changes={"systems": {"other": {"cpu": {"model": "newer"}}}})
    ending = stratoperf("check", "--annotations")
    assert ending.out.startswith("warning: ANOTHER MACHINE: the baseline was taken on any")
    assert "::warning title=another machine::ANOTHER MACHINE" in ending.out


def test_thresholds_of_a_file_are_by_benchmark(stratoperf: Command, write_run: Write) -> None:
    write_run(BASELINE, 1000.0, 1000.0)
    write_run(LATEST, 1000.0 * SLOWER, 1000.0 * SLOWER)
    Path("limits.toml").write_text('default = 400\n[benchmarks]\n"kv.1" = 10\n')
    ending = stratoperf("check", "--thresholds", "limits.toml", "--json")
    metrics = json.loads(ending.out)["metrics"]
    found = {metric["benchmark"]: (metric["threshold"], metric["verdict"]) for metric in metrics}
    assert found == {"kv.0": (4.0, "same"), "kv.1": (0.1, "slower")}
    # What is typed comes before the default of the file.
    assert stratoperf("check", "--thresholds", "limits.toml", "--threshold", "20").code == 1


def test_thresholds_may_name_benchmarks_of_the_suite_that_were_not_measured(
    stratoperf: Command, write_run: Write
) -> None:
    write_run(BASELINE, 1000.0)
    write_run(LATEST, 1000.0)
    Path("limits.toml").write_text('[benchmarks]\n"consensus.round" = 10\n')
    assert stratoperf("check", "--thresholds", "limits.toml").code == 0


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('[benchmarks]\n"kv.O" = 10\n', "did you mean 'kv.0'"),
        ('[benchmarks]\n"sv.*" = 10\n', says("'sv.*'", "benchmark")),
        ("default = -5\n", says("default:", "-5", "above 0")),
        ("default = \n", "is not TOML"),
    ],
)
def test_a_wrong_thresholds_file_is_wrong_usage(
    stratoperf: Command, write_run: Write, text: str, message: str
) -> None:
    write_run(BASELINE, 1000.0)
    write_run(LATEST, 1000.0)
    Path("limits.toml").write_text(text)
    ending = stratoperf("check", "--thresholds", "limits.toml")
    assert ending.code == 2
    assert "limits.toml" in ending.err
    assert re.search(message, ending.err)


def test_json_has_the_comparison_the_decision_and_the_exit_code(
    stratoperf: Command, write_run: Write
) -> None:
    write_run(BASELINE, 1000.0)
    write_run(LATEST, 1000.0 * SLOWER)
    ending = stratoperf("check", "--json", "--annotations")
    document = json.loads(ending.out)
    assert document["schema"] == "stratoperf.comparison/1"
    assert document["exit_code"] == ending.code == 1
    assert document["decision"]["outcome"] == "failed"
    assert document["decision"]["slower"][0]["key"] == "kv.0[backend=cpu,size=64]"
    assert document["metrics"][0]["ratio"]["value"] == pytest.approx(SLOWER)
    assert "::error" in ending.err


def test_the_files_for_ci_are_written_with_their_folder(
    stratoperf: Command, write_run: Write
) -> None:
    write_run(BASELINE, 1000.0)
    write_run(LATEST, 1000.0 * SLOWER)
    stratoperf("check", "--markdown", "ci/summary.md", "--junit", "ci/gate.xml")
    assert "❌ failed (1 slower)" in Path("ci/summary.md").read_text()
    (suite,) = ElementTree.parse("ci/gate.xml").getroot()
    assert suite.attrib["failures"] == "1"


def test_a_file_that_cannot_be_written_is_found_before_anything_is_measured(
    stratoperf: Command, write_run: Write
) -> None:
    write_run("file", 1000.0)
    ending = stratoperf("check", "--junit", "file/gate.xml", "--live", "sleep 60", "sleep 60")
    assert ending.code == 2
    assert mentions(ending.err, "--junit", "'file'")


def test_in_github_actions_annotations_and_the_summary_of_the_step_come_by_themselves(
    stratoperf: Command, write_run: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = tmp_path / "step.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    write_run(BASELINE, 1000.0)
    write_run(LATEST, 1000.0 * SLOWER)
    ending = stratoperf("check", "--markdown", str(summary))
    assert "::error title=performance check::failed" in ending.out
    text = summary.read_text()
    assert text.startswith("before\n### Performance check")
    assert text.count("### Performance check") == 1
    # A comparison is no gate: it marks nothing unless it is told to.
    compared = stratoperf("compare", BASELINE, LATEST)
    assert "::" not in compared.out
    assert summary.read_text() == text
