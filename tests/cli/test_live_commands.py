"""Both sides run now: two commands, two environments, two sets of parameters."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from wording import mentions

Command = Callable[..., Any]
Start = Callable[..., "subprocess.Popen[str]"]

PATIENT = "8s"
"""Budget of a comparison that is decided in a second or two, where the machine is not very busy."""

BENCHMARKS = """
import stratoperf as sp

@sp.benchmark("demo.sum", params={"size": [2000, 4000]})
def summing(size):
    numbers = list(range(size))
    return lambda: sum(numbers)

@sp.benchmark("demo.fragile", params={"broken": [False, True]})
def fragile(broken):
    def work():
        if broken:
            raise ValueError("boom")
    return work

@sp.benchmark("demo.idle")
def idle():
    return int
"""


@pytest.fixture
def module(tmp_path: Path) -> str:
    """Return a file with benchmarks."""
    (tmp_path / "demo.py").write_text(BENCHMARKS)
    return "demo.py"


def saved(out: str) -> sp.Run:
    """Return the run that a command says it saved."""
    line = next(line for line in out.splitlines() if line.startswith("saved: "))
    return sp.load(line.removeprefix("saved: "))


def test_a_slower_command_fails_the_check_and_its_samples_are_kept(stratoperf: Command) -> None:
    ending = stratoperf("check", "--live", "sleep 0.01", "sleep 0.05", "--seed", "1")
    assert ending.code == 1
    assert "check: failed (1 slower)" in ending.out
    assert mentions(ending.err.partition("\n")[0], "plan:", "1 result", "60 s")
    assert "slower, current / baseline" in ending.err
    run = saved(ending.out)
    assert run.document["live"]["settings"]["seed"] == 1
    (result,) = run.results
    assert {series.arm for series in result.series} == {"baseline", "current"}


def test_a_comparison_of_commands_is_no_gate(stratoperf: Command) -> None:
    ending = stratoperf("compare", "--live", "sleep 0.01", "sleep 0.05", "--json")
    document = json.loads(ending.out)
    assert (ending.code, document["exit_code"], document["verdict"]) == (0, 0, "slower")
    assert document["mode"] == "live"
    assert Path(document["run_path"]).exists()


def test_commands_that_end_at_once_are_compared(stratoperf: Command) -> None:
    arguments = ("check", "--live", "true", "true", "--duration", "3s", "--threshold", "900")
    ending = stratoperf(*arguments, "--output", "here")
    assert ending.code == 0
    assert saved(ending.out).path is not None
    assert list(Path("here").glob("live_*.json"))
    assert not Path("results").exists()


@pytest.mark.parametrize(
    ("current", "message"),
    [
        ("false", "ended with status 1"),
        ("sh -c 'echo why >&2; exit 7'", "why"),
        ("sleep 60.5", "did not end within 0.5 s"),
        ("sh -c 'kill -9 $$'", "signal SIGKILL"),
    ],
)
def test_a_command_that_fails_fails_the_check(
    stratoperf: Command, current: str, message: str
) -> None:
    ending = stratoperf(
        *("check", "--live", "true", current, "--timeout", "500ms", "--junit", "gate.xml")
    )
    assert ending.code == 1
    assert "check: failed (nothing was compared, 1 failed)" in ending.out
    assert message in ending.out
    assert 'errors="1"' in Path("gate.xml").read_text()
    assert saved(ending.out).results[0].status == "failed"


def test_a_check_that_could_compare_nothing_for_the_baseline_fails_too(
    stratoperf: Command,
) -> None:
    ending = stratoperf("check", "--live", "false", "true")
    assert ending.code == 1
    assert mentions(ending.out, "1 failed", "baseline")
    assert stratoperf("compare", "--live", "false", "true").code == 1


def test_a_program_that_does_not_exist_is_wrong_usage(stratoperf: Command) -> None:
    ending = stratoperf("check", "--live", "true", "no-such-program --fast")
    assert ending.code == 2
    assert mentions(ending.err, "current", "--fast")


def test_a_threshold_for_commands_is_named_command(stratoperf: Command) -> None:
    Path("limits.toml").write_text('[benchmarks]\n"command" = 900\n')
    arguments = ("check", "--live", "sleep 0.01", "sleep 0.05", "--thresholds", "limits.toml")
    assert stratoperf(*arguments).code == 0
    Path("limits.toml").write_text('[benchmarks]\n"comand" = 900\n')
    ending = stratoperf(*arguments)
    assert ending.code == 2
    assert "did you mean 'command'" in ending.err


@pytest.mark.parametrize("line", ["./t < a", "A=1 ./t", "./t; ./u", './t "$HOME"', "./t *.txt"])
@pytest.mark.parametrize("command", ["check", "compare"])
def test_syntax_that_only_a_shell_understands_is_wrong_usage(
    stratoperf: Command, command: str, line: str
) -> None:
    for sides, name in (((line, "true"), "baseline"), (("true", line), "current")):
        ending = stratoperf(command, "--live", *sides)
        assert ending.code == 2
        assert f"{name}: the command {line!r}" in ending.err
        assert "--shell" in ending.err
        assert not Path("results").exists()


def test_a_shell_runs_whole_lines_and_its_cost_is_shown(stratoperf: Command) -> None:
    ending = stratoperf(
        *("check", "--live", "--shell", "sleep 0.01 | cat", "sleep 0.05; true", "--duration", "30s")
    )
    assert ending.code == 1
    assert mentions(ending.out, "/bin/sh", "command")
    (result,) = saved(ending.out).results
    assert result.params["baseline"] == "/bin/sh -c 'sleep 0.01 | cat'"


def test_a_file_is_the_standard_input_of_both(stratoperf: Command) -> None:
    Path("words").write_text("some words")
    sides = ("grep -q words", "grep -q some")
    arguments = ("check", "--live", *sides, "--duration", "1s", "--threshold", "900")
    ending = stratoperf(*arguments, "--input", "words")
    assert ending.code == 0
    assert "baseline: grep -q words < words" in ending.out
    ending = stratoperf(*arguments, "--input", "none")
    assert ending.code == 2
    assert "input: cannot read 'none'" in ending.err
    assert "plan:" not in ending.err


def test_commands_beside_the_comparison_run_untimed_and_are_recorded(stratoperf: Command) -> None:
    ending = stratoperf(
        *("check", "--live", "true", "true", "--duration", "1s", "--threshold", "900"),
        *("--setup", "echo s >> log", "--prepare", "echo p >> log", "--cleanup", "echo c >> log"),
    )
    assert ending.code == 0
    first, *runs, last = Path("log").read_text().split()
    assert (first, set(runs), last) == ("s", {"p"}, "c")
    settings = saved(ending.out).document["live"]["settings"]
    assert [settings[name] for name in ("setup", "prepare", "cleanup")] == [
        f"echo {letter} >> log" for letter in "spc"
    ]


@pytest.mark.parametrize("command", ["check", "compare"])
def test_a_cleanup_that_fails_shows_the_comparison_and_fails(
    stratoperf: Command, command: str
) -> None:
    ending = stratoperf(
        *(command, "--live", "true", "true", "--duration", "1s", "--json"),
        *("--cleanup", "echo full >&2; exit 3"),
    )
    assert ending.code == 1
    document = json.loads(ending.out)
    assert document["exit_code"] == 1
    assert document["metrics"][0]["ratio"] is not None
    assert mentions(ending.err, "error", "cleanup")
    assert "full" in ending.err


@pytest.mark.parametrize("option", ["--shell", "--input=f", "--setup=a", "--prepare=a"])
def test_what_is_for_commands_is_wrong_usage_elsewhere(stratoperf: Command, option: str) -> None:
    name = option.partition("=")[0]
    ending = stratoperf("check", "--live", "--baseline-env", "a", "--current-env", "b", option)
    assert ending.code == 2
    assert mentions(ending.err, name, "leave it out")
    ending = stratoperf("compare", "a", "b", option)
    assert ending.code == 2
    assert mentions(ending.err, name, "--live")


def test_a_command_that_outlasts_the_budget_is_ended_and_leaves_no_verdict(
    stratoperf: Command,
) -> None:
    mark = "31.70513"
    begin = time.monotonic()
    ending = stratoperf("check", "--live", "true", f"sleep {mark}", "--duration", "1s")
    assert time.monotonic() - begin < 20
    assert ending.code == 0
    assert "check: inconclusive (1 inconclusive)" in ending.out
    assert mentions(ending.out, "1 s", "budget")
    assert mentions(ending.out, "current", "side")
    assert processes_with(mark) == []
    assert saved(ending.out).results[0].status == "skipped"


@pytest.mark.parametrize("part", ["setup", "work", "teardown"])
def test_a_benchmark_that_outlasts_the_budget_is_ended_and_tears_down(
    stratoperf: Command, tmp_path: Path, part: str
) -> None:
    (tmp_path / "slow.py").write_text(
        "import pathlib, time, uuid\nimport stratoperf as sp\n"
        "@sp.benchmark('demo.slow', params={'part': ['']})\n"
        "def slow(part):\n"
        "    scratch = pathlib.Path(__file__).with_name(f'scratch-{uuid.uuid4().hex}')\n"
        "    scratch.touch()\n"
        "    try:\n"
        "        time.sleep(100 if part == 'setup' else 0)\n"
        "        yield lambda: time.sleep(100 if part == 'work' else 0)\n"
        "        time.sleep(2 if part == 'teardown' else 0)\n"
        "    finally:\n"
        "        scratch.unlink()\n"
    )
    begin = time.monotonic()
    ending = stratoperf(
        *("check", "--live", "demo.slow", "--module", "slow.py", "--duration", "1500ms"),
        *("--baseline-env", sys.executable, "--current-env", sys.executable),
        *("--param", f"part={part}"),
    )
    assert time.monotonic() - begin < 40
    assert ending.code == 0
    assert mentions(ending.out, "1.5 s", "budget")
    assert list(tmp_path.glob("scratch-*")) == []


def test_two_identical_environments_pass(stratoperf: Command, module: str) -> None:
    ending = stratoperf(
        *("check", "--live", "demo.sum", "--param", "size=2000", "--module", module),
        *("--baseline-env", sys.executable, "--current-env", sys.executable),
        *("--duration", PATIENT, "--threshold", "30", "--json"),
    )
    assert ending.code == 0
    document = json.loads(ending.out)
    (metric,) = document["metrics"]
    assert metric["pairs"] >= 1
    assert metric["params"] == {"size": 2000}
    assert document["baseline"] == f"{sys.executable} (size=2000)"


def test_twice_the_work_fails_the_check(stratoperf: Command, module: str) -> None:
    ending = stratoperf(
        *("check", "--live", "demo.sum", "--module", module, "--confidence", "95"),
        *("--baseline-param", "size=2000", "--current-param", "size=4000"),
    )
    assert ending.code == 1
    assert "size=2000→4000" in ending.out
    assert "check: failed (1 slower)" in ending.out


def test_a_benchmark_that_fails_on_the_current_side_fails_the_check_beside_others(
    stratoperf: Command, module: str
) -> None:
    words = ("check", "--live", "demo.fragile", "demo.idle", "--module", module)
    for side, other, code in (("current", "baseline", 1), ("baseline", "current", 0)):
        ending = stratoperf(
            *(*words, f"--{side}-param", "broken=true", f"--{other}-param", "broken=false"),
            *("--duration", PATIENT, "--threshold", "500"),
        )
        assert ending.code == code
        assert f"{side} failed: ValueError: boom" in ending.out
        assert "demo.idle" in ending.out


def test_thresholds_may_name_what_the_environments_know_though_it_was_not_selected(
    stratoperf: Command, module: str
) -> None:
    words = (
        *("check", "--live", "demo.idle", "--module", module, "--thresholds", "limits.toml"),
        *("--baseline-env", sys.executable, "--current-env", sys.executable, "--duration", "1s"),
    )
    Path("limits.toml").write_text('default = 500\n[benchmarks]\n"demo.sum" = 10\n')
    assert stratoperf(*words).code == 0
    Path("limits.toml").write_text('[benchmarks]\n"demo.summ" = 10\n')
    ending = stratoperf(*words)
    assert ending.code == 2
    assert "did you mean 'demo.sum'" in ending.err
    assert "plan:" not in ending.err, "the time must not be spent first"


def test_a_virtual_environment_without_stratoperf_misses_a_prerequisite(
    stratoperf: Command, tmp_path: Path
) -> None:
    python = tmp_path / "old" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -I -S "$@"\n')
    python.chmod(0o755)
    ending = stratoperf("check", "--live", "--baseline-env", "old", "--current-env", sys.executable)
    assert ending.code == 3
    assert "old/bin/python -m pip install --upgrade stratoperf" in ending.err


def test_an_interpreter_that_does_not_exist_is_wrong_usage(stratoperf: Command) -> None:
    ending = stratoperf("check", "--live", "--baseline-env", "none", "--current-env", "none")
    assert ending.code == 2
    assert "the interpreter 'none' cannot be started" in ending.err


def test_a_selection_that_nobody_knows_is_wrong_usage(stratoperf: Command, module: str) -> None:
    ending = stratoperf(
        *("check", "--live", "demo.sun", "--module", module),
        *("--baseline-env", sys.executable, "--current-env", sys.executable),
    )
    assert ending.code == 2
    assert "did you mean 'demo.sum'" in ending.err


def processes_with(mark: str) -> list[str]:
    """Return the command lines of the processes that have a word in theirs."""
    lines: list[str] = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if mark in line and "stratoperf" not in line:
            lines.append(line)
    return lines


def wait_for(process: subprocess.Popen[str], text: str) -> None:
    """Read what the process says until a text comes."""
    assert process.stderr is not None
    for line in process.stderr:
        if text in line:
            return
    pytest.fail(f"{text!r} never came")


@pytest.mark.timing
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_check_keeps_what_was_measured_and_shows_its_verdict(
    start: Start, tmp_path: Path, number: signal.Signals, code: int
) -> None:
    mark = f"0.05{int(number)}71"
    # So small a threshold decides nothing; the look after a twentieth of the budget is printed.
    process = start(
        *("check", "--live", f"sleep {mark}", f"sleep {mark}", "--threshold", "0.0001"),
        *("--duration", "60s", "--json", "--markdown", "summary.md"),
    )
    wait_for(process, "pairs in")
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == code
    assert "Traceback" not in err
    assert "check: interrupted (1 inconclusive)" in err
    document = json.loads(out)
    assert document["exit_code"] == code
    assert document["decision"]["outcome"] == "interrupted"
    assert document["metrics"][0]["why"].startswith("interrupted after")
    run = sp.load(tmp_path / document["run_path"])
    assert run.results[0].status == "interrupted"
    assert len(run.results[0].series) == 2 * document["metrics"][0]["pairs"]
    assert "interrupted" in (tmp_path / "summary.md").read_text()
    assert processes_with(mark) == []


@pytest.mark.timing
def test_ctrl_c_ends_a_command_that_hangs(start: Start) -> None:
    mark = "61.20471"
    process = start("check", "--live", "true", f"sleep {mark}")
    end = time.monotonic() + 60
    while not processes_with(mark):
        assert time.monotonic() < end, "the command was not started"
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert mentions(out, "interrupted", "complete")
    assert "Traceback" not in err
    assert processes_with(mark) == []
