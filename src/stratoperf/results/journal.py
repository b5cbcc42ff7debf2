"""The journal of a run in progress: what is finished survives a crash or a full disk.

A journal is a directory beside the run file, ``<run>.journal/``, with

``run.json``
    the run file as far as it is known before the first measurement, without results, and with the
    key ``journal``, which marks it, and ``journal_machine``, which says who writes;
``results.jsonl``
    a line for each finished case, and ``{"part": ...}`` for each process that contributed to it,
    on the disk before the next process starts; whoever writes holds its lock. A case does not
    repeat the samples of its parts: ``"columns": 3`` are those of the fourth series of these;
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
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

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
from stratoperf.results.journal_lines import (
    MACHINE,
    MARKER,
    PART,
    VERSION,
    read_content,
    read_header,
    resolved,
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
from stratoperf.results.names import HEADER, LINES
from stratoperf.results.parts import (
    identity_of,
    numbers_of,
    parts_of,
    series_of,
    with_open_cases,
    without_superseded,
)


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
        The cases that were added, in the order of the lines.
    parts
        What single processes contributed, by the key of their case.
    is_new
        Whether it was created here and nothing was added since.
    """

    def __init__(self, path: Path, descriptor: int, *, is_new: bool) -> None:
        content = read_content(path)
        self.path = path
        self.header: dict[str, Any] = {**content.header, "results": []}
        self.results: list[dict[str, Any]] = content.results
        self.parts: dict[str, list[dict[str, Any]]] = content.parts
        self.is_new = is_new
        self._outline = content.outline
        self._count = content.lines
        self._inline = content.inline
        self._lines = LockedFile(path / LINES, descriptor)

    @classmethod
    def open(cls, path: Path, *, must_lock: bool = False) -> Journal:
        """Open a journal that is there, without changing anything on the disk.

        Parameters
        ----------
        path
            The directory.
        must_lock
            Whether it must be certain that no other process writes to it. On a file system
            without locks it never is, nor is it for the journal of another machine.

        Raises
        ------
        InvalidParameter
            When another process is writing to it, or something else lies in the directory.
        SchemaError
            When it is not a journal, or is damaged before its last line.
        StratoperfError
            When it cannot be written to.
        """
        if path.is_symlink():
            raise InvalidParameter(
                f"resume: {path} is a symbolic link; give the path of the journal that it points to"
            )
        header = read_header(path)
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
                    f"resume: cannot lock {lines} reliably; use the machine that wrote it, and "
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
            The document of the run so far. Results in it are taken over, of interrupted ones
            their parts; references in them are relative to the directory that holds `path`.

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
                storage.encode_line({PART: tree} if is_part else tree)
                for result in header["results"]
                for tree, is_part in _taken_over(result)
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
        """The run so far; references in it are relative to the journal.

        A case that has only parts is an interrupted result over them.
        """
        return {**self.header, "results": with_open_cases(self.results, self.parts, self.path)}

    def update(self, **keys: Any) -> None:
        """Change top-level keys of the run, on the disk too."""
        self.header.update(keys)
        with atomic_file(self.path / HEADER) as file:
            file.write(storage.encode(_marked(self.header)))

    def append(self, result: dict[str, Any]) -> None:
        """Write the result of a case to the disk.

        Parameters
        ----------
        result
            Columns may also be arrays; references are relative to the journal. Samples that its
            parts have are not written again.

        Raises
        ------
        StratoperfError
            When it cannot be written; what was written before stays readable.
        """
        known = series_of(self.parts.get(result["key"], []))
        numbers = numbers_of(result.get("series", []), known)
        stored = self._with_arrays_apart(
            {
                **result,
                "series": [
                    series if number is None else {**series, "columns": {}}
                    for series, number in zip(result.get("series", []), numbers, strict=True)
                ],
            }
        )
        line = {
            **stored,
            "series": [
                series if number is None else {**series, "columns": number}
                for series, number in zip(stored["series"], numbers, strict=True)
            ],
        }
        self._write(line)
        self.results[:] = [
            *without_superseded(self.results, result["key"]),
            resolved(line, known),
        ]

    def append_part(self, part: dict[str, Any]) -> None:
        """Write what one process contributed to its case; parameters and errors as for `append`."""
        stored = self._with_arrays_apart(part)
        self._write({PART: stored})
        self.parts.setdefault(stored["key"], []).append(stored)

    def take_over(self, result: dict[str, Any], known: set[tuple[str, str]]) -> None:
        """Write a result of the run file beside the journal, of an interrupted one its parts.

        Parameters
        ----------
        result
            References in it are relative to the directory that holds the journal.
        known
            What of it is left out, as `parts.measured` returns it.
        """
        for tree, is_part in _taken_over(result):
            if not is_part:
                self.append(tree)
            elif (tree["key"], identity_of(tree)) not in known:
                self.append_part(tree)

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

    def _write(self, tree: dict[str, Any]) -> None:
        """Add a line, whole or not at all."""
        lines = self.path / LINES
        line = storage.encode_line(tree)
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
        self._count += 1
        self.is_new = False

    def _cut(self) -> None:
        """Cut off what is not a whole line."""
        os.ftruncate(self._lines.descriptor(), self._outline.size)

    def _with_arrays_apart(self, result: dict[str, Any]) -> dict[str, Any]:
        """Write long columns to an ``.npz`` and return the result with references to them."""
        with describe_failure(self.path / LINES):
            self._lines.descriptor()
        arrays = {}
        series = [
            {**entry, "columns": dict(entry["columns"])} for entry in result.get("series", [])
        ]
        path = self.path / f"{self._count:04d}.npz"
        for number, entry in enumerate(series):
            for name, column in entry["columns"].items():
                if isinstance(column, dict):
                    continue
                if storage.fits_inline(column, self._inline):
                    self._inline += len(column)
                    continue
                member = f"series{number}_{name}"
                arrays[member] = column
                entry["columns"][name] = {
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


def _marked(header: dict[str, Any]) -> dict[str, Any]:
    return {**header, MARKER: VERSION, MACHINE: machine()}


def _take_name(aside: Path, path: Path) -> bool:
    """Give a finished directory its name; return whether the name was free."""
    try:
        aside.rename(path)
    except OSError as error:
        if error.errno in {errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR}:
            return False
        raise
    return True


def _taken_over(result: dict[str, Any]) -> list[tuple[dict[str, Any], bool]]:
    """Return what a journal keeps of a result that lies beside it, and whether that is a part.

    Of an interrupted result these are its parts.
    """
    if result["status"] == "interrupted":
        return [(_moved_down(part), True) for part in parts_of(result)]
    return [(_moved_down(result), False)]


def _moved_down(result: dict[str, Any]) -> dict[str, Any]:
    """Return a result with references that start one directory deeper."""
    series = [
        {
            **entry,
            "columns": {
                name: {**column, "file": f"../{column['file']}"}
                if isinstance(column, dict)
                else column
                for name, column in entry["columns"].items()
            },
        }
        for entry in result.get("series", [])
    ]
    return {**result, "series": series}
