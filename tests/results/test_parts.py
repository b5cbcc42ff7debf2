"""What single processes contribute to a case: kept one by one, and never measured again."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.results.journal import Journal
from stratoperf.results.parts import check_part, identity_of, measured, parts_of
from stratoperf.results.storage import LONGEST_INLINE_COLUMN
from stratoperf.running.recorder import FileRecorder, MemoryRecorder
from stratoperf.running.start_recording import resume_file, start_file
from wording import says

Tree = dict[str, Any]

SHORT = 3
LONG = LONGEST_INLINE_COLUMN + 1
KEY = "kv.put[backend=cpu,size=64]"


@pytest.fixture
def empty(document: Tree) -> Tree:
    return {**document, "plan": {"request": {}, "keys": [KEY]}, "results": []}


@pytest.fixture
def part(document: Tree) -> Tree:
    result: Tree = document["results"][0]
    return result


def of_process(part: Tree, number: int, length: int = SHORT) -> Tree:
    samples = np.arange(float(length)) + number
    series = {**part["series"][0], "process": f"p{number}", "columns": {"latency": samples}}
    return {**part, "series": [series]}


def over(parts: list[Tree]) -> Tree:
    """Return the result of a case over its parts, as the runner makes it."""
    return {**parts[0], "series": [series for part in parts for series in part["series"]]}


def samples_of(result: Any) -> list[list[float]]:
    return [series.columns["latency"].tolist() for series in result.series]


def expected(*numbers: int, length: int = SHORT) -> list[list[float]]:
    return [(np.arange(float(length)) + number).tolist() for number in numbers]


def journal_of(folder: Path) -> Path:
    (journal,) = folder.glob("*.journal")
    return journal


@pytest.mark.parametrize("length", [SHORT, LONG])
class TestAPartIsOnTheDiskWhenItWasAdded:
    def test_and_makes_an_interrupted_result_with_the_others(
        self, tmp_path: Path, empty: Tree, part: Tree, length: int
    ) -> None:
        recorder = start_file(tmp_path, empty, ["x"])
        for number in range(3):
            recorder.add_part(of_process(part, number, length))
            (result,) = sp.load(journal_of(tmp_path)).results
            assert result.status == "interrupted"
            assert str(number + 1) in (result.reason or "")
            assert samples_of(result) == expected(*range(number + 1), length=length)
        recorder.abandon()

    def test_and_the_result_of_its_case_does_not_repeat_its_samples(
        self, tmp_path: Path, empty: Tree, part: Tree, length: int
    ) -> None:
        recorder = start_file(tmp_path, empty, ["x"])
        parts = [of_process(part, number, length) for number in range(3)]
        for entry in parts:
            recorder.add_part(entry)
        before = sorted(path.name for path in journal_of(tmp_path).iterdir())
        # As the runner has them, and as the journal gave them back.
        recorder.add(over(parts))
        lines = (journal_of(tmp_path) / "results.jsonl").read_text().splitlines()
        assert [series["columns"] for series in json.loads(lines[-1])["series"]] == [0, 1, 2]
        assert sorted(path.name for path in journal_of(tmp_path).iterdir()) == before
        (result,) = sp.load(journal_of(tmp_path)).results
        assert (result.status, samples_of(result)) == ("ok", expected(0, 1, 2, length=length))
        run = recorder.finish([KEY], complete=True)
        assert samples_of(run.results[0]) == expected(0, 1, 2, length=length)
        assert "parts" not in run.document["results"][0]

    def test_and_is_given_back_to_a_run_that_goes_on(
        self, tmp_path: Path, empty: Tree, part: Tree, length: int
    ) -> None:
        recorder = start_file(tmp_path, empty, ["x"])
        recorder.add_part(of_process(part, 0, length))
        recorder.abandon()
        accepted, recorder = resume_file(journal_of(tmp_path), dict)
        assert [result["status"] for result in accepted["results"]] == ["interrupted"]
        (known,) = recorder.parts(KEY)
        recorder.add_part(of_process(part, 1, length))
        recorder.add(over([known, of_process(part, 1, length)]))
        run = recorder.finish([KEY], complete=True)
        assert samples_of(run.results[0]) == expected(0, 1, length=length)
        assert list(tmp_path.glob("*.journal")) == []

    def test_and_survives_in_the_run_file_of_an_interrupted_run(
        self, tmp_path: Path, empty: Tree, part: Tree, length: int
    ) -> None:
        recorder = start_file(tmp_path, empty, ["x"])
        for number in range(2):
            recorder.add_part(of_process(part, number, length))
        run = recorder.finish([KEY], complete=False)
        assert run.results[0].status == "interrupted"
        # Twice, since a run can be interrupted more than once.
        for number in (2, 3):
            assert run.path is not None
            _, recorder = resume_file(run.path, dict)
            assert [identity_of(known) for known in recorder.parts(KEY)] == [
                f"p{earlier}" for earlier in range(number)
            ]
            recorder.add_part(of_process(part, number, length))
            run = recorder.finish([KEY], complete=False)
        _, recorder = resume_file(Path(str(run.path)), dict)
        parts = recorder.parts(KEY)
        recorder.add(over(parts))
        run = recorder.finish([KEY], complete=True)
        assert samples_of(run.results[0]) == expected(0, 1, 2, 3, length=length)
        assert "parts" not in run.document["results"][0]
        assert list(tmp_path.glob("*.journal")) == []


def test_a_part_has_all_that_the_process_said(tmp_path: Path, empty: Tree, part: Tree) -> None:
    said = {**of_process(part, 0), "later": {"versions": ["may", 1]}}
    recorder = start_file(tmp_path, empty, ["x"])
    recorder.add_part(said)
    path = recorder.finish([KEY], complete=False).path
    _, recorder = resume_file(Path(str(path)), dict)
    (known,) = recorder.parts(KEY)
    samples = said["series"][0]["columns"]["latency"].tolist()
    assert known == {**said, "series": [{**said["series"][0], "columns": {"latency": samples}}]}
    recorder.abandon()


def test_a_run_that_is_not_saved_knows_its_parts_too(
    tmp_path: Path, empty: Tree, part: Tree
) -> None:
    recorder = MemoryRecorder(empty)
    recorder.add_part(of_process(part, 0))
    assert [identity_of(known) for known in recorder.parts(KEY)] == ["p0"]
    assert recorder.parts("another") == []
    run = recorder.finish([KEY], complete=False)
    assert run.results[0].status == "interrupted"
    # Saved by hand it can go on as well.
    _, again = resume_file(run.save(tmp_path / "run.json"), dict)
    assert [identity_of(known) for known in again.parts(KEY)] == ["p0"]
    again.abandon()


def test_what_the_run_file_knows_beyond_its_journal_is_kept(
    tmp_path: Path, empty: Tree, part: Tree
) -> None:
    recorder = start_file(tmp_path, empty, ["x"])
    assert recorder.path is not None
    recorder.add_part(of_process(part, 0))
    recorder.abandon()
    run = sp.load(journal_of(tmp_path))
    more = [of_process(part, number, LONG) for number in (0, 1)]
    memory = MemoryRecorder(empty)
    for entry in more:
        memory.add_part(entry)
    memory.finish([KEY], complete=False).save(recorder.path)
    assert run.id == sp.load(recorder.path).id
    _, again = resume_file(journal_of(tmp_path), dict)
    assert [identity_of(known) for known in again.parts(KEY)] == ["p0", "p1"]
    again.add(over(again.parts(KEY)))
    (result,) = again.finish([KEY], complete=True).results
    assert samples_of(result) == [*expected(0), *expected(1, length=LONG)]


def test_a_journal_is_needed_as_long_as_it_has_a_part_that_the_run_file_has_not(
    tmp_path: Path, empty: Tree, part: Tree
) -> None:
    def left(saved: list[Tree], kept: list[Tree], name: str) -> bool:
        folder = tmp_path / name
        recorder = start_file(folder, dict(empty), ["x"])
        for part in kept:
            recorder.add_part(part)
        recorder.abandon()
        memory = MemoryRecorder({**empty, "results": []})
        for entry in saved:
            memory.add_part(entry)
        memory.finish([KEY], complete=False).save(str(recorder.path))
        start_file(folder, {**empty, "id": "other", "created": "2027-01-01T00:00:00Z"}, ["y"])
        return recorder.base is not None and recorder.base.exists()

    first, second = of_process(part, 0), of_process(part, 1)
    assert not left([first, second], [first], "has-more")
    assert not left([first], [first], "has-the-same")
    assert left([first], [second], "has-another")
    assert left([first], [first, second], "has-less")


def interrupted(parts: list[Tree], reason: str) -> Tree:
    return {**over(parts), "status": "interrupted", "reason": reason}


@pytest.mark.parametrize("length", [SHORT, LONG])
def test_an_interrupted_result_over_all_parts_says_why(
    tmp_path: Path, empty: Tree, part: Tree, length: int
) -> None:
    parts = [of_process(part, number, length) for number in range(2)]
    recorder = start_file(tmp_path, empty, ["x"])
    recorder.add_part(parts[0])
    # Killed before the run file was written, and resumed.
    recorder.add(interrupted(parts[:1], "1 of 6"))
    recorder.abandon()
    _, recorder = resume_file(journal_of(tmp_path), dict)
    recorder.add_part(parts[1])
    recorder.add(interrupted([*reversed(parts)], "2 of 6"))
    assert [result.reason for result in sp.load(journal_of(tmp_path)).results] == ["2 of 6"]
    run = recorder.finish([KEY], complete=False)
    assert run.results[0].reason == "2 of 6"
    assert samples_of(run.results[0]) == expected(1, 0, length=length)
    _, recorder = resume_file(Path(str(run.path)), dict)
    assert [identity_of(known) for known in recorder.parts(KEY)] == ["p0", "p1"]
    recorder.add(over(recorder.parts(KEY)))
    assert [entry.status for entry in recorder.finish([KEY], complete=True).results] == ["ok"]


@pytest.mark.parametrize("numbers", [[], [0], [2]])
def test_an_interrupted_result_that_lacks_a_part_is_what_the_parts_say(
    tmp_path: Path, empty: Tree, part: Tree, numbers: list[int]
) -> None:
    recorder = start_file(tmp_path, empty, ["x"])
    for number in range(2):
        recorder.add_part(of_process(part, number))
    recorder.add(interrupted([of_process(part, number) for number in [0, *numbers]], "half"))
    (result,) = recorder.finish([KEY], complete=False).results
    assert samples_of(result) == expected(0, 1)
    assert result.reason != "half"


def test_a_part_without_samples_is_told_from_others(part: Tree) -> None:
    crashed = {**part, "status": "failed", "reason": "crashed", "series": []}
    assert identity_of(crashed) == identity_of(dict(crashed))
    assert identity_of(crashed) != identity_of({**crashed, "reason": "hung"})


def test_parts_of_two_cases_are_kept_apart(tmp_path: Path, empty: Tree, part: Tree) -> None:
    other = {**part, "key": "other"}
    recorder = start_file(tmp_path, empty, ["x"])
    recorder.add_part(of_process(part, 0))
    recorder.add_part(of_process(other, 1))
    recorder.add(over(recorder.parts("other")))
    run = recorder.finish([KEY, "other"], complete=False)
    assert [result.status for result in run.results] == ["interrupted", "ok"]
    assert measured(run.document["results"]) == {(KEY, "p0"), ("other", "")}


@pytest.mark.parametrize("cut", [1, 30])
def test_a_part_that_was_cut_off_is_written_over(
    tmp_path: Path, empty: Tree, part: Tree, cut: int
) -> None:
    recorder = start_file(tmp_path, empty, ["x"])
    for number in range(2):
        recorder.add_part(of_process(part, number, LONG))
    recorder.abandon()
    lines = journal_of(tmp_path) / "results.jsonl"
    lines.write_bytes(lines.read_bytes()[:-cut])
    _, recorder = resume_file(journal_of(tmp_path), dict)
    assert [identity_of(known) for known in recorder.parts(KEY)] == ["p0"]
    recorder.add_part(of_process(part, 2, LONG))
    (result,) = recorder.finish([KEY], complete=False).results
    assert samples_of(result) == expected(0, 2, length=LONG)


def line(tree: object) -> bytes:
    return json.dumps(tree).encode() + b"\n"


BAD_SHARES = {"no such series": [7], "before the first": [-1], "one of them twice": [0, 0]}


@pytest.mark.parametrize("numbers", BAD_SHARES.values(), ids=BAD_SHARES)
def test_a_journal_that_shares_what_it_has_not_is_refused(
    tmp_path: Path, empty: Tree, part: Tree, numbers: list[int]
) -> None:
    with Journal.create(tmp_path / "x.journal", empty) as journal:
        journal.append_part(of_process(part, 0))
    series = [{**part["series"][0], "columns": number} for number in numbers]
    with (journal.path / "results.jsonl").open("ab") as file:
        file.write(line({**part, "series": series}))
    for reads in (sp.load, Journal.open):
        with pytest.raises(sp.SchemaError, match=rf"line 2.*columns {numbers[0]}.*delete"):
            reads(journal.path)


BAD_PARTS = {
    "a number": 3,
    "without a key": {"benchmark": "x", "backend": "cpu", "status": "ok"},
    "with a number for a series": {"key": "x", "benchmark": "x", "backend": "cpu", "series": [1]},
    "with a list of metrics": {"key": "x", "benchmark": "x", "backend": "cpu", "metrics": []},
}


@pytest.mark.parametrize("bad", BAD_PARTS.values(), ids=BAD_PARTS)
def test_a_journal_with_a_bad_part_is_refused(tmp_path: Path, empty: Tree, bad: object) -> None:
    Journal.create(tmp_path / "x.journal", empty).close()
    (tmp_path / "x.journal" / "results.jsonl").write_bytes(line({"part": bad}))
    for reads in (sp.load, Journal.open):
        with pytest.raises(sp.SchemaError, match=r"results\.jsonl, line 1.*part"):
            reads(tmp_path / "x.journal")


@pytest.mark.parametrize("numbers", [[[7]], [[0, 0]], [[0], [0]], [["0"]], [[-1]], [0]])
def test_a_run_file_with_parts_that_it_has_not_is_refused(
    document: Tree, part: Tree, numbers: list[Any]
) -> None:
    parts = [{**part, "series": own} for own in numbers]
    result = {**part, "status": "interrupted", "parts": parts}
    with pytest.raises(sp.SchemaError, match=r"results\[0\]\.parts\[\d\]"):
        sp.Run({**document, "results": [result]})


def test_a_run_file_without_parts_carries_none(document: Tree) -> None:
    assert [parts_of(result) for result in document["results"]] == [[], []]


def test_a_resumed_run_of_an_earlier_version_measures_its_interrupted_case_again(
    tmp_path: Path, empty: Tree, part: Tree
) -> None:
    result = {**of_process(part, 0), "status": "interrupted"}
    path = sp.Run({**empty, "results": [result]}).save(tmp_path / "old.json")
    accepted, recorder = resume_file(path, dict)
    assert isinstance(recorder, FileRecorder)
    assert (accepted["results"], recorder.results, recorder.parts(KEY)) == ([], [], [])
    recorder.abandon()


def test_series_with_the_same_samples_stay_apart(tmp_path: Path, empty: Tree, part: Tree) -> None:
    twice = of_process(part, 0)
    twice["series"] *= 2
    recorder = start_file(tmp_path, empty, ["x"])
    recorder.add_part(twice)
    recorder.add({**twice, "series": [*twice["series"], twice["series"][0]]})
    (result,) = sp.load(journal_of(tmp_path)).results
    assert samples_of(result) == expected(0, 0, 0)
    recorder.abandon()


@pytest.mark.parametrize(
    "wrong",
    [
        {"status": "failed"},
        {"metrics": {}},
        {"metrics": {"latency": {"summary": None}}},
        {"metrics": 5},
        {"series": []},
        {"series": [{}]},
        {"warmup": None},
        {"warnings": None},
        {"notes": "none"},
        {"environment": None},
    ],
)
def test_a_part_that_lacks_what_a_result_is_made_of_is_refused(part: Tree, wrong: Tree) -> None:
    part = {"warnings": [], "notes": [], "environment": {}, **part}
    check_part(of_process(part, 1), KEY)
    with pytest.raises(sp.SchemaError, match=re.escape(KEY)):
        check_part(of_process(part, 1) | wrong, KEY)
    for name in wrong:
        lacking = of_process(part, 1)
        del lacking[name]
        with pytest.raises(sp.SchemaError, match=says("start", "new")):
            check_part(lacking, KEY)
