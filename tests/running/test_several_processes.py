"""`measure` in several fresh processes."""

from __future__ import annotations

import functools
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.measurement import MeasuredProcess, Measurement
from stratoperf.running import several_processes
from stratoperf.running.fresh_process import Taken, measured_afresh
from wording import mentions, says

QUICK: dict[str, Any] = {"warmup_s": 0.02, "max_duration_s": 0.1, "processes": 2}

MODULE = """
import os
import stratoperf as sp

def own_pid():
    with open(os.environ["PIDS"], "a") as file:
        file.write(f"{os.getpid()} ")

def broken():
    raise LookupError("no such vote")

def dying():
    os._exit(3)

def wrong():
    def verify():
        raise sp.VerificationFailed("42 is not 43")
    return sp.Operation(lambda: None, verify=verify)

def votes():
    return sp.Operation(
        lambda: None, name="votes", items=500, item_unit="votes", details={"a": 1}, verify=lambda: 7
    )

def prepared():
    with open(os.environ["PIDS"], "a") as file:
        file.write("up ")
    yield lambda: sum(range(100))
    with open(os.environ["PIDS"], "a") as file:
        file.write("down ")

class Adder:
    def __init__(self, count):
        self.count = count
    def __call__(self):
        sum(range(self.count))

class Stubborn:
    def __call__(self):
        pass
    def __reduce__(self):
        raise RuntimeError("leave me alone")

@sp.benchmark("workload.single")
def single():
    return lambda: sum(range(100))

@sp.benchmark("workload.prepared")
def prepared_benchmark():
    yield from prepared()

@sp.benchmark("workload.several", params={"n": [1, 2]})
def several(n):
    return lambda: sum(range(n))
"""


@pytest.fixture
def workload(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, benchmarks: object
) -> Iterator[ModuleType]:
    """Return a module that fresh processes can import."""
    (tmp_path / "workload.py").write_text(MODULE)
    monkeypatch.setenv("PIDS", str(tmp_path / "pids"))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("workload")
    del sys.modules["workload"]


def test_a_function_is_measured_in_fresh_processes_and_the_scope_says_so(
    workload: ModuleType, tmp_path: Path
) -> None:
    measurement = sp.measure(workload.own_pid, **QUICK)
    pids = set((tmp_path / "pids").read_text().split())
    assert len(pids) == 2
    assert str(os.getpid()) not in pids
    assert measurement.scope == measurement.summary().scope == "2 processes"
    assert "2 processes" in repr(measurement)
    assert "2 processes" in measurement._repr_html_()
    first, second = measurement.processes
    assert first.id != second.id
    assert first.samples == slice(0, first.samples.stop)
    assert second.samples == slice(first.samples.stop, measurement.count)
    assert "2 processes" in measurement.quantile(0.5).method


def test_a_function_that_returns_an_operation_has_that_measured(workload: ModuleType) -> None:
    measurement = sp.measure(workload.votes, **QUICK)
    assert measurement.item_unit == "votes"
    assert measurement.details == {"a": 1}
    assert measurement.verification == (14, True)
    rate = measurement.throughput()
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < rate.value < rate.high


def test_a_function_that_yields_is_set_up_and_torn_down_in_each_process(
    workload: ModuleType, tmp_path: Path
) -> None:
    assert sp.measure(workload.prepared, **QUICK).count > 0
    assert (tmp_path / "pids").read_text() == "up down up down "


def test_objects_that_pickle_and_benchmarks_are_measured(workload: ModuleType) -> None:
    for work in (functools.partial(json.dumps, {"a": 1}), workload.Adder(50), workload.single):
        assert len(sp.measure(work, batch=3, **QUICK).processes) == 2


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("broken", sp.StratoperfError, "broken, process 1: LookupError: no such vote"),
        ("dying", sp.StratoperfError, says("process 1", "status 3")),
        ("wrong", sp.VerificationFailed, "process 1: .*42 is not 43"),
    ],
)
def test_what_goes_wrong_in_a_process_is_told_with_its_number(
    workload: ModuleType, name: str, kind: type[Exception], reason: str
) -> None:
    with pytest.raises(kind, match=reason):
        sp.measure(getattr(workload, name), **QUICK)


def _closure() -> Callable[[], object]:
    def within() -> None:
        pass

    return within


def _stream() -> Iterator[int]:
    yield 1


@pytest.mark.parametrize(
    ("work", "why"),
    [
        (lambda: None, "it is a lambda"),
        (_closure(), "it is defined within a function"),
        (sp.clock.read_operation(), "it cannot be pickled"),
        (functools.partial(lambda: None), "it cannot be pickled"),
        (_stream().__next__, "it cannot be pickled"),
    ],
)
def test_what_no_fresh_process_can_have_is_refused_with_the_remedy(work: Any, why: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=f"^processes: .* 2 .*{why}.*top level") as raised:
        sp.measure(work, **QUICK)
    assert "leave processes out" in str(raised.value)


def test_what_is_too_large_to_be_pickled_is_refused_with_the_remedy(workload: ModuleType) -> None:
    fits = functools.partial(json.dumps, "x" * 10_000_000)
    options = {**QUICK, "max_duration_s": 0.01, "min_iterations": 1}
    assert sp.measure(fits, **options).count > 0
    large = functools.partial(json.dumps, "x" * 12_000_000)
    with pytest.raises(
        sp.InvalidParameter, match=r"^processes: .* 12,\d{3},\d{3} bytes .*makes its"
    ):
        sp.measure(large, **QUICK)


def test_an_object_that_refuses_to_be_pickled_is_no_crash(workload: ModuleType) -> None:
    with pytest.raises(sp.InvalidParameter, match="RuntimeError: leave me alone"):
        sp.measure(workload.Stubborn(), **QUICK)


@pytest.mark.parametrize("processes", [1, 2])
def test_of_a_benchmark_the_operation_is_measured_in_any_number_of_processes(
    workload: ModuleType, tmp_path: Path, processes: int
) -> None:
    measurement = sp.measure(workload.prepared_benchmark, **{**QUICK, "processes": processes})
    assert measurement.name == "workload.prepared"
    assert measurement.count > 1
    assert (tmp_path / "pids").read_text() == "up down " * processes


@pytest.mark.parametrize("processes", [1, 2])
def test_a_benchmark_of_several_cases_is_for_run(workload: ModuleType, processes: int) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("fn:", "workload.several", "2", "run(")):
        sp.measure(workload.several, **{**QUICK, "processes": processes})


def test_wrong_arguments_are_refused_before_a_benchmark_is_set_up(
    workload: ModuleType, tmp_path: Path
) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^quantile"):
        sp.measure(workload.prepared_benchmark, quantile=2.0)
    assert not (tmp_path / "pids").exists()


@pytest.mark.parametrize("processes", [0, -1, True, 1.5, "two", 501])
def test_a_number_of_processes_out_of_range_is_refused(processes: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^processes: .*") as raised:
        sp.measure(print, processes=processes)
    assert repr(processes) in str(raised.value)


@pytest.mark.parametrize(
    ("argument", "value"), [("warmup_s", -1), ("max_duration_s", 0), ("min_iterations", 0)]
)
def test_other_arguments_keep_their_names(argument: str, value: float) -> None:
    arguments: dict[str, Any] = {**QUICK, argument: value}
    with pytest.raises(sp.InvalidParameter, match=f"^{argument}: .*{value}"):
        sp.measure(print, **arguments)


def test_a_histogram_is_of_one_process() -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^keep_samples: .*processes=2"):
        sp.measure(print, keep_samples=False, **QUICK)


def _run(script: Path, *, interactive: bool = False) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-"] if interactive else [sys.executable, str(script)]
    return subprocess.run(
        argv,
        input=script.read_text() if interactive else None,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


SCRIPT = """
import stratoperf as sp

def local():
    sum(range(100))

if __name__ == "__main__":
    print(sp.measure(local, warmup_s=0.02, max_duration_s=0.1, processes=2).scope)
"""


def test_functions_of_a_script_are_measured_where_it_is_guarded(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)
    assert _run(script).stdout == "2 processes\n"
    script.write_text(SCRIPT.replace('__name__ == "__main__"', "True"))
    assert "if __name__ == '__main__'" in _run(script).stderr
    assert mentions(_run(script, interactive=True).stderr, "prompt", "notebook")


def test_ctrl_c_keeps_the_processes_that_had_ended(
    workload: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(case: Any, number: int, system: str, **options: Any) -> Taken:
        if number == 2:
            signal.raise_signal(signal.SIGINT)
        return measured_afresh(case, number, system, **options)

    monkeypatch.setattr(several_processes, "measured_afresh", interrupted)
    with pytest.raises(sp.Interrupted, match="interrupted after 1 of 2 processes") as raised:
        sp.measure(workload.own_pid, **QUICK)
    assert raised.value.measurement is not None
    assert raised.value.measurement.scope == "this process"
    assert raised.value.measurement.count > 0


def test_ctrl_c_within_a_process_keeps_its_samples_too(workload: ModuleType) -> None:
    timer = threading.Timer(4.0, os.kill, [os.getpid(), signal.SIGINT])
    timer.start()
    try:
        with pytest.raises(sp.Interrupted, match="of 2 processes") as caught:
            sp.measure(workload.own_pid, processes=2, warmup_s=0, max_duration_s=200, precision=0)
    finally:
        timer.cancel()
    assert caught.value.measurement is not None
    assert caught.value.measurement.count > 0


def test_intervals_of_processes_reach_from_one_to_another_and_not_over_their_samples() -> None:
    generator = np.random.default_rng(1)
    levels = [100.0, 101.0, 99.0, 120.0, 100.5, 99.5, 100.2, 99.8]
    series = [generator.normal(level, 0.1, 2000) for level in levels]
    measurement = Measurement(
        "levels",
        np.concatenate(series),
        processes=[
            MeasuredProcess(str(i), slice(2000 * i, 2000 * (i + 1))) for i in range(len(levels))
        ],
    )
    summary = measurement.summary()
    assert (summary.scope, summary.processes, summary.drift) == ("8 processes", 8, None)
    for estimate in (summary.p50, measurement.quantile(0.95)):
        assert estimate.low is not None
        assert estimate.high is not None
        assert estimate.low < 100 < estimate.high
        assert 1 < estimate.high - estimate.low < 15
    values = [summary.p50.value, summary.p95.value, summary.p99.value, summary.p999.value]
    assert values == sorted(values)
