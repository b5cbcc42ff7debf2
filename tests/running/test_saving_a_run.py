"""Run files: where they go, full disks, resuming."""

from __future__ import annotations

import errno
import json
import os
import resource
import shlex
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.results.journal import Journal
from stratoperf.results.leftovers import create_temporary
from stratoperf.results.plans import resume_command
from stratoperf.running import Case, Listener, Registry, run_places, start_recording
from stratoperf.running.cases import Plan
from stratoperf.running.recorder import FileRecorder
from stratoperf.running.start_recording import resume_file, start_file
from wording import says

FAST: dict[str, Any] = {"preset": "ci", "warmup_s": 0.0, "duration_s": 0.02}

pytestmark = pytest.mark.usefixtures("benchmarks")


def summing(size: int = 100) -> Callable[[], int]:
    return lambda: sum(range(size))


def declare(name: str = "kv.put", **options: Any) -> None:
    sp.benchmark(name, params={"size": [10, 100]}, **options)(summing)


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
    # A fast machine takes so many samples that they go to an .npz beside it.
    assert {file.name for file in output.glob("*.json")} == {run.path.name, "latest.json"}
    assert sp.load(output / "latest.json").id == run.id
    again = sp.run("kv.*", output=output, **FAST)
    assert again.path != run.path
    assert sp.load(output / "latest.json").id == again.id


def test_runs_that_begin_in_the_same_second_get_names_of_their_own(tmp_path: Path) -> None:
    document = {"schema": "stratoperf.run/1", "created": "2026-01-02T03:04:05Z", "results": []}
    together = threading.Barrier(8)

    def start(_: int) -> FileRecorder:
        together.wait(60)
        return start_file(tmp_path, dict(document), ["x"])

    with ThreadPoolExecutor(8) as threads:
        recorders = list(threads.map(start, range(8)))
    assert {recorder.path for recorder in recorders} == {
        tmp_path / f"x_20260102T030405Z{suffix}.json"
        for suffix in ("", *(f"-{number}" for number in range(2, 9)))
    }
    for started in recorders:
        started.abandon()


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
    with pytest.raises(sp.InvalidParameter, match=says("output:", "write", "file")):
        sp.run("x", output=tmp_path / "file", **FAST)


def test_an_output_that_nobody_may_write_to_is_refused() -> None:
    sp.benchmark("x")(lambda: pytest.fail("it was measured"))
    # Not even root can make a directory there.
    with pytest.raises(sp.InvalidParameter, match=says("output:", "'/proc/results'", "write")):
        sp.run("x", output="/proc/results", **FAST)


@pytest.fixture
def small_disk() -> Iterator[Callable[[int], None]]:
    """Stand in for a full disk: no file can grow above a limit."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    handler = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    make_room()
    signal.signal(signal.SIGXFSZ, handler)


def make_room() -> None:
    """Lift the limit, before the outcome of the test is written into a longer file."""
    most = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


def test_a_disk_that_fills_up_loses_only_the_result_in_progress(
    tmp_path: Path, small_disk: Callable[[int], None]
) -> None:
    class FillsUp(Listener):
        def case_started(self, index: int, case: Case) -> None:
            if index == 1:
                small_disk(lines().stat().st_size + 100)

    def lines() -> Path:
        return next(tmp_path.glob("*.journal/results.jsonl"))

    sp.benchmark("x", params={"step": [1, 2]})(lambda step: lambda: None)
    with pytest.raises(sp.StratoperfError, match=r"cannot write .*\.(jsonl|npz)") as caught:
        sp.run("x", output=tmp_path, listener=FillsUp(), **FAST)
    make_room()
    journal = lines().parent
    assert f"--resume {journal}" in str(caught.value)
    assert [result.params for result in sp.load(journal).results] == [{"step": 1}]


def test_a_run_whose_file_could_not_be_written_is_resumed(
    tmp_path: Path, small_disk: Callable[[int], None]
) -> None:
    class FullAtTheEnd(Listener):
        def case_finished(self, index: int, case: Case, result: Any) -> None:
            small_disk(100)

    sp.benchmark("x")(summing)
    with pytest.raises(sp.StratoperfError, match="cannot write"):
        sp.run("x", output=tmp_path, listener=FullAtTheEnd(), **FAST)
    make_room()
    (journal,) = tmp_path.glob("*.journal")
    run = sp.run(resume=journal)
    assert [result.status for result in run.results] == ["ok"]
    assert not journal.exists()
    assert sp.load(tmp_path / "latest.json").id == run.id


def peak_bytes(folder: Path) -> float:
    """Return what lies in a folder; a file with two names counts once."""
    statuses = [path.stat() for path in folder.rglob("*") if path.is_file()]
    return sum(status.st_size / status.st_nlink for status in statuses)


def test_no_more_is_written_than_the_plan_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plans: list[Plan] = []
    peaks: list[float] = []

    class Ear(Listener):
        def planned(self, plan: Plan) -> None:
            plans.append(plan)

    remove = Journal.remove

    def measured_remove(journal: Journal) -> None:
        # Now the journal, the run file and the arrays of both lie there.
        peaks.append(peak_bytes(tmp_path))
        remove(journal)

    monkeypatch.setattr(Journal, "remove", measured_remove)
    sp.benchmark("x", params={"n": [1, 2, 3]})(lambda n: lambda: None)
    sp.run("x", preset="ci", warmup_s=0, duration_s=0.5, output=tmp_path, listener=Ear())
    assert peaks[0] + (tmp_path / "latest.json").stat().st_size < plans[0].bytes
    # Nor is it a number that always holds.
    assert plans[0].bytes < 100e6


@pytest.mark.parametrize("content", ['{"mine": 1}', "", "text"])
def test_a_latest_json_of_somebody_else_is_refused_before_anything_is_measured(
    tmp_path: Path, content: str
) -> None:
    sp.benchmark("x")(lambda: pytest.fail("it was measured"))
    (tmp_path / "latest.json").write_text(content)
    with pytest.raises(sp.InvalidParameter, match=r"output: .*latest\.json.*move it"):
        sp.run("x", output=tmp_path, **FAST)
    assert (tmp_path / "latest.json").read_text() == content
    assert [path.name for path in tmp_path.iterdir()] == ["latest.json"]


def test_a_latest_json_that_cannot_be_replaced_leaves_the_run_complete(tmp_path: Path) -> None:
    class Blocked(Listener):
        def case_finished(self, index: int, case: Case, result: Any) -> None:
            (tmp_path / "latest.json").mkdir()

    sp.benchmark("x")(summing)
    with pytest.raises(sp.StratoperfError, match=r"complete in .*x_.*\.json") as caught:
        sp.run("x", output=tmp_path, listener=Blocked(), **FAST)
    (path,) = tmp_path.glob("x_*.json")
    assert str(path) in str(caught.value)
    assert [result.status for result in sp.load(path).results] == ["ok"]
    assert not list(tmp_path.glob("*.journal"))


def test_a_link_called_latest_json_is_replaced_and_its_target_stays(tmp_path: Path) -> None:
    sp.benchmark("x")(summing)
    first = sp.run("x", output=tmp_path, **FAST)
    assert first.path is not None
    content = first.path.read_bytes()
    (tmp_path / "latest.json").unlink()
    (tmp_path / "latest.json").symlink_to(first.path.name)
    second = sp.run("x", output=tmp_path, **FAST)
    assert sp.load(tmp_path / "latest.json").id == second.id
    assert first.path.read_bytes() == content


def test_a_file_that_takes_the_name_of_the_run_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    class Rival(Listener):
        def case_finished(self, index: int, case: Case, result: Any) -> None:
            (journal,) = tmp_path.glob("*.journal")
            journal.with_suffix(".json").write_text("mine")

    sp.benchmark("x")(summing)
    with pytest.raises(sp.StratoperfError, match=r"move it elsewhere.*safe in"):
        sp.run("x", output=tmp_path, listener=Rival(), **FAST)
    (journal,) = tmp_path.glob("*.journal")
    path = journal.with_suffix(".json")
    assert path.read_text() == "mine"
    path.unlink()
    assert sp.run(resume=journal).path == path


def test_results_are_called_safe_only_where_they_are(tmp_path: Path) -> None:
    class Wipe(Listener):
        def case_started(self, index: int, case: Case) -> None:
            if index == 1:
                shutil.rmtree(tmp_path)

    declare()
    with pytest.raises(sp.StratoperfError, match=r"cannot write|removed") as caught:
        sp.run("kv.put", output=tmp_path, listener=Wipe(), **FAST)
    assert "safe in" not in str(caught.value)
    assert "--resume" not in str(caught.value)


LIVE: dict[str, Any] = {
    "schema": "stratoperf.run/1",
    "id": "0",
    "created": "2026-01-02T03:04:05Z",
    "preset": "live",
    "command": [],
    "stratoperf_version": "0",
    "systems": {},
    "live": {},
    "results": [],
}


def test_a_benchmark_that_closes_descriptors_harms_neither_the_run_nor_its_own_files(
    tmp_path: Path,
) -> None:
    mine = [tmp_path / f"mine{number}" for number in range(20)]
    for path in mine:
        path.write_text("mine" * 5000)

    class Careless(Listener):
        """Does between the cases what a benchmark does in one."""

        def case_started(self, index: int, case: Case) -> None:
            (lines,) = tmp_path.glob("*.journal/results.jsonl")
            for entry in [*Path("/proc/self/fd").iterdir()]:
                if entry.exists() and entry.samefile(lines):
                    os.close(int(entry.name))
            self.files = [path.open("r+") for path in mine]

        def case_finished(self, index: int, case: Case, result: Any) -> None:
            for file in self.files:
                file.close()

    declare()
    run = sp.run("kv.put", output=tmp_path, listener=Careless(), **FAST)
    assert [result.status for result in run.results] == ["ok", "ok"]
    assert {path.read_text() for path in mine} == {"mine" * 5000}
    assert not list(tmp_path.glob("*.journal"))


def test_without_locks_nothing_of_a_run_in_progress_is_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    running = start_file(tmp_path, dict(LIVE), ["live"])
    descriptor, writing = create_temporary(tmp_path)
    declare()
    run = sp.run("kv.put", output=tmp_path, **FAST)
    assert run.path is not None
    assert run.path.exists()
    assert len(list(tmp_path.glob("live_*.journal"))) == 1
    assert writing.exists()
    os.close(descriptor)
    running.abandon()


def test_the_journal_of_another_machine_is_not_dropped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr("stratoperf.results.journal.machine", lambda: "01234567")
        Journal.create(tmp_path / "live.journal", LIVE).close()
    declare()
    sp.run("kv.put", output=tmp_path, **FAST)
    assert (tmp_path / "live.journal").exists()
    with Journal.open(tmp_path / "live.journal") as journal:
        journal.update(systems={})
    sp.run("kv.put", output=tmp_path, **FAST)
    assert not (tmp_path / "live.journal").exists()


FORKING = """
import os, signal, sys, time
import stratoperf as sp

@sp.benchmark("x", params={"step": [1, 2]})
def x(step):
    if step == 1:
        return lambda: None
    ear, mouth = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(mouth, b"here")
        time.sleep(600)
        os._exit(0)
    os.read(ear, 4)
    print(child, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

sp.run("x", output=sys.argv[1], preset="ci", warmup_s=0, duration_s=0.02)
"""


def test_a_child_that_outlives_a_killed_run_does_not_block_its_journal(tmp_path: Path) -> None:
    command = [sys.executable, "-c", FORKING, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        try:
            process.wait(60)
            (journal,) = tmp_path.glob("*.journal")
            sp.benchmark("x", params={"step": [1, 2]})(lambda step: lambda: None)
            run = sp.run(resume=journal)
        finally:
            os.kill(child, signal.SIGKILL)
    assert [result.status for result in run.results] == ["ok", "ok"]


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
        with pytest.raises(sp.InvalidParameter, match=says("resume:", "leave out")):
            sp.run("kv.put", resume=journal)
        with pytest.raises(sp.InvalidParameter, match=says("resume:", "leave out")):
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
        with pytest.raises(sp.InvalidParameter, match="does not hold its plan"):
            sp.run(resume=run.path)

    def test_what_is_no_run_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(sp.SchemaError, match=r"no\.json"):
            sp.run(resume=tmp_path / "no.json")

    def test_a_copied_journal_goes_on_elsewhere(self, journal: Path, tmp_path: Path) -> None:
        moved = tmp_path / "other" / journal.name
        shutil.copytree(journal, moved)
        run = sp.run(resume=moved)
        assert run.path == moved.with_suffix(".json")

    def test_the_advice_quotes_the_path(self, journal: Path, tmp_path: Path) -> None:
        moved = tmp_path / "it's here" / journal.name
        shutil.copytree(journal, moved)
        words = shlex.split(resume_command(moved))
        assert words == ["stratoperf", "run", "--resume", str(moved)]
        assert sp.run(resume=words[-1]).path == moved.with_suffix(".json")

    def test_a_refused_resume_leaves_no_journal(
        self, journal: Path, benchmarks: Registry, tmp_path: Path
    ) -> None:
        path = sp.run(resume=journal).path
        assert path is not None
        before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
        benchmarks.remove("kv.put")
        declare(version=2)
        with pytest.raises(sp.InvalidParameter, match=r"version 1 .* now at 2"):
            sp.run(resume=path)
        assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before

    @pytest.mark.parametrize("suffix", [".json", ".journal"])
    def test_of_a_file_and_a_journal_all_results_are_kept(
        self, journal: Path, tmp_path: Path, suffix: str
    ) -> None:
        # As when the process dies after it has written the file, or right after resuming it.
        stale = tmp_path / "stale"
        shutil.copytree(journal, stale)
        path = sp.run(resume=journal).path
        assert path is not None
        metrics = [result.metrics for result in sp.load(path).results]
        stale.rename(journal)
        run = sp.run(resume=path.with_suffix(suffix))
        assert run.path == path
        assert [result.metrics for result in run.results] == metrics
        assert not journal.exists()

    def test_the_journal_of_another_run_does_not_stand_for_a_file(
        self, journal: Path, tmp_path: Path
    ) -> None:
        other = sp.run("kv.put", output=tmp_path / "other", **FAST).path
        assert other is not None
        shutil.copy(other, journal.with_suffix(".json"))
        with pytest.raises(sp.InvalidParameter, match=says(".json", "run", "move")):
            sp.run(resume=journal)
        before = sp.load(journal).id
        again = sp.run(resume=journal.with_suffix(".json"))
        assert again.id == sp.load(other).id
        assert sp.load(journal).id == before

    def test_the_next_run_drops_a_journal_that_the_file_has_all_of(self, journal: Path) -> None:
        stale = journal.parent / "stale" / journal.name
        shutil.copytree(journal, stale)
        sp.run(resume=journal)
        stale.rename(journal)
        sp.run("kv.put", output=journal.parent, **FAST)
        assert not journal.exists()

    def test_the_next_run_drops_the_empty_journal_of_a_live_comparison(self, journal: Path) -> None:
        empty = {**sp.load(journal).document, "id": "of another", "results": []}
        live = {name: value for name, value in empty.items() if name != "plan"} | {"live": {}}
        for name, document in (("live", live), ("planned", empty)):
            Journal.create(journal.with_name(f"{name}.journal"), document).close()
        sp.run("kv.put", output=journal.parent, **FAST)
        left = {path.name for path in journal.parent.glob("*.journal")}
        assert left == {"planned.journal", journal.name}

    def test_a_journal_that_appears_meanwhile_is_not_passed_over(
        self, journal: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        path = sp.run(resume=journal).path
        assert path is not None
        others: list[FileRecorder] = []
        is_journal_of = run_places.is_journal_of

        def meanwhile(place: Path, document: dict[str, Any]) -> bool:
            answer = is_journal_of(place, document)
            if not others:
                monkeypatch.undo()
                others.append(resume_file(path, dict)[1])
            return answer

        monkeypatch.setattr(start_recording, "is_journal_of", meanwhile)
        with pytest.raises(sp.InvalidParameter, match="in progress"):
            resume_file(path, dict)
        (other,) = others
        assert list(path.parent.glob("*.journal")) == [journal]
        other.abandon()

    def test_of_those_who_resume_at_once_one_wins(self, journal: Path) -> None:
        path = sp.run(resume=journal).path
        assert path is not None
        together = threading.Barrier(8)

        def resume(_: int) -> FileRecorder | str:
            together.wait(60)
            try:
                return resume_file(path, dict)[1]
            except sp.InvalidParameter as error:
                return str(error)

        with ThreadPoolExecutor(8) as threads:
            outcomes = list(threads.map(resume, range(8)))
        (winner,) = [outcome for outcome in outcomes if isinstance(outcome, FileRecorder)]
        refusals = [outcome for outcome in outcomes if isinstance(outcome, str)]
        assert all("in progress" in refusal for refusal in refusals)
        winner.abandon()
        assert not journal.exists()
