"""The journal of a run in progress: what is finished survives a crash or a full disk.

A journal is a directory beside the run file, ``<run>.journal/``, with

``run.json``
    the run file as far as it is known before the first measurement, without results, and with the
    key ``journal``, which marks it, and ``journal_machine``, which says who writes;
``results.jsonl``
    one finished result a line, on the disk before the next case starts; whoever writes holds its
    lock;
``0000.npz``, ``0001.npz``, ...
    long series, by the number of the line;
``arrays.npz``
    at the end, the long series of the run file, under a second name until the run file is there.

It appears whole, and it is removed once the run file is safely written: its files by their names,
and the directory only when nothing else is in it.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import os
import stat
from pathlib import Path
from types import TracebackType
from typing import Any, TypeGuard

import numpy as np

from stratoperf import door
from stratoperf.errors import InvalidParameter, SchemaError, StratoperfError
from stratoperf.results import storage
from stratoperf.results.columns import digest
from stratoperf.results.files import (
    atomic_file,
    describe_failure,
    sync_directory,
    write_arrays,
    write_whole,
)
from stratoperf.results.leftovers import (
    LockedFile,
    create_temporary_directory,
    foreign_names,
    lock,
    machine,
    names_file,
    remove_journal_files,
    set_aside,
    sweep,
)
from stratoperf.results.names import HEADER, JOURNAL_SUFFIX, LINES
from stratoperf.results.schema import SCHEMA

MARKER = "journal"
"""Key of the header that says what the directory is."""

VERSION = "stratoperf.journal/1"

MACHINE = "journal_machine"
"""Key of the header for the machine that writes: its locks may hold nowhere else."""


class Journal:
    """A journal open for writing; only one process can hold it.

    Made by `open` and `create`.

    Attributes
    ----------
    path
        The directory.
    header
        The document of the run without its results.
    results
        What is finished, in the order of the lines.
    is_new
        Whether it was created here and no result was added since.
    """

    def __init__(self, path: Path, descriptor: int, *, is_new: bool) -> None:
        document, self._outline = _read(path)
        self.path = path
        self.header: dict[str, Any] = {**document, "results": []}
        self.results: list[dict[str, Any]] = document["results"]
        self.is_new = is_new
        self._inline = sum(
            len(column)
            for _, _, columns in storage.columns_of(document)
            for column in columns.values()
            if not isinstance(column, dict)
        )
        self._lines = LockedFile(path / LINES, descriptor)

    @classmethod
    def open(cls, path: Path, *, must_lock: bool = False) -> Journal:
        """Open a journal that is there, without changing anything on the disk.

        Parameters
        ----------
        path
            The directory.
        must_lock
            Whether it has to be certain that no other process is writing to it. On a file system
            without locks it never is, nor is it for the journal of another machine.

        Raises
        ------
        InvalidParameter
            When another process is writing to it, or something else lies in the directory.
        SchemaError
            When it is no journal, or is damaged beyond a last line that was cut off.
        StratoperfError
            When it cannot be written to.
        """
        if path.is_symlink():
            raise InvalidParameter(
                f"resume: {path} is a symbolic link; give the path of the journal that it names"
            )
        header = _read_header(path)
        with describe_failure(path):
            foreign = foreign_names(path)
        if foreign:
            raise InvalidParameter(
                f"resume: {path} holds {foreign[0]!r}, which no journal has; move it elsewhere"
            )
        lines = path / LINES
        with describe_failure(lines):
            descriptor = os.open(lines, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            is_free = lock(descriptor)
            is_certain = is_free is not None and header.get(MACHINE, machine()) == machine()
            if must_lock and not is_certain:
                raise InvalidParameter(
                    f"resume: cannot lock {lines} for certain; use the machine that wrote it, and "
                    "a file system with locks"
                )
            if is_free is False:
                raise InvalidParameter(
                    f"resume: {path} belongs to a run in progress; wait for it, or interrupt it"
                )
            if not names_file(lines, descriptor):
                raise InvalidParameter(
                    f"resume: another process finished {path} just now; look at its run file"
                )
            return cls(path, descriptor, is_new=False)
        except BaseException:
            os.close(descriptor)
            raise

    @classmethod
    def create(cls, path: Path, header: dict[str, Any]) -> Journal:
        """Start a journal, which appears whole.

        Parameters
        ----------
        path
            The directory to make; nothing is there, or an empty directory.
        header
            The document of the run so far. Finished results in it are taken over; references in
            them are relative to the directory that holds `path`.

        Raises
        ------
        FileExistsError
            When there is something at `path` already.
        StratoperfError
            When it cannot be written.
        """
        with describe_failure(path):
            sweep(path.parent)
            descriptor, aside = create_temporary_directory(path.parent)
        try:
            marked = {**_marked(header), "results": []}
            lines = b"".join(
                storage.encode_line(moved_down(result)) for result in header["results"]
            )
            with describe_failure(path):
                with (aside / HEADER).open("xb") as file:
                    file.write(storage.encode(marked))
                    file.flush()
                    os.fsync(file.fileno())
                write_whole(descriptor, lines, 0)
                sync_directory(aside)
                is_free = _take_name(aside, path)
            if not is_free:
                raise FileExistsError(f"{path} exists already; choose another name")
            with describe_failure(path):
                sync_directory(path.parent)
            return cls(path, descriptor, is_new=True)
        except BaseException:
            is_named = names_file(path / LINES, descriptor)
            with contextlib.suppress(OSError):
                remove_journal_files(path if is_named else aside)
            os.close(descriptor)
            raise

    @property
    def document(self) -> dict[str, Any]:
        """The run so far; references in it are relative to the journal."""
        return {**self.header, "results": list(self.results)}

    def update(self, **keys: Any) -> None:
        """Change top-level keys of the run, on the disk too."""
        self.header.update(keys)
        with atomic_file(self.path / HEADER) as file:
            file.write(storage.encode(_marked(self.header)))

    def append(self, result: dict[str, Any]) -> None:
        """Write a finished result to the disk.

        Parameters
        ----------
        result
            Columns may also be arrays; references are relative to the journal.

        Raises
        ------
        StratoperfError
            When it cannot be written; what was written before stays readable.
        """
        lines = self.path / LINES
        with describe_failure(lines):
            self._lines.descriptor()
        stored = self._with_arrays_apart(result)
        line = storage.encode_line(stored)
        outline = self._outline.with_more(line)
        try:
            outline.check()
        except SchemaError as error:
            raise StratoperfError(
                f"cannot write {lines}: {error}; measure fewer cases in one run"
            ) from error
        with describe_failure(lines):
            try:
                # A process that was killed may have left a part of a line.
                self._cut()
                write_whole(self._lines.descriptor(), line, self._outline.size)
            except OSError:
                with contextlib.suppress(OSError, StratoperfError):
                    self._cut()
                raise
            finally:
                self._lines.note_size()
            self._lines.descriptor()
        self._outline = outline
        self.results.append(stored)
        self.is_new = False

    def close(self) -> None:
        """Let go of the journal and leave it on the disk."""
        self._lines.close()

    def remove(self) -> None:
        """Delete the journal, unless it is not ours any more: the run file holds everything now."""
        if self._lines.is_closed:
            return
        with contextlib.suppress(OSError, StratoperfError):
            self._lines.descriptor()
            aside = set_aside(self.path)
            remove_journal_files(aside)
            if foreign_names(aside):
                # It came in the moment before.
                aside.rename(self.path)
        self.close()

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _cut(self) -> None:
        """Cut off what is not a whole line."""
        os.ftruncate(self._lines.descriptor(), self._outline.size)

    def _with_arrays_apart(self, result: dict[str, Any]) -> dict[str, Any]:
        """Write long columns to an ``.npz`` and return the result with references to them."""
        arrays = {}
        series = [{**one, "columns": dict(one["columns"])} for one in result.get("series", [])]
        path = self.path / f"{len(self.results):04d}.npz"
        for number, one in enumerate(series):
            for name, column in one["columns"].items():
                if isinstance(column, dict):
                    continue
                if storage.fits_inline(column, self._inline):
                    self._inline += len(column)
                    continue
                member = f"series{number}_{name}"
                arrays[member] = column
                one["columns"][name] = {
                    "file": path.name,
                    "member": member,
                    "sha256": digest(column),
                }
        if arrays:
            with atomic_file(path) as file:
                write_arrays(
                    file,
                    {name: functools.partial(np.asarray, array) for name, array in arrays.items()},
                )
        finished: dict[str, Any] = storage.finite({**result, "series": series})
        return finished


def read_journal(path: Path) -> dict[str, Any]:
    """Read a journal, also one that a killed process left behind.

    Returns
    -------
    dict
        The document with the finished results; references in it are relative to the journal.

    Raises
    ------
    SchemaError
        When `path` is no journal, or is damaged elsewhere than in its last line.
    """
    return _read(path)[0]


def _read(path: Path) -> tuple[dict[str, Any], door.Outline]:
    """Read a journal; return its document, and how much its whole lines hold."""
    document = _read_header(path)
    lines = path / LINES
    content = door.read_bytes(lines, door.LARGEST_JSON, follow_links=False)
    # A process that was killed while writing leaves a part of a line.
    content = content[: content.rfind(b"\n") + 1]
    outline = door.Outline.of(content)
    try:
        # Each line may be within the limits, and all of them together beyond.
        outline.check()
    except SchemaError as error:
        raise SchemaError(f"{lines}: {error}") from None
    results = []
    for number, line in enumerate(content.splitlines(), start=1):
        where = f"{lines}, line {number}"
        result = door.parse_json(line, where)
        if not isinstance(result, dict):
            raise SchemaError(f"{where}: expected an object; delete this line to read the others")
        results.append(result)
    document.pop(MARKER, None)
    document.pop(MACHINE, None)
    return {**document, "results": results}, outline


def _read_header(path: Path) -> dict[str, Any]:
    header, lines = path / HEADER, path / LINES
    if path.suffix != JOURNAL_SUFFIX or not (_is_regular(header) and _is_regular(lines)):
        raise SchemaError(
            f"{path}: expected a run file or a journal directory (*{JOURNAL_SUFFIX}, with the "
            f"files {HEADER} and {LINES}); give the path of a file that `stratoperf run` wrote"
        )
    document = storage.read_tree(header, follow_links=False)
    if not _is_header(document):
        raise SchemaError(
            f"{header}: this does not begin a journal; give the path of a file that "
            "`stratoperf run` wrote"
        )
    return document


def _marked(header: dict[str, Any]) -> dict[str, Any]:
    return {**header, MARKER: VERSION, MACHINE: machine()}


def _is_header(document: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a run document says that it heads a journal."""
    if not isinstance(document, dict):
        return False
    # Headers of earlier versions have no mark; they tell from run files by what has no results.
    is_old = document.get("schema") == SCHEMA and bool({"plan", "live"} & document.keys())
    is_marked = document[MARKER] == VERSION if MARKER in document else is_old
    return is_marked and document.get("results") == []


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat(follow_symlinks=False).st_mode)
    except OSError:
        return False


def _take_name(aside: Path, path: Path) -> bool:
    """Give a finished directory its name; return whether nobody else had it."""
    try:
        aside.rename(path)
    except OSError as error:
        if error.errno in {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}:
            return False
        raise
    return True


def moved_down(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result with references that start one directory deeper."""
    series = [
        {
            **one,
            "columns": {
                name: {**column, "file": f"../{column['file']}"}
                if isinstance(column, dict)
                else column
                for name, column in one["columns"].items()
            },
        }
        for one in result.get("series", [])
    ]
    return {**result, "series": series}
