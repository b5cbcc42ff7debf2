"""The data of an experiment: one line per check, raw samples beside it; survives kill -9."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

Record = dict[str, Any]


class Store:
    """A directory of records.

    Parameters
    ----------
    directory
        ``checks-<stream>.jsonl`` in it has the records of one writer, ``raw/`` the samples.
    stream
        Names the writer: two may work at the same time, each on a CPU of its own.
    """

    def __init__(self, directory: Path, stream: str) -> None:
        self.directory = directory
        self.raw = directory / "raw"
        self.raw.mkdir(parents=True, exist_ok=True)
        self._path = directory / f"checks-{stream}.jsonl"

    @contextlib.contextmanager
    def claimed(self, gates: Iterable[str]) -> Iterator[None]:
        """Be the only writer of these gates, at the latest until the process ends, however it ends.

        Raises
        ------
        BlockingIOError
            When another process measures one of them already.
        """
        with contextlib.ExitStack() as stack:
            for gate in gates:
                lock = stack.enter_context((self.directory / f"{gate}.lock").open("w"))
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    raise BlockingIOError(
                        f"--stream: another process measures {gate!r} into {self.directory}; "
                        "wait for it, or choose a stream without it"
                    ) from None
            yield

    def append(self, records: Iterable[Record]) -> None:
        """Write records, all or none of them; they are on the disk when this returns."""
        lines = b"".join(json.dumps(record).encode() + b"\n" for record in records)
        with self._path.open("ab", buffering=0) as file:
            # A line that a kill cut short must not swallow the first one.
            if file.tell() and not self._path.read_bytes().endswith(b"\n"):
                lines = b"\n" + lines
            file.write(lines)
            os.fsync(file.fileno())

    def records(self) -> list[Record]:
        """Return the records of all writers."""
        return read_records(self.directory)


def read_records(directory: Path) -> list[Record]:
    """Return the records in a directory; lines that were cut short are left out."""
    return list(_read(directory))


def _read(directory: Path) -> Iterator[Record]:
    for path in sorted(directory.glob("checks-*.jsonl")):
        for line in path.read_bytes().splitlines():
            try:
                record = json.loads(line)
            except ValueError:
                continue
            if isinstance(record, dict):
                yield record
