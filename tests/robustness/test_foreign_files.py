"""Whatever lies beside run files and journals stays as it is, whatever is done there."""

from __future__ import annotations

import contextlib
import os
import random
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.results.journal import Journal
from stratoperf.results.leftovers import create_temporary, sweep
from stratoperf.running.start_recording import resume_file, start_file
from strikes import carry_on, document, result, unheard

NAME = "x_20260102T030405Z"
"""What a run of `document` is called."""

Seen = dict[str, object]


def seen(path: Path) -> object:
    """Return all that can be seen of a file or a tree, without following links."""
    status = path.lstat()
    content: object = None
    if path.is_symlink():
        content = path.readlink()
    elif path.is_dir():
        content = {inner.name: seen(inner) for inner in path.iterdir()}
    elif path.is_file():
        content = path.read_bytes()
    return stat.S_IFMT(status.st_mode), status.st_ino, content


def tree_with_header(path: Path) -> None:
    (path / "src").mkdir(parents=True)
    (path / "src" / "main.py").write_text("print()")
    (path / "run.json").write_text("{}")


def tree_with_journal_names(path: Path) -> None:
    path.mkdir()
    sp.results.Run({**document("foreign"), "results": [result("a")]}).save(path / "run.json")
    (path / "results.jsonl").write_text("")


def journal_with_notes(path: Path) -> None:
    place = path.with_suffix(".journal")
    if not os.path.lexists(place):
        with Journal.create(place, document("noted")) as journal:
            journal.append(result("b"))
        (place / "notes.txt").write_text("mine")


def linked_journal(path: Path) -> None:
    target = path.with_name("linked.journal")
    if not target.exists():
        with Journal.create(target, document("linked")) as journal:
            journal.append(result("b"))
        (target / "keep").write_text("mine")
    path.symlink_to(target)


KINDS: tuple[Callable[[Path], object], ...] = (
    lambda path: path.write_text("mine"),
    lambda path: path.write_text("{}"),
    lambda path: path.write_bytes(b""),
    lambda path: path.symlink_to("nowhere"),
    lambda path: path.symlink_to(path.parent),
    lambda path: os.mkfifo(path),
    tree_with_header,
    tree_with_journal_names,
    journal_with_notes,
    linked_journal,
)

NAMES = (
    "proj",
    "proj.journal",
    f"{NAME}.journal",
    f"{NAME}.json",
    f"{NAME}.npz",
    f"{NAME}-2.journal",
    f"{NAME}-2.npz",
    f"{NAME}-3.json",
    "latest.json",
    ".stratoperf-0123456789abcdef0123456701234567.part",
    f".{NAME}.json.abcd1234.part",
    "x.part",
    "arrays.npz",
    "results.jsonl",
)


def start(folder: Path, chance: random.Random) -> None:
    recorder = start_file(folder, document(f"run {chance.random()}"), ["x"])
    carry_on(recorder, unheard)


def start_and_die(folder: Path, chance: random.Random) -> None:
    recorder = start_file(folder, document(f"run {chance.random()}"), ["x"])
    if chance.random() < 0.7:
        recorder.add(result(chance.choice("ab")))
        # Closes it, and leaves it on the disk.
        recorder.abandon()


def start_and_abandon(folder: Path, chance: random.Random) -> None:
    start_file(folder, document(f"run {chance.random()}"), ["x"]).abandon()


def resume(folder: Path, chance: random.Random) -> None:
    _, recorder = resume_file(chance.choice(sorted(folder.iterdir())), dict)
    carry_on(recorder, unheard)


def resume_and_refuse(folder: Path, chance: random.Random) -> None:
    def refuse(_: object) -> None:
        raise sp.InvalidParameter("refused")

    before = seen(folder)
    with contextlib.suppress(sp.StratoperfError):
        resume_file(chance.choice(sorted(folder.iterdir())), refuse)
    assert seen(folder) == before, "a refused resume changed the disk"


def leave_temporary(folder: Path, chance: random.Random) -> None:
    descriptor, _ = create_temporary(folder)
    os.close(descriptor)


def sweeping(folder: Path, chance: random.Random) -> None:
    sweep(folder)


ACTIONS = (
    start,
    start_and_die,
    start_and_abandon,
    resume,
    resume,
    resume_and_refuse,
    leave_temporary,
    sweeping,
)


@pytest.mark.slow("tries 60 seeds")
@pytest.mark.parametrize("seed", range(60))
def test_nothing_foreign_is_ever_changed(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    for name in chance.sample(NAMES, 6):
        if not os.path.lexists(tmp_path / name):
            chance.choice(KINDS)(tmp_path / name)
    foreign = {path: seen(path) for path in tmp_path.iterdir()}
    for _ in range(12):
        action = chance.choice(ACTIONS)
        with contextlib.suppress(sp.StratoperfError):
            action(tmp_path, chance)
        now = {path: seen(path) if os.path.lexists(path) else None for path in foreign}
        assert now == foreign, action.__name__
    sweep(tmp_path)
    assert not [path for path in tmp_path.glob(".stratoperf-*") if path not in foreign]


def refused(folder: Path, source: Path, match: str) -> None:
    before = seen(folder)
    with pytest.raises((sp.InvalidParameter, sp.SchemaError), match=match):
        sp.run(resume=source)
    assert seen(folder) == before


def test_only_a_journal_is_resumed(tmp_path: Path) -> None:
    tree_with_header(tmp_path / "proj")
    refused(tmp_path, tmp_path / "proj", "proj.*stratoperf run")
    tree_with_header(tmp_path / "proj.journal")
    refused(tmp_path, tmp_path / "proj.journal", "proj.journal.*stratoperf run")
    tree_with_journal_names(tmp_path / "full.journal")
    refused(tmp_path, tmp_path / "full.journal", "full.journal.*stratoperf run")
    journal_with_notes(tmp_path / "noted")
    refused(tmp_path, tmp_path / "noted.journal", "notes.txt.*move")
    linked_journal(tmp_path / "link.journal")
    refused(tmp_path, tmp_path / "link.journal", "link.journal.*symbolic link")
    os.mkfifo(tmp_path / "pipe.journal")
    refused(tmp_path, tmp_path / "pipe.journal", "pipe.journal.*regular")
    (tmp_path / "file.journal").write_text("{}")
    refused(tmp_path, tmp_path / "file.journal", "file.journal")
    (tmp_path / "empty.journal").mkdir()
    refused(tmp_path, tmp_path / "empty.journal", "empty.journal.*stratoperf run")
    refused(tmp_path, tmp_path / "missing.journal", "missing.journal")
    refused(tmp_path, tmp_path / ("x" * 300), "x: File name too long")
    refused(tmp_path, tmp_path / "x\0y", "null")
    (tmp_path / "round.json").symlink_to("round.json")
    refused(tmp_path, tmp_path / "round.json", "round.json")


def test_the_header_of_a_journal_is_not_resumed_as_a_run_file(tmp_path: Path) -> None:
    Journal.create(tmp_path / "x.journal", document()).close()
    refused(tmp_path, tmp_path / "x.journal" / "run.json", r"part of a journal.*x\.journal")


def test_no_run_is_saved_into_what_is_called_a_journal(tmp_path: Path) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"output: .*x\.journal.*another"):
        start_file(tmp_path / "x.journal", document(), ["x"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["results.jsonl", "run.json"])
@pytest.mark.parametrize(
    "replace", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to("/dev/zero")]
)
def test_a_journal_with_something_else_in_place_of_a_file_is_refused(
    tmp_path: Path, name: str, replace: Callable[[Path], Any]
) -> None:
    place = tmp_path / "x.journal"
    Journal.create(place, document()).close()
    (place / name).unlink()
    replace(place / name)
    refused(tmp_path, place, r"x\.journal")
