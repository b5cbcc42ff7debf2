"""The fixture that measures in tests, as pytest finds it in an environment with stratoperf."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

import stratoperf as sp
from wording import mentions

SOURCE = """
import asyncio
import pytest

def test_sum(stratoperf):
    assert stratoperf(sum, [1, 2, 3]) == 6

@pytest.mark.parametrize("size", [10, 20])
@pytest.mark.stratoperf(max_time=0.05, min_rounds=10, warmup=0.01)
def test_sorted(stratoperf, size):
    stratoperf.extra_info["size"] = size
    assert stratoperf(sorted, range(size), reverse=True)[-1] == 0

async def wait():
    await asyncio.sleep(0)

def test_wait(stratoperf):
    stratoperf(wait)

def test_rounds(stratoperf):
    assert stratoperf.pedantic(max, ([3, 4],), rounds=7, iterations=5, warmup_rounds=2) == 4

def test_other():
    pass
"""


def run_pytest(folder: Path, source: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    (folder / "test_kv.py").write_text(textwrap.dedent(source))
    return subprocess.run(
        [
            *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"),
            "--stratoperf-max-time",
            "0.05",
            *arguments,
        ],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=110,
    )


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=["one process", "two workers"])
def test_what_tests_measure_is_shown_and_kept_in_a_run_file(
    tmp_path: Path, workers: tuple[str, ...]
) -> None:
    ended = run_pytest(tmp_path, SOURCE, "--stratoperf-output", "run.json", *workers)
    assert ended.returncode == 0, ended.stdout
    run = sp.load(tmp_path / "run.json")
    results = {result.benchmark: result for result in run.results}
    assert sorted(results) == [
        "test_kv.py::test_rounds",
        "test_kv.py::test_sorted.10",
        "test_kv.py::test_sorted.20",
        "test_kv.py::test_sum",
        "test_kv.py::test_wait",
    ]
    for name, result in results.items():
        assert result.status == "ok"
        assert f"{name}: p50 " in ended.stdout
    assert results["test_kv.py::test_sorted.20"].details["size"] == 20
    assert results["test_kv.py::test_wait"].details["event_loop_ns"] > 0
    rounds = results["test_kv.py::test_rounds"].series[0]
    assert (rounds.batch, len(rounds.columns["latency"])) == (5, 7)
    assert len(run.systems) == 1
    # Two such files can be compared.
    assert len(sp.compare(run, run).metrics) == len(results)


@pytest.mark.parametrize(
    ("option", "counts"),
    [
        ("--stratoperf-only", "5 passed, 1 deselected"),
        ("--stratoperf-skip", "1 passed, 5 skipped"),
        ("--stratoperf-disable", "6 passed"),
    ],
)
def test_options_choose_what_is_measured(tmp_path: Path, option: str, counts: str) -> None:
    ended = run_pytest(tmp_path, SOURCE, option, "--stratoperf-output", "run.json")
    assert counts in ended.stdout
    assert (tmp_path / "run.json").exists() == (option == "--stratoperf-only")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("def test(stratoperf): stratoperf(lambda: 1 / 0)", ["ZeroDivisionError"]),
        (
            "def test(stratoperf):\n    stratoperf(sum, [])\n    stratoperf(sum, [])",
            ["measures twice", "once"],
        ),
        (
            "import pytest\n@pytest.mark.stratoperf(time=1)\ndef test(stratoperf): pass",
            ["time", "unknown", "max_time"],
        ),
        ("def test(stratoperf): stratoperf.pedantic(sum, ([],), rounds=0)", ["rounds", "0"]),
        ("def test(stratoperf): stratoperf(x for x in 'ab')", ["callable"]),
        ("def f(): yield\ndef test(stratoperf): stratoperf(f)", ["generator", "runs it"]),
    ],
    ids=["error", "twice", "mark", "rounds", "no callable", "generator"],
)
def test_a_test_that_cannot_be_measured_fails(tmp_path: Path, source: str, said: list[str]) -> None:
    ended = run_pytest(tmp_path, source, "--stratoperf-output", "run.json")
    assert ended.returncode == 1
    assert mentions(ended.stdout, *said)
    # Of two measurements the first is kept.
    assert (tmp_path / "run.json").exists() == ("twice" in said[0])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--stratoperf-output", "."], ["--stratoperf-output", "directory", "run.json"]),
        (["--stratoperf-output", "missing/run.json"], ["--stratoperf-output", "missing"]),
        (["--stratoperf-max-time=-1"], ["--stratoperf-max-time", "above 0", "-1.0"]),
        (["--stratoperf-max-time", "nan"], ["--stratoperf-max-time", "above 0", "nan"]),
    ],
)
def test_a_wrong_option_is_told_before_anything_runs(
    tmp_path: Path, arguments: list[str], said: list[str]
) -> None:
    ended = run_pytest(tmp_path, SOURCE, *arguments)
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert mentions(ended.stdout, *said)
    assert "Traceback" not in ended.stdout


def test_a_file_that_cannot_be_written_is_told_below_the_results(tmp_path: Path) -> None:
    source = "import os\ndef test(stratoperf): os.mkdir('run.json'); stratoperf(sum, [])"
    ended = run_pytest(tmp_path, source, "--stratoperf-output", "run.json")
    assert mentions(ended.stdout, "test_kv.py::test: p50", "not saved", "run.json")
    assert "Traceback" not in ended.stdout
    assert "INTERNALERROR" not in ended.stdout
