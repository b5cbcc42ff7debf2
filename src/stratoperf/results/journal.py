"""The journal of a run in progress: what is finished survives a crash or a full disk.

A journal is a directory beside the run file, ``<run>.journal/``, with

``run.json``
    the run file as far as it is known before the first measurement, without results;
``results.jsonl``
    one finished result a line, on the disk before the next case starts;
``0000.npz``, ``0001.npz``, ...
    long series, by the number of the line.

It is removed once the run file is safely written.
"""

from __future__ import annotations

import fcntl
import functools
import os
import shutil
from pathlib import Path
from types import TracebackType
from typing import Any

import msgspec
import numpy as np

from stratoperf.errors import InvalidParameter, SchemaError, StratoperfError
from stratoperf.results import storage
from stratoperf.results.columns import digest
from stratoperf.results.files import atomic_file, describe_failure, sync_directory, write_arrays

HEADER = "run.json"
LINES = "results.jsonl"


class Journal:
    """A journal open for writing; only one process can hold it.

    Parameters
    ----------
    path
        The directory, which holds a header already (see `create`).

    Raises
    ------
    InvalidParameter
        When another process is writing to it.
    SchemaError
        When it is damaged beyond a last line that was cut off.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        document, _ = read_journal(path)
        self.header: dict[str, Any] = {**document, "results": []}
        self.results: list[dict[str, Any]] = document["results"]
        with describe_failure(path):
            self._file = (path / LINES).open("ab", buffering=0)
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._file.close()
            raise InvalidParameter(
                f"resume: {path} belongs to a run in progress; wait for it, or interrupt it"
            ) from None
        self._length = _whole_length((path / LINES).read_bytes())
        self._file.truncate(self._length)

    @classmethod
    def create(cls, path: Path, header: dict[str, Any]) -> Journal:
        """Start a journal.

        Parameters
        ----------
        path
            The directory to make; it does not exist.
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
            try:
                path.mkdir()
                taken = False
            except FileExistsError:
                taken = True
        if taken:
            raise FileExistsError(f"{path} exists already; choose another name")
        try:
            with atomic_file(path / HEADER) as file:
                file.write(storage.encode({**header, "results": []}))
            with atomic_file(path / LINES) as file:
                for result in header["results"]:
                    file.write(storage.encode_line(_moved_down(result)))
            with describe_failure(path):
                sync_directory(path.parent)
            return cls(path)
        except BaseException:
            shutil.rmtree(path, ignore_errors=True)
            raise

    @property
    def document(self) -> dict[str, Any]:
        """The run so far; references in it are relative to the journal."""
        return {**self.header, "results": list(self.results)}

    def update(self, **keys: Any) -> None:
        """Change top-level keys of the run, on the disk too."""
        self.header.update(keys)
        with atomic_file(self.path / HEADER) as file:
            file.write(storage.encode(self.header))

    def append(self, result: dict[str, Any]) -> None:
        """Write a finished result to the disk.

        Raises
        ------
        StratoperfError
            When it cannot be written; what was written before stays readable.
        """
        stored = self._with_arrays_apart(result)
        line = storage.encode_line(stored)
        try:
            with describe_failure(self.path / LINES):
                # Unbuffered files may take only a part at a time.
                rest = memoryview(line)
                while rest:
                    rest = rest[self._file.write(rest) :]
                os.fsync(self._file.fileno())
        except StratoperfError:
            self._file.truncate(self._length)
            raise
        self._length += len(line)
        self.results.append(stored)

    def close(self) -> None:
        """Let go of the journal and leave it on the disk."""
        self._file.close()

    def remove(self) -> None:
        """Delete the journal: the run file holds everything now."""
        self.close()
        shutil.rmtree(self.path, ignore_errors=True)

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _with_arrays_apart(self, result: dict[str, Any]) -> dict[str, Any]:
        """Write long columns to an ``.npz`` and return the result with references to them."""
        arrays = {}
        series = [{**one, "columns": dict(one["columns"])} for one in result.get("series", [])]
        path = self.path / f"{len(self.results):04d}.npz"
        for number, one in enumerate(series):
            for name, column in one["columns"].items():
                if isinstance(column, dict) or len(column) <= storage.LONGEST_INLINE_COLUMN:
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


def read_journal(path: Path) -> tuple[dict[str, Any], Path]:
    """Read a journal, also one that a killed process left behind.

    Returns
    -------
    tuple
        The document with the finished results, and the file that its references are relative to.

    Raises
    ------
    SchemaError
        When `path` is no journal, or is damaged elsewhere than in its last line.
    """
    header = path / HEADER
    if not header.is_file():
        raise SchemaError(
            f"{path}: expected a run file or a journal directory with {HEADER!r} in it; "
            "give the path of a file that `stratoperf run` wrote"
        )
    document = storage.read_tree(header)
    if not isinstance(document, dict):
        raise SchemaError(f"{header}: expected an object; take the journal from its origin again")
    lines = path / LINES
    content = lines.read_bytes() if lines.exists() else b""
    results = []
    for number, line in enumerate(content[: _whole_length(content)].splitlines(), start=1):
        try:
            results.append(msgspec.json.decode(line))
        except msgspec.DecodeError as error:
            raise SchemaError(
                f"{lines}, line {number}: {error}; delete this line to read the others"
            ) from error
    return {**document, "results": results}, header


def _whole_length(content: bytes) -> int:
    """Return how many bytes are whole lines: a process killed while writing leaves a torn one."""
    return content.rfind(b"\n") + 1


def _moved_down(result: dict[str, Any]) -> dict[str, Any]:
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
