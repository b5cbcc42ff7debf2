"""Comparing stored runs on the command line, good ones and bad ones."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from wording import says

Command = Callable[..., Any]
Write = Callable[..., Path]


def test_a_comparison_is_no_gate(stratoperf: Command, write_run: Write) -> None:
    write_run("a.json", 1000.0)
    write_run("b.json", 2000.0)
    ending = stratoperf("compare", "a.json", "b.json")
    assert ending.code == 0
    assert "verdict: slower (1 slower)" in ending.out
    assert "baseline: a.json" in ending.out


def test_a_row_has_every_fact_in_a_pipe(stratoperf: Command, write_run: Write) -> None:
    write_run("a.json", 1000.0)
    write_run("b.json", 400.0)
    ending = stratoperf("compare", "a.json", "b.json")
    assert "\x1b" not in ending.out
    row = next(line for line in ending.out.splitlines() if line.startswith("kv.0"))
    for fact in ("size=64", "latency p50", "1.00 µs", "400 ns", "0.400 [", "5 %", "1+1 processes"):
        assert fact in row
    assert "faster" in row


def test_folders_of_runs_are_sides(stratoperf: Command, write_run: Write) -> None:
    for number in range(6):
        write_run(f"old/{number}.json", 1000.0 + number)
        write_run(f"new/{number}.json", 1500.0 + number)
    ending = stratoperf("compare", "old", "new", "--json")
    document = json.loads(ending.out)
    assert document["baseline"] == "6 runs, old"
    assert document["metrics"][0]["verdict"] == "slower"
    assert document["exit_code"] == 0
    assert "decision" not in document


def test_each_statistic_that_is_asked_for_is_judged(stratoperf: Command, write_run: Write) -> None:
    write_run("a.json", 1000.0)
    write_run("b.json", 2000.0)
    ending = stratoperf(
        "compare", "a.json", "b.json", "--statistic", "p50", "--statistic", "p95", "--json"
    )
    assert [metric["statistic"] for metric in json.loads(ending.out)["metrics"]] == ["p50", "p95"]
    unknown = stratoperf("compare", "a.json", "b.json", "--statistic", "throughputs")
    assert unknown.code == 2
    assert "did you mean 'throughput'" in unknown.err


def test_a_history_bounds_the_drift(stratoperf: Command, write_run: Write) -> None:
    for number in range(12):
        write_run(f"past/{number}.json", 1000.0 + number % 3)
    write_run("a.json", 1000.0)
    write_run("b.json", 1200.0)
    assert "inconclusive" in stratoperf("compare", "a.json", "b.json").out
    ending = stratoperf("compare", "a.json", "b.json", "--history", "past")
    assert "verdict: slower" in ending.out


def test_results_on_one_side_are_listed(stratoperf: Command, write_run: Write) -> None:
    write_run("a.json", 1000.0, 1000.0)
    write_run("b.json", 1000.0)
    ending = stratoperf("compare", "a.json", "b.json")
    assert "note: kv.1[backend=cpu,size=64]: only in baseline" in ending.out


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b'{"schema": "stratoperf.run/1", "id": "x", "resul', "truncated"),
        (b'{"schema": "other/9"}', "schema"),
        (b"[]", "bad.json"),
        (b"\x00\xff", "bad.json"),
    ],
)
@pytest.mark.parametrize("order", [("bad.json", "good.json"), ("good.json", "bad.json")])
def test_an_unreadable_file_is_wrong_input(
    stratoperf: Command, write_run: Write, order: tuple[str, str], content: bytes, message: str
) -> None:
    write_run("good.json", 1000.0)
    Path("bad.json").write_bytes(content)
    for words in (("compare", *order), ("check", "--baseline", order[0], "--current", order[1])):
        ending = stratoperf(*words)
        assert ending.code == 2
        assert "bad.json" in ending.err
        assert message in ending.err
        assert "Traceback" not in ending.err


def with_samples(path: Path, samples: list[float] | str) -> Path:
    """Replace the samples of a run file."""
    text = path.read_text()
    document = json.loads(text)
    document["results"][0]["series"][0]["columns"]["latency"] = samples
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    "samples",
    [
        [0.0] * 20,
        [-5.0] * 20,
        [float("nan")] * 20,
        [1000.0] * 5 + [float("nan")],
        [float("inf")] * 20,
    ],
)
def test_samples_without_a_ratio_are_wrong_input(
    stratoperf: Command, write_run: Write, samples: list[float]
) -> None:
    write_run("good.json", 1000.0)
    with_samples(write_run("bad.json", 1000.0), samples)
    ending = stratoperf("compare", "good.json", "bad.json")
    assert ending.code == 2
    assert "bad.json" in ending.err
    assert "Traceback" not in ending.err


@pytest.mark.parametrize("samples", [[1000.0], [1000.0] * 50])
def test_one_sample_and_constant_samples_are_compared(
    stratoperf: Command, write_run: Write, samples: list[float]
) -> None:
    write_run("good.json", 1000.0)
    with_samples(write_run("few.json", 1000.0), samples)
    for words in (("good.json", "few.json"), ("few.json", "few.json")):
        ending = stratoperf("compare", *words, "--json")
        assert ending.code == 0
        assert json.loads(ending.out)["metrics"][0]["verdict"] == "inconclusive"


def test_a_key_that_is_there_twice_is_wrong_input(stratoperf: Command, write_run: Write) -> None:
    path = write_run("twice.json", 1000.0)
    document = json.loads(path.read_text())
    document["results"] *= 2
    path.write_text(json.dumps(document))
    ending = stratoperf("compare", "twice.json", "twice.json")
    assert ending.code == 2
    assert "'kv.0[backend=cpu,size=64]' is there twice" in ending.err


def test_a_run_of_a_later_minor_version_is_compared(stratoperf: Command, write_run: Write) -> None:
    write_run("a.json", 1000.0)
    write_run("b.json", 2000.0, changes={"schema": "stratoperf.run/1.7", "novelty": {"any": 1}})
    assert "verdict: slower" in stratoperf("compare", "a.json", "b.json").out


def test_a_file_and_a_folder_that_are_not_there_are_named(
    stratoperf: Command, write_run: Write
) -> None:
    write_run("a.json", 1000.0)
    Path("empty").mkdir()
    for missing in ("none.json", "empty"):
        ending = stratoperf("compare", "a.json", missing)
        assert ending.code == 2
        assert missing in ending.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("compare",), "got 0"),
        (("compare", "a"), "got 1"),
        (("compare", "a", "b", "c"), "got 3"),
        (("compare", "a", "b", "--duration", "5s"), says("--duration", "--live")),
        (("compare", "a", "b", "--baseline-env", "python3"), says("--baseline-env", "--live")),
        (("compare", "a", "b", "--module", "m"), says("--module", "--live")),
        (("compare", "a", "b", "--threshold", "0"), says("--threshold", "'0'", "above 0")),
        (("compare", "a", "b", "--threshold", "nan"), says("--threshold", "'nan'", "percentage")),
        (("compare", "a", "b", "--threshold", "five"), says("--threshold", "'five'", "percentage")),
        (
            ("compare", "a", "b", "--confidence", "0.99"),
            says("--confidence", "'0.99'", "above 50", "at most 99.99", "write 99"),
        ),
        (
            ("compare", "a", "b", "--confidence", "100"),
            says("--confidence", "'100'", "at most 99.99"),
        ),
        (("check", "consensus.round"), says("'consensus.round'", "--live", "--baseline")),
        (("check", "--seed", "1"), says("--seed", "--live")),
        (
            ("check", "--live", "true", "true", "--baseline", "a"),
            says("--baseline", "--current-env"),
        ),
        (("check", "--live", "true", "true", "--history", "."), says("--history", "leave it out")),
        (("check", "--live"), says("two commands", "quotes", "got 0")),
        (("check", "--live", "true"), "got 1"),
        (("check", "--live", "true", "true", "true"), "got 3"),
        (("check", "--live", "true", ""), says("current:", "empty")),
        (("check", "--live", "'true", "true"), says("baseline:", "quote", "close")),
        (("check", "--live", "echo \udcff", "true"), "is not valid UTF-8"),
        (("check", "--live", "true", "true", "--setup", "echo \udcff"), "not valid UTF-8"),
        (("check", "--live", "true", "true", "--input", "\udcff"), "not valid UTF-8"),
        (
            ("check", "--live", "true", "true", "--param", "a=1"),
            says("--param", "--baseline-env", "--baseline-param"),
        ),
        (
            ("check", "--live", "--baseline-env", "python3"),
            says("--baseline-env", "--current-env", "both"),
        ),
        (("check", "--live", "--baseline-param", "size"), "Invalid value for '--baseline-param'"),
        (
            ("check", "--live", "true", "true", "--duration", "0s"),
            says("--duration", "'0s'", "60s"),
        ),
        (("check", "--inconclusive", "maybe"), says("--inconclusive", "'maybe'", "'pass'")),
        (
            ("check", "--live", "true", "true", "--statistic", "p50", "--statistic", "p95"),
            "give one of p50, p95",
        ),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(
    stratoperf: Command, write_run: Write, arguments: tuple[str, ...], message: str
) -> None:
    for name in ("a", "b"):
        write_run(name, 1000.0)
    ending = stratoperf(*arguments)
    assert ending.code == 2
    assert re.search(message, ending.err)
    assert ending.out == ""


@pytest.mark.parametrize(
    "command",
    [("compare", "a.json", "a.json"), ("check", "--baseline", "a.json", "--current", "a.json")],
)
@pytest.mark.parametrize("option", ["--markdown", "--junit"])
def test_a_report_replaces_no_run(
    stratoperf: Command, write_run: Write, command: tuple[str, ...], option: str
) -> None:
    path = write_run("a.json", 1000.0)
    before = path.read_bytes()
    Path("link").symlink_to(path)
    for name in ("a.json", "link"):
        ending = stratoperf(*command, option, name)
        assert (ending.code, ending.out) == (2, "")
        assert option in ending.err
        assert "another name" in ending.err
    assert path.read_bytes() == before


def test_two_reports_have_two_files(stratoperf: Command, write_run: Write) -> None:
    write_run("a.json", 1000.0)
    ending = stratoperf("compare", "a.json", "a.json", "--markdown", "k", "--junit", "./k")
    assert ending.code == 2
    assert "--markdown" in ending.err
    assert not Path("k").exists()


def test_each_file_that_is_left_out_is_named(stratoperf: Command, write_run: Write) -> None:
    write_run("old/a.json", 1000.0)
    write_run("new.json", 1000.0)
    names = [f"kv_20261128T10170{number}Z.json" for number in range(3)] + ["1.json", "2.json"]
    for name in names:
        Path("old", name).write_text("{")
    ending = stratoperf("compare", "old", "new.json")
    for name in names:
        assert name in ending.out
