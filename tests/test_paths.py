"""Every public function refuses what is no path with a sentence that names the argument."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.analysis.thresholds import load_thresholds
from stratoperf.paths import absolute_path, is_directory, is_file
from stratoperf.stratoswarm.consensus import VoteBatch

pytestmark = pytest.mark.usefixtures("benchmarks")

COMMAND = sp.Command(("true",))


class PathOfBytes:
    def __fspath__(self) -> bytes:
        return b"x"


REFUSED: Mapping[str, tuple[Any, str]] = {
    "a null character": ("a\0b.npz", "null"),
    "a lone surrogate": ("\ud800.npz", "ud800"),
    "a number": (5, "expected a path.*5"),
    "bytes": (b"x.npz", "expected a path.*x.npz"),
    "a path of bytes": (PathOfBytes(), "expected a path"),
    "a list": (["x"], "expected a path"),
}


def votes() -> VoteBatch:
    ones = np.ones(1, np.uint32)
    return VoteBatch(voter=ones, proposal=ones, value=ones, round=ones)


def run(**given: Any) -> object:
    sp.benchmark("x")(lambda: pytest.fail("it was measured"))
    return sp.run("x" if "output" in given else None, **given)


def live(output: Any) -> object:
    return sp.compare_live(COMMAND, COMMAND, duration_s=1, output=output)


@pytest.mark.parametrize("bad", REFUSED)
@pytest.mark.parametrize(
    ("argument", "call"),
    [
        ("output", lambda path: run(output=path)),
        ("resume", lambda path: run(resume=path)),
        ("output", live),
        ("path", sp.load),
        ("path", lambda path: sp.Run(DOCUMENT, path)),
        ("path", lambda path: sp.Run(DOCUMENT).save(path)),
        ("path", VoteBatch.load),
        ("path", lambda path: votes().save(path)),
        ("thresholds", load_thresholds),
    ],
)
def test_what_is_no_path_is_refused(
    argument: str,
    call: Callable[[Any], object],
    bad: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    path, why = REFUSED[bad]
    with pytest.raises(sp.InvalidParameter, match=rf"^{argument}: .*{why}"):
        call(path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("compare", [lambda path: sp.compare(path, path), sp.history])
@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_stored_runs_are_not_looked_for_under_what_is_no_path(
    compare: Callable[[str], object], path: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^(baseline|stored): .*remove null"):
        compare(path)


DOCUMENT: dict[str, Any] = {
    "schema": "stratoperf.run/1",
    "id": "0",
    "created": "2026-01-02T03:04:05Z",
    "preset": "ci",
    "command": [],
    "stratoperf_version": "0",
    "systems": {},
    "results": [],
}


def test_a_path_may_have_bytes_that_are_not_valid_utf_8(tmp_path: Path) -> None:
    path = os.fsdecode(os.fsencode(tmp_path) + b"/\xff")
    assert str(absolute_path("output", path)) == path


@pytest.mark.parametrize("name", ["a" * 300, "a\0b", "\ud800", "a/" * 3000, "missing"])
def test_what_cannot_be_looked_at_is_neither_a_file_nor_a_directory(name: str) -> None:
    assert not is_directory(Path(name))
    assert not is_file(Path(name))


def test_files_and_directories_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert is_directory(tmp_path)
    assert not is_file(tmp_path)
    assert is_file(tmp_path / "file")
    assert not is_directory(tmp_path / "file")
