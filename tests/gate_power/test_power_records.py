"""Records survive kills, and have one writer."""

from __future__ import annotations

from pathlib import Path

import pytest

from gate.records import Record, Store

RECORDS: list[Record] = [{"trial": f"live/{index}/0/0.05", "number": index} for index in range(3)]


def test_records_come_back_as_they_were_written(store: Store) -> None:
    store.append(RECORDS[:2])
    store.append(RECORDS[2:])
    assert store.records() == RECORDS


def test_a_file_that_is_cut_short_anywhere_gives_its_whole_lines(tmp_path: Path) -> None:
    store = Store(tmp_path, "live")
    store.append(RECORDS)
    path = tmp_path / "checks-live.jsonl"
    whole = path.read_bytes()
    for end in range(len(whole)):
        path.write_bytes(whole[:end])
        ends = [index for index, byte in enumerate(whole) if byte == ord("\n")]
        # The line is whole when only its end is missing.
        complete = sum(index <= end for index in ends)
        assert store.records() == RECORDS[:complete]


def test_a_line_that_was_cut_short_does_not_swallow_the_next_record(tmp_path: Path) -> None:
    store = Store(tmp_path, "live")
    store.append(RECORDS[:2])
    path = tmp_path / "checks-live.jsonl"
    path.write_bytes(path.read_bytes()[:-5])
    store.append(RECORDS[2:])
    assert store.records() == [RECORDS[0], RECORDS[2]]


def test_writers_of_two_streams_see_each_others_records(tmp_path: Path) -> None:
    first, second = Store(tmp_path, "live"), Store(tmp_path, "others")
    first.append(RECORDS[:1])
    second.append(RECORDS[1:])
    assert first.records() == second.records() == RECORDS


def test_a_second_writer_of_the_same_gate_is_refused(tmp_path: Path) -> None:
    first, second = Store(tmp_path, "others"), Store(tmp_path, "rules")
    with (
        first.claimed(["stored", "rules"]),
        pytest.raises(BlockingIOError, match="'rules'"),
        second.claimed(["rules"]),
    ):
        pass
    # The first has ended.
    with second.claimed(["rules"]):
        pass


def test_writers_of_different_gates_work_side_by_side(tmp_path: Path) -> None:
    first, second = Store(tmp_path, "stored"), Store(tmp_path, "rules")
    with first.claimed(["stored"]), second.claimed(["rules"]):
        first.append(RECORDS[:1])
        second.append(RECORDS[1:])
    assert len(first.records()) == 3
