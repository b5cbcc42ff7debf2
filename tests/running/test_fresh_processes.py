"""Runs in several fresh processes: passes, parts, faults and what is measured here instead."""

from __future__ import annotations

import contextlib
import dataclasses
import importlib
import os
import re
import signal
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.results import Result
from stratoperf.results.journal_lines import read_journal
from stratoperf.running import (
    PRESETS,
    Case,
    Listener,
    Registry,
    case_progress,
    fresh_process,
    outcome,
    runner,
    undisturbed,
)
from stratoperf.running.undisturbed import Choice
from wording import mentions, says

FAST: dict[str, Any] = {"preset": "ci", "warmup_s": 0.0, "iterations": 10, "duration_s": 0.02}

# A benchmark that counts its processes in a file, and does in one of them what it is told.
SOURCE = """
import contextlib, os, signal, sys, time
from pathlib import Path

import stratoperf as sp

LOG = Path(__file__).with_name("log")
FAULT = Path(__file__).with_name("fault")


def act(when, number):
    which, _, does = FAULT.read_text().partition("|") if FAULT.exists() else ("", "", "")
    if which == f"{when} {number}":
        exec(does, globals())


def begun(name):
    with LOG.open("a") as log:
        log.write(f"{name} {os.getpid()}\\n")
    return sum(line.startswith(f"{name} ") for line in LOG.read_text().splitlines())


@sp.benchmark("fresh.work", params={"size": [1, 2, 3]})
def work(size):
    number = begun(size)
    calls = 0

    def once():
        nonlocal calls
        calls += 1
        if calls == 5 and size == 1:
            act("loop", number)

    def verify():
        if size == 1:
            act("verify", number)
        return 1

    if size == 1:
        act("setup", number)
    yield sp.Operation(once, verify=verify)
    if size == 1:
        act("teardown", number)
"""


class Ground:
    """A module with benchmarks that this process has imported."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"

    def fault(self, where: str, does: str) -> None:
        (self.folder / "fault").write_text(f"{where}|{does}")

    def processes(self, size: int) -> list[int]:
        """Return the numbers of the processes that began a case, in order."""
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return [int(pid) for name, pid in map(str.split, lines) if name == str(size)]

    def order(self) -> list[int]:
        return [int(line.split()[0]) for line in self.log.read_text().splitlines()]


Import = Callable[..., ModuleType]


@pytest.fixture
def import_source(
    benchmarks: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Import]:
    """Return a function that imports a source as a module, as any package would be."""
    names = []

    def load(source: str, name: str) -> ModuleType:
        (tmp_path / f"{name}.py").write_text(textwrap.dedent(source))
        monkeypatch.syspath_prepend(str(tmp_path))
        names.append(name)
        return importlib.import_module(name)

    yield load
    for name in names:
        sys.modules.pop(name, None)


@pytest.fixture(autouse=True)
def _quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have as many processes as were planned, however busy the machine is with other tests."""
    monkeypatch.setattr(case_progress, "wants_another", lambda parts, planned: len(parts) < planned)
    for module in (case_progress, outcome):
        monkeypatch.setattr(
            module, "choose", lambda parts, least: Choice(list(parts), [], None, None)
        )
    unhurried = {
        name: dataclasses.replace(preset, seconds=600.0) for name, preset in PRESETS.items()
    }
    monkeypatch.setattr("stratoperf.running.presets.PRESETS", unhurried)


@pytest.fixture
def ground(import_source: Import, tmp_path: Path) -> Ground:
    import_source(SOURCE, "fresh_work")
    return Ground(tmp_path)


def first_of(ground: Ground, **options: Any) -> Result:
    """Measure the case that misbehaves."""
    (result,) = sp.run("fresh.work", params={"size": [1]}, **{**FAST, **options}).results
    return result


def test_every_process_of_a_case_is_a_fresh_one(ground: Ground) -> None:
    run = sp.run("fresh.work", processes=2, **FAST)
    for size, result in enumerate(run.results, 1):
        pids = ground.processes(size)
        assert len(set(pids)) == len(pids) == 2
        assert os.getpid() not in pids
        assert result.status == "ok"
        assert len({series.process for series in result.series}) == len(pids)
        summary = result.metrics["latency"].summary
        assert summary is not None
        assert summary.scope == f"{summary.processes} processes"
        assert result.verification is not None
        assert result.verification.checked == len(pids)
        assert not any("this process alone" in note for note in result.notes)


def test_the_batches_of_all_processes_are_of_the_size_that_the_first_calibrated(
    import_source: Import, tmp_path: Path
) -> None:
    import_source(
        f"""
        import stratoperf as sp
        from pathlib import Path

        LOG = Path({str(tmp_path / "log")!r})

        @sp.benchmark("fresh.heavier")
        def heavier():
            # Each process does more than the one before it: left alone, its batches were smaller.
            number = len(LOG.read_text()) if LOG.exists() else 0
            LOG.write_text("#" * (number + 1))
            return lambda: sum(range(10 * 8**number))
        """,
        "fresh_heavier",
    )
    (result,) = sp.run("fresh.heavier", processes=4, **FAST).results
    assert len({series.batch for series in result.series}) == 1
    assert result.series[0].batch > 1
    summary = result.metrics["latency"].summary
    assert summary is not None
    for name in ("p50", "p99"):
        assert mentions(getattr(summary, name).method, "means", "batches")


def test_a_pass_measures_every_open_case_once_in_an_order_of_its_own(ground: Ground) -> None:
    sp.run("fresh.work", processes=4, **FAST)
    order = ground.order()
    passes = [order[start : start + 3] for start in range(0, 12, 3)]
    assert all(sorted(order) == [1, 2, 3] for order in passes)
    # All four alike by chance: once in 216 runs.
    assert len({tuple(order) for order in passes}) > 1


def test_a_result_ends_at_the_least_number_of_processes_when_it_is_precise(
    ground: Ground,
) -> None:
    sp.run("fresh.work", params={"size": [2]}, preset="ci", warmup_s=0.0, iterations=10)
    assert 6 <= len(ground.processes(2)) <= 7


def test_the_listener_hears_of_every_process(ground: Ground) -> None:
    heard = Counter[str]()

    class Ear(Listener):
        def process_started(self, index: int, case: Case, number: int, planned: int) -> None:
            heard[f"{index} started {number} of {planned}"] += 1

        def process_finished(self, index: int, case: Case, number: int, planned: int) -> None:
            heard[f"{index} finished {number} of {planned}"] += 1

        def case_started(self, index: int, case: Case) -> None:
            heard[f"{index} case started"] += 1

        def case_finished(self, index: int, case: Case, result: Result) -> None:
            heard[f"{index} case finished {result.status}"] += 1

    sp.run("fresh.work", processes=2, listener=Ear(), **FAST)
    for index in range(3):
        for what in (
            "started 1 of 2",
            "finished 1 of 2",
            "started 2 of 2",
            "finished 2 of 2",
            "case started",
            "case finished ok",
        ):
            assert heard[f"{index} {what}"] == 1


@pytest.mark.parametrize(
    ("where", "does", "words"),
    [
        ("loop 2", "raise ValueError('no such key')", "process 2: ValueError: no such key"),
        ("verify 2", "raise sp.VerificationFailed('2 of 3 lost')", "process 2: 2 of 3 lost"),
        ("teardown 2", "raise ValueError('not empty')", "process 2: ValueError: not empty"),
        ("loop 2", "os._exit(3)", says("process 2", "status 3")),
        ("setup 2", "os.kill(os.getpid(), signal.SIGSEGV)", "process 2: .* signal SIGSEGV"),
        ("loop 1", "raise ValueError('never')", "^ValueError: never"),
        ("setup 1", "raise ValueError('never')", "^ValueError: never"),
        ("loop 2", "sys.exit('no')", "process 2: SystemExit: no"),
        (
            "loop 2",
            "[os.write(n, b'noise\\n') for n in range(3, 64) if __import__('stat').S_ISSOCK("
            "os.fstat(n).st_mode if os.path.exists(f'/proc/self/fd/{n}') else 0)]",
            says("process 2", "something"),
        ),
    ],
)
def test_what_says_that_the_benchmark_is_wrong_fails_the_case(
    ground: Ground, where: str, does: str, words: str
) -> None:
    ground.fault(where, does)
    bad = first_of(ground, processes=3)
    assert bad.reason is not None
    with pytest.raises(AssertionError, match=words):
        raise AssertionError(bad.reason)
    assert (bad.status, bad.metrics) == ("failed", {})
    # No process after that one.
    assert len(ground.processes(1)) == int(where.split()[1])


@pytest.mark.parametrize(
    ("where", "does", "words"),
    [
        ("loop 3", "os.kill(os.getpid(), signal.SIGKILL)", "SIGKILL from outside.*memory"),
        ("setup 3", "raise OSError(98, 'Address already in use')", "Address already in use"),
        ("setup 3", "raise sp.PrerequisiteMissing('the device is taken')", "device is taken"),
    ],
)
def test_what_says_nothing_of_the_work_costs_one_process(
    ground: Ground, where: str, does: str, words: str
) -> None:
    ground.fault(where, does)
    result = first_of(ground, processes=3)
    assert result.status == "ok"
    summary = result.metrics["latency"].summary
    assert summary is not None
    assert summary.processes is not None
    assert summary.processes == 3
    (note,) = [note for note in result.notes if "is missing" in note]
    with pytest.raises(AssertionError, match=rf"^process 3 of 3 is missing: .*{words}"):
        raise AssertionError(note.replace("\n", " "))


def test_a_benchmark_that_cannot_start_twice_has_the_processes_that_it_had(ground: Ground) -> None:
    lock = ground.folder / "lock"
    (ground.folder / "fresh_locked.py").write_text(
        textwrap.dedent(
            f"""
            import os
            import stratoperf as sp

            @sp.benchmark("fresh.locked")
            def locked():
                os.close(os.open({str(lock)!r}, os.O_CREAT | os.O_EXCL))
                return lambda: None
            """
        )
    )
    importlib.import_module("fresh_locked")
    (result,) = sp.run("fresh.locked", processes=8, **FAST).results
    sys.modules.pop("fresh_locked")
    assert result.status == "ok"
    assert result.metrics["latency"].summary is not None
    assert result.metrics["latency"].summary.scope == "this process"
    assert any(
        line.startswith("processes: 1 of 8") and "FileExistsError" in line
        for line in result.below_standard
    )


def test_a_case_whose_processes_are_all_killed_has_failed(ground: Ground) -> None:
    (ground.folder / "fresh_killed.py").write_text(
        "import os, signal\nimport stratoperf as sp\n\n"
        "@sp.benchmark('fresh.killed')\n"
        "def killed():\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    importlib.import_module("fresh_killed")
    (result,) = sp.run("fresh.killed", processes=8, **FAST).results
    sys.modules.pop("fresh_killed")
    assert result.status == "failed"
    assert result.reason is not None
    assert "process 1 of 8" in result.reason
    assert "SIGKILL" in result.reason


def test_a_missing_prerequisite_skips_at_once(ground: Ground) -> None:
    ground.fault("setup 1", "raise sp.PrerequisiteMissing('needs a swarm: start it')")
    result = first_of(ground, processes=3)
    assert (result.status, result.reason) == ("skipped", "needs a swarm: start it")
    assert len(ground.processes(1)) == 1


def test_a_process_that_hangs_is_ended_and_fails_the_case(
    ground: Ground, monkeypatch: pytest.MonkeyPatch, leftovers: Callable[[], None]
) -> None:
    monkeypatch.setattr(fresh_process, "PATIENCE_S", 5.0)
    ground.fault("loop 1", "print('waiting', flush=True); time.sleep(1000)")
    result = first_of(ground, processes=2)
    assert result.status == "failed"
    assert result.reason is not None
    assert mentions(result.reason, "not end within")
    assert "waiting" in result.reason
    leftovers()


def test_a_set_up_longer_than_the_budget_leaves_fewer_processes(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    short = {"ci": dataclasses.replace(PRESETS["ci"], seconds=3.0)}
    monkeypatch.setattr("stratoperf.running.presets.PRESETS", short)
    (ground.folder / "fresh_slow.py").write_text(
        "import time\nimport stratoperf as sp\n\n"
        "@sp.benchmark('fresh.slow')\n"
        "def slow():\n"
        "    time.sleep(1.2)\n"
        "    return lambda: None\n"
    )
    importlib.import_module("fresh_slow")
    (result,) = sp.run("fresh.slow", preset="ci", warmup_s=0.0).results
    sys.modules.pop("fresh_slow")
    assert result.status == "ok"
    (line,) = [line for line in result.below_standard if line.startswith("processes: ")]
    assert "each takes" in line


@pytest.mark.parametrize(
    ("parts_s", "lost_s", "is_open"),
    [
        ([1.0, 1.0], 0.0, True),
        ([4.0, 4.0], 0.0, False),
        ([1.0, 1.0], 7.5, False),
        # Of a file of before, which does not say.
        ([None, None], 0.0, True),
        (["long", -5.0], 0.0, True),
    ],
)
def test_the_time_of_a_case_goes_on_when_its_run_does(
    parts_s: list[Any], lost_s: float, is_open: bool
) -> None:
    case: Any = SimpleNamespace(
        shortfall=None, seconds_allowed=10.0, least=6, most=8, is_exact=False
    )
    parts = [{"process_seconds": seconds} for seconds in parts_s]
    progress = case_progress.CaseProgress(0, case, parts, None, lost_s)
    assert progress.is_open == is_open


def test_the_journal_has_the_seconds_of_processes_and_of_lost_ones(
    ground: Ground, tmp_path: Path
) -> None:
    ground.fault("loop 2", "os.kill(os.getpid(), signal.SIGKILL)")
    journaled: list[dict[str, Any]] = []

    class Ear(Listener):
        def process_finished(self, index: int, case: Case, number: int, planned: int) -> None:
            (journal,) = tmp_path.glob("*.journal")
            journaled.append(read_journal(journal))

    result = first_of(ground, processes=3, output=tmp_path, listener=Ear())
    assert result.status == "ok"
    (interrupted,) = journaled[0]["results"]
    (part,) = interrupted["parts"]
    assert part["process_seconds"] > 0
    assert "process_seconds" not in interrupted
    assert journaled[1]["lost_seconds"][result.key] > 0
    (saved,) = sp.load(tmp_path / "latest.json").document["results"]
    assert "process_seconds" not in saved


def test_a_process_that_prints_a_lot_says_so(ground: Ground) -> None:
    ground.fault("loop 1", "print('x' * 300_000)")
    notes = [note for note in first_of(ground, processes=2).notes if "printed" in note]
    assert len(notes) == 1
    assert "300 kB" in notes[0]


def test_long_columns_come_in_pieces(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh_process, "LONGEST_PIECE", 7)
    result = first_of(ground, processes=1)
    (series,) = result.series_of("latency")
    latency = result.metrics["latency"]
    assert latency.summary is not None
    assert len(series.columns["latency"]) == latency.summary.count > 7
    assert series.columns["latency"].mean() == pytest.approx(latency.summary.mean)


# What cannot be imported, and what the result says then. The function runs in this process.
ALONE = {
    "a closure": "declared in a function",
    "a module that is gone": "changed meanwhile|No such file",
    "an import that raises there": "only here",
    "a condition": "does not declare",
    "another version": "declares another",
}


@pytest.mark.parametrize("kind", ALONE)
def test_what_a_fresh_process_cannot_have_is_measured_here_and_says_so(
    import_source: Import, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    source = "import os, sys\nimport stratoperf as sp\n\nCALLS = []\n{before}\n{declared}"
    declared = (
        "@sp.benchmark('fresh.x'{version})\n"
        "def x():\n"
        "    return lambda: CALLS.append(os.getpid())\n"
    )
    before = version = ""
    monkeypatch.setenv("FRESH_DRIVER", str(os.getpid()))
    if kind == "an import that raises there":
        before = "if os.environ['FRESH_DRIVER'] != str(os.getpid()): raise OSError('only here')"
    if kind == "another version":
        version = ", version=1 + (os.environ['FRESH_DRIVER'] == str(os.getpid()))"
    plain = declared.format(version=version)
    if kind == "a closure":
        plain = "def declare():\n" + textwrap.indent(plain, "    ")
    if kind == "a condition":
        condition = "if os.environ['FRESH_DRIVER'] == str(os.getpid()):\n"
        plain = condition + textwrap.indent(plain, "    ")
    module = import_source(source.format(before=before, declared=plain), "fresh_alone")
    if kind == "a closure":
        module.declare()
    if kind == "a module that is gone":
        (tmp_path / "fresh_alone.py").unlink()
    (result,) = sp.run("fresh.x", **FAST).results
    assert result.status == "ok"
    assert set(module.CALLS) == {os.getpid()}
    assert result.metrics["latency"].summary is not None
    assert result.metrics["latency"].summary.scope == "this process"
    (note,) = [note for note in result.notes if note.startswith("measured in this process alone")]
    with pytest.raises(AssertionError, match=ALONE[kind]):
        raise AssertionError(note)
    assert any(line.startswith("processes: 1") for line in result.below_standard)


def test_several_processes_of_a_closure_are_refused_with_the_remedy(benchmarks: Registry) -> None:
    sp.benchmark("fresh.closure")(lambda: lambda: None)
    with pytest.raises(sp.InvalidParameter, match=r"processes: fresh\.closure.*top level"):
        sp.run("fresh.closure", processes=8)


@pytest.mark.parametrize("processes", [0, -1, 501, 2.5, True, "8", float("nan")])
def test_a_number_of_processes_is_checked(processes: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match="processes"):
        sp.run("clock.overhead", processes=processes)


SCRIPT = """
import os, sys
import stratoperf as sp

@sp.benchmark("script.x")
def x():
    return lambda: None

def main():
    (result,) = sp.run("script.x", preset="ci", warmup_s=0, duration_s=0.02, processes=2).results
    print(result.status, result.metrics["latency"].summary.scope, *result.notes)

{call}
"""


POOL = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
import stratoperf as sp

def double(number):
    return 2 * number

@sp.benchmark("script.pool")
def pool():
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as executor:
        assert list(executor.map(double, [21])) == [42]
        yield lambda: None

if __name__ == "__main__":
    options = {"preset": "ci", "warmup_s": 0, "duration_s": 0.02, "processes": 1}
    (result,) = sp.run("script.pool", **options).results
    print(result.status, *filter(None, [result.reason]))
"""


@pytest.mark.parametrize("way", ["file", "-m"])
def test_a_script_with_a_guard_is_measured_in_fresh_processes(tmp_path: Path, way: str) -> None:
    ended = run_script(tmp_path, "if __name__ == '__main__':\n    main()", way)
    assert re.match(r"ok \d+ processes ", ended.stdout), ended
    # What the guarded part sets is not there.
    assert mentions(ended.stdout, "script.py", "__name__")


def test_a_benchmark_of_a_script_may_start_processes_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(POOL)
    ended = subprocess.run(
        [sys.executable, "script.py"], cwd=tmp_path, capture_output=True, text=True, timeout=100
    )
    assert ended.stdout == "ok\n", ended


@pytest.mark.parametrize(
    "call",
    [
        "main()",
        # It catches the refusal, and would go on.
        "try:\n    main()\nexcept Exception:\n    pass",
    ],
)
def test_a_script_without_a_guard_does_not_start_itself_again(tmp_path: Path, call: str) -> None:
    ended = run_script(tmp_path, call, "file")
    assert ended.stdout.startswith("ok this process measured in this process alone"), ended
    assert "__name__" in ended.stdout
    assert ended.stdout.count("\n") == 1


def run_script(folder: Path, call: str, way: str) -> subprocess.CompletedProcess[str]:
    (folder / "script.py").write_text(SCRIPT.format(call=call))
    command = ["script.py"] if way == "file" else ["-m", "script"]
    return subprocess.run(
        [sys.executable, *command], cwd=folder, capture_output=True, text=True, timeout=100
    )


@pytest.mark.parametrize("saved", [False, True])
def test_ctrl_c_within_a_process_keeps_those_before_it(
    ground: Ground, tmp_path: Path, saved: bool, leftovers: Callable[[], None]
) -> None:
    ground.fault("loop 3", f"os.kill({os.getpid()}, signal.SIGINT); time.sleep(1000)")
    output = tmp_path / "results" if saved else None
    with pytest.raises(sp.Interrupted) as caught:
        first_of(ground, processes=4, output=output)
    leftovers()
    assert isinstance(caught.value.run, sp.Run)
    (result,) = caught.value.run.results
    assert result.status == "interrupted"
    assert result.reason is not None
    assert "2 of 4 processes" in result.reason
    assert result.metrics["latency"].summary is not None
    assert result.metrics["latency"].summary.processes == 2
    if not saved:
        return
    (ground.folder / "fault").unlink()
    before = len(ground.processes(1))
    assert caught.value.run.path is not None
    resumed = sp.run(resume=caught.value.run.path)
    (result,) = resumed.results
    assert result.status == "ok"
    # The two that had ended are not measured again.
    assert result.metrics["latency"].summary is not None
    assert result.metrics["latency"].summary.processes == len(result.series) >= 4
    assert len(ground.processes(1)) - before == len(result.series) - 2


def test_ctrl_c_within_the_first_process_keeps_the_samples_until_then(
    ground: Ground, leftovers: Callable[[], None]
) -> None:
    press = f"threading.Timer(2, os.kill, [{os.getpid()}, signal.SIGINT]).start()"
    ground.fault("setup 1", f"import threading; {press}")
    with pytest.raises(sp.Interrupted) as caught:
        first_of(ground, processes=2, duration_s=100)
    leftovers()
    assert isinstance(caught.value.run, sp.Run)
    (result,) = caught.value.run.results
    assert result.status == "interrupted"
    summary = result.metrics["latency"].summary
    assert summary is not None
    assert summary.scope == "this process"
    assert summary.count == sum(len(series.columns["latency"]) for series in result.series) > 0


def test_ctrl_c_between_two_processes_keeps_what_was_measured(ground: Ground) -> None:
    class Impatient(Listener):
        def process_finished(self, index: int, case: Case, number: int, planned: int) -> None:
            if number == 2:
                signal.raise_signal(signal.SIGINT)

    with pytest.raises(sp.Interrupted) as caught:
        sp.run("fresh.work", processes=4, listener=Impatient(), **FAST)
    assert isinstance(caught.value.run, sp.Run)
    assert {result.status for result in caught.value.run.results} == {"interrupted"}
    assert len(caught.value.run.results) == 3


def test_a_profile_is_taken_once(ground: Ground) -> None:
    result = first_of(ground, processes=2, profile=True)
    assert result.status == "ok"
    assert result.profile is not None


def test_nothing_is_started_where_nothing_can_be_imported(
    benchmarks: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def refused() -> Iterator[None]:
        raise AssertionError("a process was started")
        yield

    monkeypatch.setattr(runner, "guarded", refused)
    sp.benchmark("fresh.closure")(lambda: lambda: None)
    (result,) = sp.run("fresh.closure", **FAST).results
    assert result.status == "ok"


def test_where_no_process_can_be_started_everything_is_measured_here(
    ground: Ground, monkeypatch: pytest.MonkeyPatch
) -> None:
    @contextlib.contextmanager
    def refused() -> Iterator[None]:
        raise sp.StratoperfError("nothing may be started; allow it")
        yield

    monkeypatch.setattr(runner, "guarded", refused)
    results = sp.run("fresh.work", **FAST).results
    assert [result.status for result in results] == ["ok"] * 3
    assert all(mentions(" ".join(result.notes), "nothing", "started") for result in results)
    assert {*ground.processes(1)} == {os.getpid()}


@pytest.mark.parametrize(
    ("asked", "measured", "counted"), [({}, 7, 6), ({"processes": 3}, 3, 2)], ids=["free", "fixed"]
)
def test_a_disturbed_process_is_measured_again_unless_the_number_is_fixed(
    ground: Ground,
    monkeypatch: pytest.MonkeyPatch,
    asked: dict[str, int],
    measured: int,
    counted: int,
) -> None:
    monkeypatch.setattr(case_progress, "wants_another", undisturbed.wants_another)
    for module in (case_progress, outcome):
        monkeypatch.setattr(module, "choose", undisturbed.choose)
    taken = fresh_process.measured_afresh

    def disturbed(case: Case, number: int, system: str, **options: Any) -> fresh_process.Taken:
        one = taken(case, number, system, **options)
        return one._replace(tree={**one.tree, "disturbed": "a neighbor" if number == 2 else None})

    monkeypatch.setattr(runner, "measured_afresh", disturbed)
    result = first_of(ground, **asked)
    assert len(ground.processes(1)) == measured
    assert len(result.series) == counted
    assert [process.disturbed for process in result.left_out] == ["a neighbor"]
    assert result.disturbed is None
