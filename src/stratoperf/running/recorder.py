"""Where the results of a run go while it runs, and at its end."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from stratoperf.errors import InvalidParameter, SchemaError, StratoperfError
from stratoperf.paths import is_directory
from stratoperf.results import Run, storage
from stratoperf.results.files import atomic_file, check_directory, looks_like_run
from stratoperf.results.journal import Journal
from stratoperf.results.journal_lines import read_journal
from stratoperf.results.names import ARRAYS, HEADER, JOURNAL_SUFFIX, LATEST, PARTS
from stratoperf.results.part_seconds import positive_seconds
from stratoperf.results.parts import measured, with_open_cases
from stratoperf.results.plans import resume_command

_LONGEST_NAME = 60  # bytes


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


def start_file(directory: Path, document: dict[str, Any], words: Iterable[str]) -> FileRecorder:
    """Start a run file named after the selection and the time.

    Raises
    ------
    InvalidParameter
        When files cannot be written in the directory.
    """
    if directory.suffix == JOURNAL_SUFFIX:
        raise InvalidParameter(
            f"output: {directory} has the name of a journal; choose another directory"
        )
    check_directory(directory, "output")
    if "plan" in document:
        check_latest(directory, "output")
    _drop_needless_journals(directory)
    time = datetime.fromisoformat(document["created"].replace("Z", "+00:00"))
    plain = f"{_file_name(words)}_{time:%Y%m%dT%H%M%SZ}"
    for path in _numbered(directory / f"{plain}.json"):
        if os.path.lexists(path):
            continue
        try:
            # Another run may begin in the same second: who makes the journal has the name.
            journal = Journal.create(_journal_of(path), document)
        except FileExistsError:
            continue
        if not os.path.lexists(path):
            return FileRecorder(path, journal)
        # The other run has ended already.
        journal.remove()
    raise AssertionError("there is always another number")


Accepted = TypeVar("Accepted")


def resume_file(
    source: Path, accept: Callable[[dict[str, Any]], Accepted]
) -> tuple[Accepted, FileRecorder]:
    """Go on with an interrupted run.

    Parameters
    ----------
    source
        Its journal, or its run file.
    accept
        Is given the document so far, and raises what it thinks of it: nothing on the disk has
        changed by then.

    Returns
    -------
    tuple
        What `accept` returned, and the recorder.

    Raises
    ------
    InvalidParameter
        When the run cannot be continued.
    SchemaError
        When the file cannot be read.
    """
    if not os.path.lexists(source) and is_directory(_journal_of(source)):
        return resume_file(_journal_of(source), accept)
    if is_directory(source):
        return _resume_journal(source, source.parent / f"{source.stem}.json", accept)
    # Through a link, so that the run file is replaced and not the link.
    path = Path(os.path.realpath(source))
    if path.name == HEADER and path.parent.suffix == JOURNAL_SUFFIX:
        raise InvalidParameter(
            f"resume: {source} is a part of a journal; give its directory, {path.parent}"
        )
    before = _stamp(path)
    document = dict(Run(storage.read_tree(path), path).document)
    for place in _numbered(_journal_of(path)):
        # First whether anything is there: a journal may appear between the two questions.
        is_taken = os.path.lexists(place) and not _is_empty_directory(place)
        if _is_journal_of(place, document):
            # Written before the run was killed or the disk was full: it may know more.
            return _resume_journal(place, path, accept)
        if is_taken:
            continue
        document["results"] = [*filter(_is_kept, document["results"])]
        accepted = accept(document)
        check_directory(path.parent, "resume")
        check_latest(path.parent, "resume")
        try:
            journal = Journal.create(place, document)
        except FileExistsError:
            return resume_file(source, accept)
        if _stamp(path) != before:
            journal.remove()
            raise InvalidParameter(
                f"resume: another process wrote {path} just now; look at it, and try again"
            )
        return accepted, FileRecorder(path, journal)
    raise AssertionError("there is always another number")


def _resume_journal(
    place: Path, path: Path, accept: Callable[[dict[str, Any]], Accepted]
) -> tuple[Accepted, FileRecorder]:
    """Go on with a journal, and with what the run file at `path` has beyond it."""
    journal = Journal.open(place)
    try:
        document = dict(Run(journal.document, place / HEADER).document)
        check_is_run(path, document["id"], "resume")
        beyond = []
        known = measured(document["results"])
        if os.path.lexists(path):
            saved = Run(storage.read_tree(path), path).document
            beyond = [result for result in saved["results"] if not _is_known(result, known)]
        document["results"] = [*document["results"], *beyond]
        accepted = accept(document)
        check_latest(path.parent, "resume")
        for result in beyond:
            journal.take_over(result, known)
        _remove_unused_arrays(journal, path)
    except BaseException:
        journal.close()
        raise
    return accepted, FileRecorder(path, journal)


def check_latest(directory: Path, argument: str) -> None:
    """Make sure that ``latest.json`` of a directory may be replaced.

    Raises
    ------
    InvalidParameter
        When anything but a run file has the name.
    """
    latest = directory / LATEST
    try:
        is_free = not os.path.lexists(latest) or looks_like_run(latest)
    except OSError as error:
        raise InvalidParameter(f"{argument}: cannot read {latest}: {error.strerror}") from error
    if not is_free:
        raise InvalidParameter(
            f"{argument}: {latest} is not a run file, and the newest run is to have this name; "
            "move it, or choose another directory"
        )


def check_is_run(path: Path, identity: str, argument: str) -> None:
    """Make sure that a run file may be replaced by more of the same run.

    Raises
    ------
    InvalidParameter
        When another run, or no run at all, has the name.
    """
    if os.path.lexists(path) and _identity_of(path) != identity:
        raise InvalidParameter(
            f"{argument}: {path} is of another run and would be replaced; move it elsewhere"
        )


def _identity_of(path: Path) -> object:
    """Return the identity of a run file or journal, ``None`` where there is none."""
    try:
        if is_directory(path):
            return read_journal(path).get("id")
        tree = storage.read_tree(path) if path.is_file() else None
    except SchemaError:
        return None
    return tree.get("id") if isinstance(tree, dict) else None


def _is_journal_of(place: Path, document: Mapping[str, Any]) -> bool:
    return is_directory(place) and not place.is_symlink() and _identity_of(place) == document["id"]


def _is_empty_directory(place: Path) -> bool:
    try:
        return is_directory(place) and not place.is_symlink() and not any(place.iterdir())
    except OSError:
        return False


def _finished(results: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return [result for result in results if result["status"] != "interrupted"]


def _is_kept(result: Mapping[str, Any]) -> bool:
    """Return whether a run that goes on needs a result of its run file."""
    return result["status"] != "interrupted" or bool(result.get(PARTS))


def _is_known(result: Mapping[str, Any], known: set[tuple[str, str]]) -> bool:
    """Return whether all of a result is in what `measured` returned."""
    return (result["key"], "") in known or measured([result]) <= known


def _stamp(path: Path) -> tuple[int, int, int]:
    """Return what changes when a file is replaced."""
    try:
        status = path.stat()
    except OSError as error:
        raise SchemaError(f"cannot read {path}: {error.strerror}") from error
    return status.st_ino, status.st_mtime_ns, status.st_size


def _remove_unused_arrays(journal: Journal, path: Path) -> None:
    """Delete the arrays of a run file that was not written after them.

    They are known as ours by being the same file as the journal's own.
    """
    own = journal.path / ARRAYS
    if not own.is_file():
        return
    used = storage.files_of(Run(storage.read_tree(path)).document) if path.is_file() else set()
    for arrays in path.parent.glob("*.npz"):
        if arrays.name not in used and not arrays.is_symlink() and own.samefile(arrays):
            arrays.unlink()


def _drop_needless_journals(directory: Path) -> None:
    """Delete journals of dead processes that nobody can need.

    The run file has everything that they have, or there is nothing in them and nothing to go on
    with: a live comparison was killed before its first result.
    """
    for place in directory.glob(f"*{JOURNAL_SUFFIX}"):
        # Whatever is unreadable, in progress or not ours stays.
        with contextlib.suppress(StratoperfError, OSError):
            if not is_directory(place):
                continue
            with Journal.open(place, must_lock=True) as journal:
                if _is_needless(journal, place.with_suffix(".json")):
                    journal.remove()


def _is_needless(journal: Journal, path: Path) -> bool:
    kept = Run(journal.document, journal.path / HEADER).document
    if not path.is_file():
        return "plan" not in kept and not kept["results"]
    saved = Run(storage.read_tree(path), path).document
    known = measured(saved["results"])
    return saved["id"] == kept["id"] and all(_is_known(result, known) for result in kept["results"])


def ordered(results: list[dict[str, Any]], keys: Iterable[str]) -> list[dict[str, Any]]:
    """Return one result a key, the newest, in the order of `keys`."""
    newest = {result["key"]: result for result in results}
    return [newest[key] for key in keys if key in newest]


def _journal_of(path: Path) -> Path:
    # Also of the root, which has no name.
    return path.parent / f"{path.stem}{JOURNAL_SUFFIX}"


def _numbered(path: Path) -> Iterator[Path]:
    """Yield ``x.json``, ``x-2.json``, ``x-3.json`` and so on."""
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def _file_name(words: Iterable[str]) -> str:
    """Return the selection as a part of a file name."""
    name = "+".join(re.sub(r"[^\w.+-]+", "-", word.replace("*", "all")) for word in words) or "all"
    short = name.encode(errors="replace")[:_LONGEST_NAME].decode(errors="ignore")
    return short.strip("-.") or "all"
