"""Runs from files and folders; in a folder, a file that cannot be read is left out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from stratoperf.errors import SchemaError
from stratoperf.paths import is_directory
from stratoperf.results import Run, load
from stratoperf.results.names import JOURNAL_SUFFIX, LATEST


class Unreadable(NamedTuple):
    """A file in a folder that is left out, and why."""

    path: Path
    why: str


class Folder(NamedTuple):
    """The runs in a folder, each once, by the name of its file."""

    runs: list[Run]
    unreadable: list[Unreadable]


def is_folder(path: Path) -> bool:
    """Return whether a path is a folder of run files, and not the journal of a single run."""
    return is_directory(path) and path.suffix != JOURNAL_SUFFIX


def load_folder(path: Path, argument: str) -> Folder:
    """Load what can be read of the run files in a folder.

    Parameters
    ----------
    path
        The folder.
    argument
        Name of the argument, for messages.

    Raises
    ------
    SchemaError
        When the folder cannot be read, or there are files and none can be.
    """
    runs: dict[str, Run] = {}
    unreadable: list[Unreadable] = []
    # The newest run is there twice, once as latest.json.
    for file in sorted(_run_files(path, argument), key=lambda file: (file.name == LATEST, file)):
        try:
            run = load(file)
        except SchemaError as error:
            unreadable.append(Unreadable(file, str(error).removeprefix(f"{file}: ")))
        else:
            runs.setdefault(run.id, run)
    if unreadable and not runs:
        raise SchemaError(
            f"{argument}: no file in {path} can be read, {len(unreadable)} tried; the first: "
            f"{unreadable[0].path}: {unreadable[0].why}"
        )
    return Folder(list(runs.values()), unreadable)


def _run_files(folder: Path, argument: str) -> list[Path]:
    try:
        # `Path.glob` returns nothing where nothing may be read.
        return [file for file in folder.iterdir() if file.name.endswith(".json")]
    except OSError as error:
        raise SchemaError(f"{argument}: cannot read {folder}: {error.strerror or error}") from error
