"""Where the results of a run go while it runs, and at its end."""

from __future__ import annotations

import itertools
import re
import shutil
from collections.abc import Iterable
from datetime import datetime
from pathlib import Path
from typing import Any

from stratoperf.errors import StratoperfError
from stratoperf.results import Run, storage
from stratoperf.results.files import atomic_file, check_directory
from stratoperf.results.journal import Journal

LATEST = "latest.json"
"""The newest complete run of a directory, by the run-file contract."""

_LONGEST_NAME = 60


class MemoryRecorder:
    """Keeps the results of a run that is not saved.

    Parameters
    ----------
    document
        The run so far.
    """

    path: Path | None = None
    base: Path | None = None

    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document

    @property
    def results(self) -> list[dict[str, Any]]:
        """What is finished."""
        results: list[dict[str, Any]] = self._document["results"]
        return results

    def add_system(self, identity: str, described: dict[str, Any]) -> None:
        """Keep what is known of the machine."""
        self._document["systems"][identity] = described

    def add(self, result: dict[str, Any]) -> None:
        """Keep a finished result."""
        self.results.append(result)

    def finish(self, keys: Iterable[str], *, complete: bool) -> Run:
        """Return the run, its results in the order of `keys`."""
        del complete
        return Run({**self._document, "results": ordered(self.results, keys)})

    def abandon(self) -> None:
        """Forget the run."""


class FileRecorder:
    """Journals the results of a run and turns the journal into a run file at the end.

    Parameters
    ----------
    path
        The run file to be.
    journal
        Its journal.
    """

    def __init__(self, path: Path, journal: Journal) -> None:
        self.path: Path | None = path
        self.base: Path | None = journal.path
        self._path = path
        self._journal = journal

    @property
    def results(self) -> list[dict[str, Any]]:
        """What is finished."""
        return self._journal.results

    def add_system(self, identity: str, described: dict[str, Any]) -> None:
        """Bring what is known of the machine to the disk."""
        self._journal.update(systems={**self._journal.header["systems"], identity: described})

    def add(self, result: dict[str, Any]) -> None:
        """Bring a finished result to the disk.

        Raises
        ------
        StratoperfError
            When that fails; says where the finished results are and how to go on.
        """
        try:
            self._journal.append(result)
        except StratoperfError as error:
            raise self._advised(error) from error

    def finish(self, keys: Iterable[str], *, complete: bool) -> Run:
        """Write the run file, update ``latest.json`` if the run is complete, drop the journal."""
        document = self._journal.document
        document["results"] = ordered(document["results"], keys)
        try:
            Run(document, self._journal.path / "run.json").save(self._path)
            if complete:
                # The same bytes: references name files of the same directory.
                with atomic_file(self._path.with_name(LATEST)) as file:
                    file.write(self._path.read_bytes())
        except StratoperfError as error:
            raise self._advised(error) from error
        self._journal.remove()
        return Run(storage.read_tree(self._path), self._path)

    def abandon(self) -> None:
        """Leave the journal on the disk, or remove it when there is nothing in it."""
        self._journal.close()
        if not self.results:
            shutil.rmtree(self._journal.path, ignore_errors=True)

    def _advised(self, error: StratoperfError) -> StratoperfError:
        journal = self._journal.path
        # A live comparison has none: it cannot go on at another moment.
        has_plan = "plan" in self._journal.header
        resuming = f", or go on with: stratoperf run --resume {journal}" if has_plan else ""
        return StratoperfError(
            f"{error}. The {len(self.results)} finished results are safe in {journal}: read them "
            f"with stratoperf.load{resuming}"
        )


def start_file(directory: Path, document: dict[str, Any], words: Iterable[str]) -> FileRecorder:
    """Start a run file named after the selection and the time.

    Raises
    ------
    InvalidParameter
        When files cannot be written in the directory.
    """
    check_directory(directory, "output")
    time = datetime.fromisoformat(document["created"].replace("Z", "+00:00"))
    plain = f"{_file_name(words)}_{time:%Y%m%dT%H%M%SZ}"
    for number in itertools.count(1):
        path = directory / f"{plain}.json" if number == 1 else directory / f"{plain}-{number}.json"
        if path.exists():
            continue
        try:
            # Another run may begin in the same second: who makes the journal has the name.
            return FileRecorder(path, Journal.create(_journal_of(path), document))
        except FileExistsError:
            continue
    raise AssertionError("there is always another number")


def resume_file(source: Path) -> tuple[FileRecorder, dict[str, Any]]:
    """Go on with an interrupted run.

    Parameters
    ----------
    source
        Its journal, or its run file.

    Returns
    -------
    tuple
        The recorder and the document so far.

    Raises
    ------
    InvalidParameter
        When the run cannot be continued.
    SchemaError
        When the file cannot be read.
    """
    if source.is_dir():
        journal = Journal(source)
        path = source.with_suffix(".json")
    else:
        path = source
        if _journal_of(path).is_dir():
            # Written before the run was killed or the disk was full: it knows more than the file.
            return resume_file(_journal_of(path))
        document = dict(Run(storage.read_tree(path), path).document)
        check_directory(path.parent, "resume")
        document["results"] = [
            result for result in document["results"] if result["status"] != "interrupted"
        ]
        journal = Journal.create(_journal_of(path), document)
    return FileRecorder(path, journal), journal.document


def ordered(results: list[dict[str, Any]], keys: Iterable[str]) -> list[dict[str, Any]]:
    """Return one result a key, the newest, in the order of `keys`."""
    newest = {result["key"]: result for result in results}
    return [newest[key] for key in keys if key in newest]


def _journal_of(path: Path) -> Path:
    return path.with_suffix(".journal")


def _file_name(words: Iterable[str]) -> str:
    """Return the selection as a part of a file name."""
    name = "+".join(re.sub(r"[^\w.+-]+", "-", word.replace("*", "all")) for word in words) or "all"
    return name[:_LONGEST_NAME].strip("-.") or "all"
