"""The data of an experiment: one line per check, raw samples beside it; survives kill -9."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
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

    def __init__(self, directory: Path, stream: str = "all") -> None:
        self.directory = directory
        self.raw = directory / "raw"
        self.raw.mkdir(parents=True, exist_ok=True)
        self._path = directory / f"checks-{stream}.jsonl"

    def append(self, record: Record) -> None:
        """Write a record; it is on the disk when this returns."""
        line = json.dumps(record).encode() + b"\n"
        with self._path.open("ab") as file:
            # A line that a kill cut short must not swallow this one.
            if file.tell() and not self._path.read_bytes().endswith(b"\n"):
                file.write(b"\n")
            file.write(line)
            file.flush()
            os.fsync(file.fileno())

    def records(self) -> list[Record]:
        """Return the records of all writers; lines that were cut short are left out."""
        return list(self._read())

    def _read(self) -> Iterator[Record]:
        for path in sorted(self.directory.glob("checks-*.jsonl")):
            for line in path.read_bytes().splitlines():
                try:
                    record = json.loads(line)
                except ValueError:
                    continue
                if isinstance(record, dict):
                    yield record
