"""Which runs a history has, and what is left out of it."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.analysis.history import Trend
from stratoperf.results.journal import Journal
from stratoperf.results.storage import encode
from wording import says

MakeRun = Callable[..., sp.Run]


def only(history: sp.History) -> Trend:
    (trend,) = history.trends
    return trend


def saved(runs: Sequence[sp.Run], folder: Path) -> Path:
    for number, run in enumerate(runs):
        run.save(folder / f"run_{number:02}.json")
    return folder


def test_the_newest_run_is_counted_once_under_its_own_name(dated: MakeRun, tmp_path: Path) -> None:
    saved([dated(0), dated(1)], tmp_path)
    shutil.copy(tmp_path / "run_01.json", tmp_path / "latest.json")
    found = sp.history(tmp_path)
    assert found.runs == 2
    assert [Path(moment.path or "").name for moment in only(found).moments] == [
        "run_00.json",
        "run_01.json",
    ]


def test_live_comparisons_are_left_out_and_named(dated: MakeRun, tmp_path: Path) -> None:
    saved([dated(0), dated(1, header={"preset": "live"})], tmp_path)
    found = sp.history(tmp_path)
    assert found.runs == 1
    (left,) = found.left_out
    assert left.what.endswith("run_01.json")
    assert "live comparison" in left.why


@pytest.mark.parametrize(
    "content", ["", '{"schema": "stratoperf.run/1", "id":', "[]", '{"schema": "other/9"}']
)
def test_a_file_that_cannot_be_read_is_left_out_and_named(
    dated: MakeRun, tmp_path: Path, content: str
) -> None:
    saved([dated(0)], tmp_path)
    (tmp_path / "torn.json").write_text(content)
    found = sp.history(tmp_path)
    assert found.runs == 1
    assert [left.what for left in found.left_out] == [str(tmp_path / "torn.json")]


def test_a_run_without_a_date_is_left_out(dated: MakeRun, tmp_path: Path) -> None:
    saved([dated(0)], tmp_path)
    document = {**dated(0).document, "created": "yesterday"}
    (tmp_path / "old.json").write_bytes(encode(document))
    found = sp.history(tmp_path)
    assert found.runs == 1
    assert "'yesterday'" in found.left_out[0].why


def unfinished(run: sp.Run, path: Path, **keys: Any) -> Journal:
    document = {**run.document, "results": []} | keys
    return Journal.create(path, document)


def test_a_run_that_did_not_end_is_left_out_with_the_command_that_goes_on(
    dated: MakeRun, tmp_path: Path
) -> None:
    folder = tmp_path / "a folder"
    saved([dated(0)], folder)
    plan = {"request": {"select": ["x"]}, "keys": []}
    unfinished(dated(1), folder / "quick_1.journal", plan=plan).close()
    (left,) = sp.history(folder).left_out
    assert f"stratoperf run --resume '{folder}/quick_1.journal'" in left.why


@pytest.mark.parametrize(
    ("keys", "why"),
    [({"live": {}}, "live comparison"), ({"plan": {}}, "request"), ({}, "journal")],
)
def test_no_command_is_advised_that_would_be_refused(
    dated: MakeRun, tmp_path: Path, keys: dict[str, Any], why: str
) -> None:
    saved([dated(0)], tmp_path)
    unfinished(dated(1), tmp_path / "live_1.journal", **keys).close()
    (left,) = sp.history(tmp_path).left_out
    assert why in left.why
    assert "--resume" not in left.why


def test_a_run_in_progress_is_said_to_be_one(dated: MakeRun, tmp_path: Path) -> None:
    saved([dated(0)], tmp_path)
    plan: dict[str, Any] = {"request": {}, "keys": []}
    with unfinished(dated(1), tmp_path / "quick_1.journal", plan=plan):
        (left,) = sp.history(tmp_path).left_out
    assert "in progress" in left.why


def test_an_empty_directory_with_the_name_of_a_journal_is_named(
    dated: MakeRun, tmp_path: Path
) -> None:
    saved([dated(0)], tmp_path)
    (tmp_path / "quick_1.journal").mkdir()
    (left,) = sp.history(tmp_path).left_out
    assert left.what == str(tmp_path / "quick_1.journal")
    assert "--resume" not in left.why


def test_a_later_minor_version_is_read(dated: MakeRun, tmp_path: Path) -> None:
    run = dated(0)
    document = {**run.document, "weather": "fine"}
    document["results"][0]["color"] = {"any": 1}
    sp.Run(document).save(tmp_path / "new.json")
    found = sp.history(tmp_path)
    assert found.runs == 1
    assert found.left_out == ()


def test_nothing_but_unreadable_files_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "torn.json").write_text("{")
    with pytest.raises(sp.SchemaError, match=r"no file .* can be read, 1 tried.*torn\.json"):
        sp.history(tmp_path)


def test_an_empty_directory_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("stratoperf", "writes")):
        sp.history(tmp_path)
    with pytest.raises(sp.InvalidParameter, match="nowhere"):
        sp.history(tmp_path / "nowhere")


def test_nothing_but_live_comparisons_is_an_error(dated: MakeRun) -> None:
    with pytest.raises(sp.InvalidParameter, match="live comparison"):
        sp.history(dated(0, header={"preset": "live"}))


def test_earlier_runs_are_ignored_on_request(stepped: list[sp.Run]) -> None:
    for since in (
        "2026-11-21",
        "2026-11-21T03:00:00Z",
        datetime(2026, 11, 21, 3, tzinfo=timezone.utc),
    ):
        assert sp.history(stepped, since=since).runs == 10
    with pytest.raises(sp.InvalidParameter, match="all 30 runs"):
        sp.history(stepped, since="2027-01-01")


@pytest.mark.parametrize("word", ["kv.get", "kv.g*", "kv.get[backend=cpu,size=64]"])
def test_benchmarks_are_selected_by_name_pattern_or_key(dated: MakeRun, word: str) -> None:
    run = dated(0, {"kv.put": 1.0, "kv.get": 2.0})
    assert only(sp.history(run, word)).benchmark == "kv.get"
    assert len(sp.history(run, ["single-node"]).trends) == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"select": "kv.putt"}, "did you mean 'kv.put'"),
        ({"statistic": "p90"}, "did you mean 'p9"),
        ({"since": "soon"}, "since: 'soon'"),
        ({"threshold": 0.0}, "threshold"),
        ({"threshold": math.nan}, "threshold"),
        ({"error": 1.0}, "error"),
    ],
)
def test_wrong_arguments_are_named(dated: MakeRun, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        sp.history(dated(0), **arguments)
