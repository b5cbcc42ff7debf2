"""The journal of a run in progress."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.results.journal import Journal
from stratoperf.results.storage import LONGEST_INLINE_COLUMN

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
    with pytest.raises(sp.InvalidParameter, match="belongs to a run in progress"):
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
