"""What dead processes left is swept, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import stratoperf as sp
from stratoperf.results import leftovers
from stratoperf.results.files import atomic_file
from stratoperf.results.journal import Journal
from stratoperf.results.leftovers import create_temporary, create_temporary_directory, sweep
from wording import says

WRITER = """
import sys, time
from pathlib import Path
from stratoperf.results.leftovers import create_temporary, create_temporary_directory
create_temporary(Path(sys.argv[1]))
create_temporary_directory(Path(sys.argv[1]))
print("ready", flush=True)
time.sleep(600)
"""


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """Run a process that is writing a file and building a journal."""
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        yield process
        process.kill()


def test_files_of_a_live_process_stay_and_those_of_a_dead_one_go(
    tmp_path: Path, writer: subprocess.Popen[str]
) -> None:
    before = set(tmp_path.iterdir())
    assert len(before) == 2
    sweep(tmp_path)
    assert set(tmp_path.iterdir()) == before
    writer.kill()
    writer.wait(60)
    with atomic_file(tmp_path / "next"):
        pass
    assert {path.name for path in tmp_path.iterdir()} == {"next"}


def test_files_of_another_machine_go_when_nobody_changed_them_for_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Its locks may be unknown here.
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(leftovers, "machine", lambda: "01234567")
        descriptor, path = create_temporary(tmp_path)
        lines, folder = create_temporary_directory(tmp_path)
    os.close(descriptor)
    os.close(lines)
    sweep(tmp_path)
    assert set(tmp_path.iterdir()) == {path, folder}
    for old in (path, folder):
        os.utime(old, (0, 0))
    sweep(tmp_path)
    assert set(tmp_path.iterdir()) == {folder}
    os.utime(folder / "results.jsonl", (0, 0))
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_files_that_this_process_is_writing_stay(tmp_path: Path) -> None:
    descriptor, path = create_temporary(tmp_path)
    lines, folder = create_temporary_directory(tmp_path)
    sweep(tmp_path)
    assert set(tmp_path.iterdir()) == {path, folder}
    os.close(descriptor)
    os.close(lines)


@pytest.mark.parametrize(
    "name",
    [
        ".stratoperf-0123456789abcdef01234567.part",
        ".stratoperf-0123456789abcdef0123456701234567.part",
        ".stratoperf-x.part",
        ".run.json.abcd1234.part",
        "x.part",
    ],
)
def test_what_only_looks_like_a_leftover_stays(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    sweep(tmp_path)
    assert (tmp_path / name).read_text() == "mine"


def test_a_leftover_that_holds_something_foreign_keeps_it(
    tmp_path: Path, document: dict[str, object]
) -> None:
    descriptor, folder = create_temporary_directory(tmp_path)
    os.close(descriptor)
    (folder / "notes.txt").write_text("mine")
    Journal.create(tmp_path / "run.journal", document).remove()
    assert [path.name for path in folder.iterdir()] == ["notes.txt"]


def test_a_link_in_place_of_a_leftover_is_not_followed(tmp_path: Path) -> None:
    descriptor, path = create_temporary(tmp_path)
    os.close(descriptor)
    path.unlink()
    (tmp_path / "mine").write_text("mine")
    path.symlink_to("mine")
    sweep(tmp_path)
    assert path.is_symlink()


def test_a_device_is_not_replaced_by_a_file(tmp_path: Path, document: dict[str, object]) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(sp.StratoperfError, match=r"pipe.*another name"):
        sp.results.Run(document).save(tmp_path / "pipe")
    with pytest.raises(sp.StratoperfError, match=r"null.*another name"):
        sp.results.Run(document).save("/dev/null")


def test_a_name_can_be_as_long_as_the_file_system_allows(
    tmp_path: Path, document: dict[str, object]
) -> None:
    run = sp.results.Run(document)
    assert sp.load(run.save(tmp_path / ("x" * 255))).id == run.id
    with pytest.raises(sp.StratoperfError, match=says("File name too long", "shorter")):
        run.save(tmp_path / ("x" * 256))


def test_a_name_need_not_be_utf_8(tmp_path: Path, document: dict[str, object]) -> None:
    run = sp.results.Run(document)
    path = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.json"))
    assert sp.load(run.save(path)).id == run.id
