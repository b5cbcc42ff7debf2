from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp

Command = Callable[..., Any]
SHORT = ("--duration", "20ms", "--warmup", "0", "--iterations", "100", "--processes", "1")


def test_help_and_version_are_fine(stratoperf: Command) -> None:
    for arguments in (("--help",), ("run", "--help"), ("-h",)):
        ending = stratoperf(*arguments)
        assert ending.code == 0
        assert "Usage: stratoperf" in ending.out
    assert stratoperf("--version").out == f"stratoperf {sp.__version__}\n"


def test_the_list_names_every_benchmark_on_its_own_line(stratoperf: Command) -> None:
    lines = stratoperf("list").out.splitlines()
    assert lines[0].startswith("benchmark")
    assert any(line.startswith("clock.overhead ") for line in lines)


def test_the_list_is_told_as_json(stratoperf: Command) -> None:
    target = sp.Target("latency.p95", "<", 100, "us", where={"size": 2})
    sp.benchmark("demo.size", params={"size": [1, 2], "mode": ["a"]}, target=target)(
        lambda size, mode: int
    )
    benchmarks = {entry["name"]: entry for entry in json.loads(stratoperf("list", "--json").out)}
    listed = benchmarks["demo.size"]
    assert listed["params"] == {"size": [1, 2], "mode": ["a"]}
    assert listed["backends"]["cpu"] == {"available": True, "reason": None}
    assert listed["cases"] == 2
    assert listed["targets"][0]["where"] == {"size": 2}


def test_the_doctor_always_ends_with_0(stratoperf: Command) -> None:
    ending = stratoperf("doctor")
    assert ending.code == 0
    header = ending.out.splitlines()[0].split()
    assert header == ["status", "name", "detail", "remedy"]
    assert "sudo modprobe swarm_guard" in ending.out or Path("/dev/swarm_guard").exists()


def test_the_doctor_speaks_json(stratoperf: Command) -> None:
    document = json.loads(stratoperf("doctor", "--json").out)
    statuses = {check["status"] for check in document["checks"]}
    assert statuses <= {"ok", "warning", "missing", "unknown"}
    assert document["system"]["id"]


def test_claims_default_to_the_latest_run(stratoperf: Command) -> None:
    stratoperf("run", "clock.overhead", *SHORT)
    ending = stratoperf("claims")
    assert ending.code == 0
    assert "GPU consensus" in ending.out
    assert "not measured" in ending.out


def test_claims_speak_json(stratoperf: Command) -> None:
    stratoperf("run", "clock.overhead", *SHORT)
    document = json.loads(stratoperf("claims", "--json").out)
    assert {row["verdict"] for row in document["claims"]} <= {
        "met",
        "missed",
        "inconclusive",
        "not-measured",
    }


def test_claims_without_a_run_say_how_to_make_one(stratoperf: Command) -> None:
    ending = stratoperf("claims")
    assert ending.code == 2
    assert "stratoperf run" in ending.err


@pytest.mark.parametrize("content", ["", "{", "[]", '{"schema": "other/9"}', "\x00\x01"])
def test_an_unreadable_run_file_is_wrong_input(
    stratoperf: Command, tmp_path: Path, content: str
) -> None:
    (tmp_path / "run.json").write_text(content)
    ending = stratoperf("claims", "run.json")
    assert ending.code == 2
    assert "run.json" in ending.err
    assert "Traceback" not in ending.err
