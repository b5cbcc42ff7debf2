"""Start recording a run, or resume recording an interrupted one."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from stratoperf.errors import InvalidParameter, SchemaError, StratoperfError
from stratoperf.paths import is_directory
from stratoperf.results import Run, storage
from stratoperf.results.files import check_directory
from stratoperf.results.journal import Journal
from stratoperf.results.names import ARRAYS, HEADER, JOURNAL_SUFFIX, PARTS
from stratoperf.results.parts import measured
from stratoperf.running.recorder import FileRecorder
from stratoperf.running.run_places import (
    check_is_run,
    check_latest,
    file_name,
    is_empty_directory,
    is_journal_of,
    journal_of,
    numbered,
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
    plain = f"{file_name(words)}_{time:%Y%m%dT%H%M%SZ}"
    for path in numbered(directory / f"{plain}.json"):
        if os.path.lexists(path):
            continue
        try:
            # Another run may begin in the same second: who makes the journal has the name.
            journal = Journal.create(journal_of(path), document)
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
    """Resume an interrupted run.

    Parameters
    ----------
    source
        Its journal, or its run file.
    accept
        Called with the document so far, before anything on the disk changes; raises an error to
        reject it.

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
    if not os.path.lexists(source) and is_directory(journal_of(source)):
        return resume_file(journal_of(source), accept)
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
    for place in numbered(journal_of(path)):
        # First whether anything is there: a journal may appear between the two questions.
        is_taken = os.path.lexists(place) and not is_empty_directory(place)
        if is_journal_of(place, document):
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
    """Resume from a journal, and from results that only the run file at `path` has."""
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


def _is_kept(result: Mapping[str, Any]) -> bool:
    """Return whether a run that goes on needs a result of its run file."""
    return result["status"] != "interrupted" or bool(result.get(PARTS))


def _is_known(result: Mapping[str, Any], known: set[tuple[str, str]]) -> bool:
    """Return whether all of a result is in what `measured` returned."""
    return (result["key"], "") in known or measured([result]) <= known


def _stamp(path: Path) -> tuple[int, int, int]:
    """Return facts of a file that change when it is replaced."""
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
