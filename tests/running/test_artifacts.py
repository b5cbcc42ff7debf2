"""Artifacts across the processes of a run, of `measure` and of a live comparison."""

from __future__ import annotations

import importlib
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.running import Registry
from wording import mentions

FAST: dict[str, Any] = {"preset": "ci", "warmup_s": 0.0, "iterations": 10, "duration_s": 0.02}

SOURCE = """
import contextlib
import os
import time
from pathlib import Path

import numpy as np

import stratoperf as sp

LOG = Path(__file__).with_name("log")
FAULT = Path(__file__).with_name("fault")


def say(word):
    with LOG.open("a") as log:
        log.write(f"{word} {os.getpid()}\\n")


def corpus():
    say("build")
    if FAULT.exists():
        fault = FAULT.read_text()
        FAULT.unlink()
        exec(fault)
    return np.arange(100)


@sp.benchmark("artifact.sum")
def summing():
    numbers = sp.artifact("corpus", 100, build=corpus)

    def verify():
        say(f"measured {int(numbers.sum())}")
        return 1

    return sp.Operation(lambda: numbers.sum(), verify=verify)


@sp.benchmark("artifact.answer")
def answering():
    def verify():
        expected = sp.artifact("answer", build=lambda: (say("build"), b"1")[1])
        assert expected == b"1"
        say("measured 4950")
        return 1

    return sp.Operation(lambda: 1, verify=verify)


@sp.benchmark("artifact.unstable")
def unstable():
    numbers = sp.artifact(time.time_ns(), build=corpus)
    return sp.Operation(lambda: numbers.sum(), verify=lambda: say("measured 4950") or 1)


@sp.benchmark("artifact.closing")
def closing():
    for number in range(3, 100):
        with contextlib.suppress(OSError):
            if "artifact" in os.readlink(f"/proc/self/fd/{number}"):
                os.close(number)
    return summing()


def operation():
    return summing()
"""


class Ground:
    """A module with benchmarks, and what its processes did."""

    def __init__(self, folder: Path, module: ModuleType) -> None:
        self.folder = folder
        self.module = module

    @property
    def did(self) -> list[tuple[str, str]]:
        lines = (self.folder / "log").read_text().splitlines()
        return [(line.rpartition(" ")[0], line.rpartition(" ")[2]) for line in lines]

    def check(self, *, builds: int, measured: int) -> None:
        counted = Counter(word for word, _ in self.did)
        assert counted == {"build": builds, "measured 4950": measured}


@pytest.fixture
def ground(
    benchmarks: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Ground]:
    (tmp_path / "artifact_work.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(str(tmp_path))
    yield Ground(tmp_path, importlib.import_module("artifact_work"))
    sys.modules.pop("artifact_work", None)


def test_the_processes_of_a_run_share_what_the_first_built(ground: Ground) -> None:
    (result,) = sp.run("artifact.sum", processes=3, **FAST).results
    assert result.status == "ok", result.reason
    assert result.verification is not None
    # Those that count: on a busy machine one may be left out as disturbed.
    assert result.verification.checked == 3 - len(result.left_out)
    assert not any("artifact" in note for note in result.notes)
    ground.check(builds=1, measured=3)
    # What builds does not measure.
    numbers = [number for _, number in ground.did]
    assert len(set(numbers)) == 4


def test_another_run_builds_anew(ground: Ground) -> None:
    for _ in range(2):
        sp.run("artifact.sum", processes=1, **FAST)
    ground.check(builds=2, measured=2)


def test_an_expected_answer_is_found_once_and_by_a_process_that_measures(ground: Ground) -> None:
    (result,) = sp.run("artifact.answer", processes=3, **FAST).results
    assert result.status == "ok", result.reason
    ground.check(builds=1, measured=3)
    assert len({number for _, number in ground.did}) == 3


def test_a_key_that_differs_in_each_process_is_told(ground: Ground) -> None:
    (result,) = sp.run("artifact.unstable", processes=3, **FAST).results
    assert result.status == "ok", result.reason
    assert any(mentions(note, "leave", "key") for note in result.notes)
    # The first is found out by a process of its own.
    ground.check(builds=4, measured=3)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("raise RuntimeError('no corpus')", "no corpus"),
        ("os._exit(7)", "status 7"),
        ("os.abort()", "SIGABRT"),
    ],
)
def test_a_build_that_fails_or_dies_fails_the_case_and_leaves_nothing(
    ground: Ground, fault: str, said: str
) -> None:
    (ground.folder / "fault").write_text(fault)
    (result,) = sp.run("artifact.sum", processes=2, **FAST).results
    assert result.status == "failed"
    assert result.reason is not None
    assert said in result.reason
    # Nobody is given what was half built.
    (result,) = sp.run("artifact.sum", processes=2, **FAST).results
    assert result.status == "ok", result.reason
    ground.check(builds=2, measured=2)


def test_code_that_closes_the_descriptors_builds_for_itself(ground: Ground) -> None:
    sp.run("artifact.closing", processes=3, **FAST)
    assert Counter(word for word, _ in ground.did)["measured 4950"] == 3


@pytest.mark.parametrize(("processes", "builds"), [(2, 1), (None, 1)])
def test_measure_shares_among_its_processes(
    ground: Ground, processes: int | None, builds: int
) -> None:
    work = ground.module.operation if processes else ground.module.summing()
    options: dict[str, Any] = {} if processes is None else {"processes": processes}
    sp.measure(work, warmup_s=0.0, min_iterations=10, max_duration_s=0.05, **options)
    ground.check(builds=builds, measured=processes or 1)


def test_each_side_of_a_live_comparison_builds_its_own(ground: Ground) -> None:
    side = sp.Environment(modules=(str(ground.folder / "artifact_work.py"),))
    comparison = sp.compare_live(side, side, "artifact.sum", duration_s=4.0)
    assert not comparison.failures
    counted = Counter(word for word, _ in ground.did)
    assert counted["build"] == 2
    assert counted["measured 4950"] >= 2
