"""The journal of a run in progress."""

from __future__ import annotations

import errno
import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest

import stratoperf as sp
from stratoperf import door
from stratoperf.results.journal import Journal
from stratoperf.results.storage import LONGEST_INLINE_COLUMN
from wording import says

Tree = dict[str, Any]


@pytest.fixture
def results(document: Tree) -> list[Tree]:
    results: list[Tree] = document["results"]
    return results


@pytest.fixture
def journal(tmp_path: Path, document: Tree) -> Journal:
    return Journal.create(tmp_path / "run.journal", {**document, "results": []})


def test_each_result_can_be_read_as_soon_as_it_is_written(
    journal: Journal, results: list[Tree]
) -> None:
    assert sp.load(journal.path).results == []
    for count, result in enumerate(results, start=1):
        journal.append(result)
        assert len(sp.load(journal.path).results) == count
    journal.close()


def test_long_columns_lie_beside_the_lines(journal: Journal, results: list[Tree]) -> None:
    results[0]["series"][0]["columns"]["latency"] = np.arange(LONGEST_INLINE_COLUMN + 1.0)
    journal.append(results[0])
    assert (journal.path / "results.jsonl").stat().st_size < 5000
    column = sp.load(journal.path).results[0].series[0].columns["latency"]
    assert column[-1] == LONGEST_INLINE_COLUMN
    journal.close()


@pytest.mark.parametrize("cut", [1, 20, 100])
def test_a_torn_last_line_is_left_out_and_written_over(
    journal: Journal, results: list[Tree], cut: int
) -> None:
    for result in results:
        journal.append(result)
    journal.close()
    lines = journal.path / "results.jsonl"
    lines.write_bytes(lines.read_bytes()[:-cut])
    assert len(sp.load(journal.path).results) == 1
    with Journal.open(journal.path) as again:
        again.append(results[1])
    assert [result.status for result in sp.load(journal.path).results] == ["ok", "skipped"]


def test_damage_in_the_middle_is_named(journal: Journal, results: list[Tree]) -> None:
    for result in results:
        journal.append(result)
    journal.close()
    lines = journal.path / "results.jsonl"
    lines.write_bytes(b"{broken\n" + lines.read_bytes())
    with pytest.raises(sp.SchemaError, match=r"results\.jsonl, line 1"):
        sp.load(journal.path)


def test_two_processes_cannot_write_to_one_journal(journal: Journal) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("belongs", "progress")):
        Journal.open(journal.path)
    journal.close()
    Journal.open(journal.path).close()


def test_a_journal_is_not_started_over_another(journal: Journal, document: Tree) -> None:
    journal.close()
    with pytest.raises(FileExistsError, match="choose another name"):
        Journal.create(journal.path, document)


def test_finished_results_are_taken_over_with_their_arrays(tmp_path: Path, document: Tree) -> None:
    document["results"][0]["series"][0]["columns"]["latency"] = np.ones(LONGEST_INLINE_COLUMN + 1)
    path = sp.Run(document).save(tmp_path / "run.json")
    journal = Journal.create(tmp_path / "run.journal", dict(sp.load(path).document))
    run = sp.load(journal.path)
    assert run.results[0].series[0].columns["latency"].sum() == LONGEST_INLINE_COLUMN + 1
    # Saved back beside the arrays, nothing is copied.
    run.save(path)
    assert sp.load(path).results[0].series[0].columns["latency"][0] == 1
    assert {file.name for file in tmp_path.iterdir()} == {"run.json", "run.npz", "run.journal"}
    journal.remove()
    assert not journal.path.exists()


def test_a_journal_of_an_earlier_version_has_no_mark_and_is_read(
    journal: Journal, document: Tree, results: list[Tree]
) -> None:
    journal.append(results[0])
    journal.close()
    header = json.loads((journal.path / "run.json").read_text())
    del header["journal"]
    (journal.path / "run.json").write_text(json.dumps(header))
    with pytest.raises(sp.SchemaError, match="journal"):
        Journal.open(journal.path)
    (journal.path / "run.json").write_text(json.dumps({**header, "plan": {}}))
    with Journal.open(journal.path) as again:
        assert [result["key"] for result in again.results] == [results[0]["key"]]


def test_the_mark_does_not_reach_the_run_file(journal: Journal, tmp_path: Path) -> None:
    path = sp.load(journal.path).save(tmp_path / "copy.json")
    assert "journal" not in json.loads(path.read_text())
    journal.close()


def test_removal_leaves_what_is_not_its_own(journal: Journal, results: list[Tree]) -> None:
    journal.append(results[0])
    (journal.path / "notes.txt").write_text("mine")
    (journal.path / "0000.npz").unlink(missing_ok=True)
    (journal.path / "0000.npz").mkdir()
    journal.remove()
    assert {path.name for path in journal.path.iterdir()} == {"notes.txt", "0000.npz"}
    with pytest.raises(sp.SchemaError, match=r"run\.journal"):
        sp.load(journal.path)


def test_removal_spares_a_journal_of_the_same_name_that_came_later(
    journal: Journal, document: Tree
) -> None:
    journal.remove()
    with Journal.create(journal.path, document):
        journal.remove()
        assert journal.path.is_dir()


def test_a_journal_that_is_removed_under_a_run_is_noticed(
    journal: Journal, results: list[Tree]
) -> None:
    shutil.rmtree(journal.path)
    with pytest.raises(sp.StratoperfError, match=r"run\.journal"):
        journal.append(results[0])
    journal.close()


def test_an_empty_directory_does_not_block_the_name(tmp_path: Path, document: Tree) -> None:
    (tmp_path / "run.journal").mkdir()
    Journal.create(tmp_path / "run.journal", document).remove()
    assert list(tmp_path.iterdir()) == []


def descriptor_of(journal: Journal) -> int:
    """Return the number under which this process has the lines of a journal open."""
    lines = journal.path / "results.jsonl"
    (number,) = (
        int(entry.name)
        for entry in Path("/proc/self/fd").iterdir()
        if entry.exists() and entry.samefile(lines)
    )
    return number


class Mine(NamedTuple):
    """A file that a benchmark opened under the number of the journal's descriptor."""

    path: Path
    number: int

    def is_untouched(self) -> bool:
        """Return whether it is still open and has its content."""
        is_open = os.path.samestat(os.fstat(self.number), self.path.stat())
        return is_open and self.path.read_text() == CONTENT


CONTENT = "mine" * 1000


@pytest.fixture
def mine(journal: Journal, tmp_path: Path) -> Iterator[Mine]:
    path = tmp_path / "mine"
    path.write_text(CONTENT)
    number = descriptor_of(journal)
    with path.open("r+b") as file:
        os.dup2(file.fileno(), number, inheritable=False)
    yield Mine(path, number)
    os.close(number)


class TestAJournalWhoseDescriptorABenchmarkClosed:
    def test_is_opened_again_and_loses_nothing(self, journal: Journal, results: list[Tree]) -> None:
        journal.append(results[0])
        os.close(descriptor_of(journal))
        journal.append(results[1])
        assert len(sp.load(journal.path).results) == 2
        with pytest.raises(sp.InvalidParameter, match="in progress"):
            Journal.open(journal.path)
        journal.close()

    def test_does_not_write_to_the_file_that_has_its_number_now(
        self, journal: Journal, results: list[Tree], mine: Mine
    ) -> None:
        for result in results:
            journal.append(result)
        assert len(sp.load(journal.path).results) == 2
        journal.close()
        assert mine.is_untouched()

    @pytest.mark.parametrize("end", [Journal.close, Journal.remove])
    def test_does_not_close_the_file_that_has_its_number_now(
        self, journal: Journal, mine: Mine, end: Callable[[Journal], None]
    ) -> None:
        end(journal)
        assert mine.is_untouched()
        assert journal.path.exists() == (end is Journal.close)

    def test_is_left_to_who_has_it_now(
        self, journal: Journal, results: list[Tree], mine: Mine
    ) -> None:
        with Journal.open(journal.path) as other:
            with pytest.raises(sp.StratoperfError, match=r"run\.journal.*another process"):
                journal.append(results[0])
            other.append(results[1])
        with pytest.raises(sp.StratoperfError, match=r"run\.journal.*another process"):
            journal.append(results[0])
        journal.remove()
        assert [result.key for result in sp.load(journal.path).results] == [results[1]["key"]]
        assert mine.is_untouched()

    def test_says_when_it_was_removed(
        self, journal: Journal, results: list[Tree], mine: Mine
    ) -> None:
        shutil.rmtree(journal.path)
        with pytest.raises(sp.StratoperfError, match=r"run\.journal.*removed.*new run"):
            journal.append(results[0])
        assert mine.is_untouched()


def test_a_journal_that_took_the_place_of_another_is_not_removed_with_it(
    journal: Journal, document: Tree, results: list[Tree]
) -> None:
    shutil.rmtree(journal.path)
    with Journal.create(journal.path, document):
        with pytest.raises(sp.StratoperfError, match=r"run\.journal.*replaced"):
            journal.append(results[0])
        journal.remove()
        assert len(sp.load(journal.path).results) == len(results)


def test_adding_a_result_does_not_read_the_others_again(
    journal: Journal, results: list[Tree], monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(door, "read_bytes", lambda *_, **__: pytest.fail("it was read"))
        for result in results:
            journal.append(result)
    assert len(sp.load(journal.path).results) == 2
    journal.close()


@pytest.mark.parametrize("limit", ["LARGEST_JSON", "MOST_OBJECTS", "MOST_VALUES"])
@pytest.mark.parametrize("opens_again", [False, True])
def test_no_journal_grows_beyond_what_can_be_read(
    journal: Journal,
    results: list[Tree],
    monkeypatch: pytest.MonkeyPatch,
    limit: str,
    opens_again: bool,
) -> None:
    journal.append(results[0])
    line = door.Outline.of((journal.path / "results.jsonl").read_bytes())
    names = ("LARGEST_JSON", "MOST_OBJECTS", "MOST_VALUES")
    if opens_again:
        journal.close()
        journal = Journal.open(journal.path)
    monkeypatch.setattr(door, limit, 3 * line[names.index(limit)] - 1)
    journal.append(results[0])
    with pytest.raises(sp.StratoperfError, match=says("results.jsonl:", "fewer", "cases")):
        journal.append(results[0])
    assert len(sp.load(journal.path).results) == 2
    journal.close()


def test_without_locks_it_is_opened_only_where_that_is_safe(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr("fcntl.flock", refuse)
    with pytest.raises(sp.InvalidParameter, match=r"cannot lock .*run\.journal.*file system"):
        Journal.open(journal.path, must_lock=True)
    Journal.open(journal.path).close()
    journal.close()
