"""Every public function that takes a path refuses a wrong one with a sentence."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.analysis.thresholds import load_thresholds
from stratoperf.stratoswarm.containers.settings import check_root

NOBODY = 65534

Call = Callable[[Any], object]


class Odd:
    """A path that has none."""

    def __fspath__(self) -> str:
        raise ZeroDivisionError

    def __repr__(self) -> str:
        raise ZeroDivisionError


NO_PATHS: Mapping[str, Any] = {
    "null": "a\0b",
    "surrogate": "\ud800",
    "number": 5,
    "bytes": b"bytes",
    "empty": "",
    "odd": Odd(),
}

# Some functions take some of these: they write there, or read the runs of a folder.
UNLIKELY_PATHS = {
    "long": "a" * 300,
    "long folder": "a" * 300 + "/b.json",
    "longer than any": "a/" * 5000,
    "folder": "folder",
    "folder with suffix": "folder.csv",
    "in a file": "file/run.json",
    "missing": "missing/run.csv",
}


def run() -> sp.Run:
    return sp.Run(
        {
            "schema": "stratoperf.run/1",
            "id": "a",
            "created": "2026-01-01T00:00:00Z",
            "systems": {},
            "results": [],
        }
    )


def votes() -> sp.consensus.VoteBatch:
    return sp.consensus.VoteBatch.generate(3)


READERS: dict[str, Call] = {
    "load": sp.load,
    "compare": lambda path: sp.compare(path, run()),
    "compare: current": lambda path: sp.compare([run()], [path]),
    "compare: history": lambda path: sp.compare(run(), run(), history=path),
    "history": sp.history,
    "import_results": sp.import_results,
    "import_results: several": lambda path: sp.import_results([path]),
    "history of several": lambda path: sp.history([run(), path]),
    "load_thresholds": load_thresholds,
    "VoteBatch.load": sp.consensus.VoteBatch.load,
    "VoteBatch.load: csv": lambda path: sp.consensus.VoteBatch.load(
        f"{path}.csv" if isinstance(path, str) and path else path
    ),
    "Spawner.spawn: root": check_root,
    "TierManager": lambda path: sp.memory.TierManager(use="cpu", directories={"nvme": path}),
    "Command: input": lambda path: sp.compare_live(
        sp.Command(("true",), input=path), sp.Command(("true",)), duration_s=0.1
    ),
    "Command: cwd": lambda path: sp.compare_live(
        sp.Command(("true",), cwd=path), sp.Command(("true",)), duration_s=0.1
    ),
    "Environment: python": lambda path: sp.compare_live(
        sp.Environment(python=path), sp.Environment(), "clock.*", duration_s=0.1
    ),
    "Environment: modules": lambda path: sp.compare_live(
        sp.Environment(modules=(path,)), sp.Environment(), "clock.*", duration_s=0.1
    ),
}

WRITERS: dict[str, Call] = {
    "Run.save": lambda path: run().save(path),
    "VoteBatch.save": lambda path: votes().save(path),
    "VoteBatch.save: csv": lambda path: votes().save(
        f"{path}.csv" if isinstance(path, str) and path else path
    ),
}

FACES = {**READERS, **WRITERS}


@pytest.fixture(autouse=True)
def _in_a_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for folder in ("folder", "folder.csv"):
        Path(folder).mkdir()
    Path("file").write_text("5")


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("what", NO_PATHS)
def test_what_is_no_path_is_refused(face: str, what: str) -> None:
    with pytest.raises(sp.InvalidParameter) as caught:
        FACES[face](NO_PATHS[what])
    check_sentence(caught.value)


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("what", UNLIKELY_PATHS)
def test_nothing_but_a_sentence_comes_of_an_unlikely_path(face: str, what: str) -> None:
    try:
        FACES[face](UNLIKELY_PATHS[what])
    except (sp.StratoperfError, FileNotFoundError) as error:
        check_sentence(error)


def check_sentence(error: Exception) -> None:
    sentence = str(error)
    # As a log or a terminal gets it.
    sentence.encode()
    assert "\0" not in sentence
    assert 10 < len(sentence) < 12_000


@contextlib.contextmanager
def _forbidden(folder: Path) -> Iterator[None]:
    """Take away the right to look into a folder, also from root."""
    is_root = os.geteuid() == 0
    folder.chmod(0)
    if is_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        folder.chmod(0o700)


# Children of this process would run as nobody: they need more than the folder.
@pytest.mark.parametrize(
    "face", [face for face in FACES if not face.startswith(("Environment", "Command", "Tier"))]
)
@pytest.mark.parametrize("name", ["closed", "closed/run.json", "closed/votes.csv"])
def test_a_path_without_permission_is_refused_with_the_reason(
    tmp_path: Path, face: str, name: str
) -> None:
    closed = tmp_path / "closed"
    closed.mkdir()
    with contextlib.suppress(sp.StratoperfError, FileNotFoundError):
        # What is imported on first use is there then.
        FACES[face]("missing.csv")
    with _forbidden(closed), pytest.raises(sp.StratoperfError) as caught:
        FACES[face](str(tmp_path / name))
    suffix = Path(name).suffix == ".csv" or face.endswith("csv")
    if suffix or not face.startswith("VoteBatch"):
        assert "denied" in str(caught.value) or "a directory" in str(caught.value)
