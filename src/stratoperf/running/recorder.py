"""Where the results of a run go while it runs, and at its end."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from stratoperf.errors import StratoperfError
from stratoperf.results import Run, storage
from stratoperf.results.files import atomic_file
from stratoperf.results.journal import Journal
from stratoperf.results.journal_lines import read_journal
from stratoperf.results.names import ARRAYS, HEADER, LATEST
from stratoperf.results.part_seconds import positive_seconds
from stratoperf.results.parts import with_open_cases
from stratoperf.results.plans import resume_command
from stratoperf.running.run_places import check_is_run, check_latest

LOST = "lost_seconds"
"""Key of a run: by the key of a case, how long processes lasted that gave no part."""


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
        self._parts: dict[str, list[dict[str, Any]]] = {}
        self._lost: dict[str, float] = {}

    @property
    def results(self) -> list[dict[str, Any]]:
        """The cases that were added."""
        results: list[dict[str, Any]] = self._document["results"]
        return results

    def parts(self, key: str) -> list[dict[str, Any]]:
        """Return what single processes contributed to a case so far."""
        return list(self._parts.get(key, []))

    def add_system(self, identity: str, described: dict[str, Any]) -> None:
        """Keep what is known of the machine."""
        self._document["systems"][identity] = described

    def add_part(self, part: dict[str, Any]) -> None:
        """Keep what one process contributed to its case."""
        self._parts.setdefault(part["key"], []).append(part)

    def lost_seconds(self, key: str) -> float:
        """Return how long processes of a case lasted that gave no part."""
        return self._lost.get(key, 0.0)

    def add_lost(self, key: str, seconds: float) -> None:
        """Keep how long a process lasted that gave no part."""
        self._lost[key] = self.lost_seconds(key) + seconds

    def add(self, result: dict[str, Any]) -> None:
        """Keep the result of a case."""
        self.results.append(result)

    def finish(self, keys: Iterable[str], *, complete: bool) -> Run:
        """Return the run, its results in the order of `keys`."""
        del complete
        results = with_open_cases(self.results, self._parts, self.base)
        return Run({**self._document, "results": ordered(results, keys)})

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
        """The cases that were added."""
        return self._journal.results

    def parts(self, key: str) -> list[dict[str, Any]]:
        """Return what single processes contributed to a case, before an interruption too.

        References in them are relative to `base`.
        """
        return list(self._journal.parts.get(key, []))

    def add_system(self, identity: str, described: dict[str, Any]) -> None:
        """Bring what is known of the machine to the disk."""
        try:
            self._journal.update(systems={**self._journal.header["systems"], identity: described})
        except StratoperfError as error:
            raise self._advised(error) from error

    def add_part(self, part: dict[str, Any]) -> None:
        """Bring to the disk what one process contributed to its case; errors as for `add`."""
        try:
            self._journal.append_part(part)
        except StratoperfError as error:
            raise self._advised(error) from error

    def lost_seconds(self, key: str) -> float:
        """Return how long processes of a case lasted that gave no part, in all sessions."""
        lost = self._journal.header.get(LOST)
        return positive_seconds(lost.get(key)) if isinstance(lost, dict) else 0.0

    def add_lost(self, key: str, seconds: float) -> None:
        """Bring to the disk how long a process lasted that gave no part; errors as for `add`."""
        known = self._journal.header.get(LOST)
        known = known if isinstance(known, dict) else {}
        try:
            self._journal.update(**{LOST: {**known, key: self.lost_seconds(key) + seconds}})
        except StratoperfError as error:
            raise self._advised(error) from error

    def add(self, result: dict[str, Any]) -> None:
        """Bring the result of a case to the disk; samples that its parts have only once.

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
        """Write the run file, update ``latest.json`` if the run is complete, drop the journal.

        Raises
        ------
        StratoperfError
            When that fails; says where the results are.
        """
        try:
            document = self._journal.document
            document["results"] = ordered(document["results"], keys)
            Run(document, self._journal.path / HEADER)
            check_is_run(self._path, document["id"], "output")
            storage.save_tree(
                document, self._journal.path, self._path, staging=self._journal.path / ARRAYS
            )
        except StratoperfError as error:
            raise self._advised(error) from error
        self._journal.remove()
        if complete:
            self._update_latest()
        return Run(storage.read_tree(self._path), self._path)

    def abandon(self) -> None:
        """Let go of the journal; remove it when nothing was added to what the disk had before."""
        if self._journal.is_new:
            self._journal.remove()
        self._journal.close()

    def _update_latest(self) -> None:
        latest = self._path.with_name(LATEST)
        try:
            check_latest(latest.parent, "output")
            # The same bytes: references name files of the same directory.
            with atomic_file(latest) as file:
                file.write(self._path.read_bytes())
        except StratoperfError as error:
            raise StratoperfError(
                f"{error}. The run is complete in {self._path}; copy it to {latest.name}"
            ) from error

    def _advised(self, error: StratoperfError) -> StratoperfError:
        """Add to an error where the finished results are, if they are there."""
        path = self._journal.path
        try:
            results = read_journal(path)["results"]
        except StratoperfError:
            results = []
        if not results:
            return error
        # A live comparison has none: it cannot go on at another moment.
        has_plan = "plan" in self._journal.header
        resuming = f", or go on with: {resume_command(path)}" if has_plan else ""
        count = len(_finished(results))
        kept = "The finished result is" if count == 1 else f"The {count} finished results are"
        if count < len(results):
            kept = "What was measured is"
        return StratoperfError(
            f"{error}. {kept} safe in {path}: load that with stratoperf.load{resuming}"
        )


def _finished(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [result for result in results if result["status"] != "interrupted"]


def ordered(results: list[dict[str, Any]], keys: Iterable[str]) -> list[dict[str, Any]]:
    """Return one result a key, the newest, in the order of `keys`."""
    newest = {result["key"]: result for result in results}
    return [newest[key] for key in keys if key in newest]
