"""``stratoperf report`` as users call it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from report_ground import skipped_result, suite
from wording import mentions


def test_a_report_of_the_latest_run_is_written_where_one_would_look(
    stratoperf: Callable[..., Any], tmp_path: Path
) -> None:
    suite().save(tmp_path / "results" / "latest.json")
    for _ in range(2):
        ending = stratoperf("report")
        assert ending.code == 0
        assert "saved: performance_report.html" in ending.err
        assert ending.out == ""
    assert (tmp_path / "performance_report.html").read_text().startswith("<!DOCTYPE html>")


def test_files_and_folders_make_one_report(stratoperf: Callable[..., Any], tmp_path: Path) -> None:
    first = suite(1.0, 1).save(tmp_path / "first.json")
    suite(1.0, 2).save(tmp_path / "more" / "second.json")
    (tmp_path / "more" / "bad.json").write_text("{")
    ending = stratoperf(
        *("report", str(first), "--input", str(tmp_path / "more"), "--baseline", str(first)),
        *("--output", "out/page.html", "--split", "out/parts", "--json"),
    )
    assert ending.code == 0
    told = json.loads(ending.out)
    assert told["runs"] == ["run-1", "run-2"]
    assert told["results"] == 8
    assert mentions(told["left_out"][0]["what"], "bad.json")
    assert told["path"] == "out/page.html"
    assert told["bytes"] == (tmp_path / "out" / "page.html").stat().st_size
    assert len(told["assets"]) == 2


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["results/latest.json", "does not exist", "stratoperf run"]),
        (["none.json"], ["none.json", "does not exist"]),
        (["text.json"], ["text.json"]),
        (["run.json", "--baseline", "none.json"], ["baseline:", "none.json", "does not exist"]),
        (["run.json", "--output", "folder"], ["--output:", "folder", "directory"]),
        (["run.json", "--output", "run.json"], ["--output:", "run.json", "run file"]),
        (["run.json", "--output", "-"], ["--output:", "report.html"]),
        (["run.json", "--output", "stdout"], ["stdout", "choose another name"]),
        (["run.json", "--split", "text.json"], ["--split:", "text.json"]),
        (["run.json", "--output", "a", "--split", "./a"], ["--split:", "page", "another folder"]),
        (["run.json", "--output", "a", "--split", "a/b"], ["--split:", "page", "another folder"]),
        (
            ["run.json", "--output", "a/stratoperf-report.css", "--split", "a"],
            ["--split:", "another folder"],
        ),
        (["folder"], ["input:", "folder", "no run file"]),
        (["run.json", "--what"], ["--what"]),
    ],
    ids=" ".join,
)
def test_a_mistake_is_said_in_one_sentence(
    stratoperf: Callable[..., Any], tmp_path: Path, arguments: list[str], parts: list[str]
) -> None:
    suite().save(tmp_path / "run.json")
    (tmp_path / "text.json").write_text("no run")
    (tmp_path / "folder").mkdir()
    # As /dev/stdout is, where a regular file is the output.
    (tmp_path / "stdout").symlink_to("/proc/self/fd/1")
    ending = stratoperf("report", *arguments)
    assert ending.code == (1 if "stdout" in arguments else 2)
    assert mentions(ending.err, *parts)
    assert (tmp_path / "stdout").is_symlink()
    assert not list(tmp_path.rglob("*.html"))


def test_a_run_with_skipped_cases_alone_has_a_report(
    stratoperf: Callable[..., Any], tmp_path: Path
) -> None:
    document = {**suite().document, "results": [skipped_result()]}
    (tmp_path / "run.json").write_text(json.dumps(document))
    ending = stratoperf("report", "run.json")
    assert ending.code == 0
    text = (tmp_path / "performance_report.html").read_text()
    assert "no GPU was found" in re.sub(r"<[^>]+>", " ", text)
