"""Recorded vote batches in files."""

from __future__ import annotations

import array
import csv
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from stratoperf.authoring import MOST_NUMBERS, open_archive, read_bytes, shortened
from stratoperf.errors import InvalidParameter, SchemaError, did_you_mean
from stratoperf.stratoswarm.consensus.vote_columns import COLUMNS

LARGEST_CSV = 1 << 28
"""Bytes in a trace as text at most: 256 MiB, some 10 million votes. More go to an ``.npz``."""

REQUIRED = [name for name in COLUMNS if name != "timestamp"]


def load(path: Path) -> dict[str, npt.NDArray[Any]]:
    """Return the columns in a trace; see `VoteBatch.load`."""
    suffix = _format(path)
    try:
        path.lstat()
    except FileNotFoundError:
        raise
    except OSError:
        # Whoever opens it says why it cannot be looked at.
        pass
    if suffix == ".csv":
        return _load_csv(path)
    return _load_npz(path)


def save(path: Path, columns: dict[str, npt.NDArray[Any]]) -> None:
    """Write the columns of a trace; see `VoteBatch.save`."""
    from stratoperf.authoring import atomic_file

    suffix = _format(path)
    votes = len(columns["voter"])
    if votes > MOST_NUMBERS:
        raise InvalidParameter(
            f"path: {votes} votes are more than the {MOST_NUMBERS} that a trace can hold; save "
            "them in several"
        )
    with atomic_file(path) as file:
        if suffix == ".npz":
            arrays: dict[str, Any] = dict(columns)
            np.savez(file, **arrays)
            return
        text = io.TextIOWrapper(file, newline="", encoding="utf-8")
        try:
            writer = csv.writer(text)
            writer.writerow(columns)
            writer.writerows(zip(*(array.tolist() for array in columns.values()), strict=True))
        finally:
            # What it wraps is closed by its owner.
            text.detach()
        if file.tell() > LARGEST_CSV:
            raise InvalidParameter(
                f"path: {path} would be larger than what is read again; save it as .npz"
            )


def _format(path: Path) -> str:
    if path.suffix not in {".npz", ".csv"}:
        raise InvalidParameter(
            f"path: {path} must end in .npz or .csv, which chooses the format of the trace"
        )
    return path.suffix


def _check_names(path: Path, names: list[str], kind: str) -> None:
    for name in names:
        if name not in COLUMNS:
            raise InvalidParameter(
                f"{path}: unknown {kind} {shortened(name)!r}; {did_you_mean(name, COLUMNS)}"
            )
        if names.count(name) > 1:
            raise InvalidParameter(f"{path}: {kind} {name!r} occurs twice; remove one of them")
    for name in REQUIRED:
        if name not in names:
            raise InvalidParameter(
                f"{path}: {kind} {name!r} is missing; a trace has {', '.join(REQUIRED)} and, "
                "if it was recorded, timestamp"
            )


def _load_npz(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        with open_archive(path, follow_links=True) as archive:
            _check_names(path, archive.names, "array")
            columns = {name: archive.read(name) for name in archive.names}
    except SchemaError as error:
        raise InvalidParameter(
            f"{path}: not a readable .npz trace ({error}); write one with VoteBatch.save"
        ) from error
    for name, column in columns.items():
        if column.dtype != COLUMNS[name]:
            wanted = np.dtype(COLUMNS[name]).name
            raise InvalidParameter(
                f"{path}: array {name!r} has dtype {column.dtype}; store {wanted}: "
                f"{name}.astype(np.{wanted})"
            )
    return columns


def _load_csv(path: Path) -> dict[str, npt.NDArray[Any]]:
    try:
        content = read_bytes(path, LARGEST_CSV)
    except SchemaError as error:
        raise InvalidParameter(
            f"{path}: not a readable .csv trace ({error}); write one with VoteBatch.save"
        ) from error
    reader = csv.reader(io.TextIOWrapper(io.BytesIO(content), newline="", encoding="utf-8"))
    try:
        names = [name.strip() for name in next(reader, [])]
        _check_names(path, names, "column")
        fields = [array.array("Q") for _ in names]
        for row in reader:
            if row:
                _append_row(path, reader.line_num, names, row, fields)
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidParameter(
            f"{path}: line {reader.line_num}: not readable as CSV ({error}); save it as plain "
            "UTF-8 text"
        ) from error
    return {
        name: np.array(column, dtype=COLUMNS[name])
        for name, column in zip(names, fields, strict=True)
    }


def _append_row(
    path: Path, line: int, names: list[str], row: list[str], fields: Sequence[array.array[int]]
) -> None:
    if len(row) != len(names):
        raise InvalidParameter(
            f"{path}: line {line}: expected {len(names)} fields ({','.join(names)}), got {len(row)}"
        )
    for name, text, column in zip(names, row, fields, strict=True):
        largest = int(np.iinfo(COLUMNS[name]).max)
        digits = text.strip()
        if not (digits.isascii() and digits.isdigit() and len(digits) <= 20) or (
            int(digits) > largest
        ):
            raise InvalidParameter(
                f"{path}: line {line}, column {name!r}: expected an integer from 0 to {largest}, "
                f"got {shortened(text)!r}"
            )
        column.append(int(digits))
