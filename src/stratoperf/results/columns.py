"""The columns of a series: numbers in the run file, or in an ``.npz`` beside it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
import numpy as np
from numpy.typing import NDArray

from stratoperf.door import shortened
from stratoperf.errors import SchemaError
from stratoperf.results.archives import open_archive
from stratoperf.results.names import JOURNAL_SUFFIX
from stratoperf.text.safety import log_line

Array: TypeAlias = NDArray[np.number[Any]]

_BESIDE_A_JOURNAL = "../"


class External(msgspec.Struct, frozen=True, kw_only=True):
    """The place of a long column.

    Attributes
    ----------
    file
        Name of the ``.npz`` beside the run file.
    member
        Name of the array in it.
    sha256
        Hexadecimal digest of the array's bytes in C order.
    """

    file: str
    member: str
    sha256: str


Column: TypeAlias = Array | list[Any] | External


class Columns(Mapping[str, Array]):
    """Arrays by name, one-dimensional and read-only; external ones are read and verified on access.

    Parameters
    ----------
    columns
        The content of the run file, already checked for its types.
    base
        Directory that relative file names start from; ``None`` for a run that was never saved.
    where
        Key path for messages, such as ``"results[3].series[0].columns"``.
    """

    def __init__(self, columns: Mapping[str, Column], base: Path | None, where: str) -> None:
        self._columns = columns
        self._base = base
        self._where = where
        self._arrays: dict[str, Array] = {}

    def __getitem__(self, name: str) -> Array:
        if name not in self._arrays:
            column = self._columns[name]
            if isinstance(column, External):
                array = read_external(column, self._base, f"{self._where}.{name}")
            else:
                # A copy: the document stays as it is, whatever happens to this array.
                array = np.array(column if len(column) else np.empty(0))
                if array.dtype.kind not in "iuf":
                    # No integer of NumPy holds both -1 and 2^64 - 1.
                    array = array.astype(np.float64)
            array.flags.writeable = False
            self._arrays[name] = array
        return self._arrays[name]

    def __contains__(self, name: object) -> bool:
        # Asking must not read the array.
        return name in self._columns

    def __iter__(self) -> Iterator[str]:
        return iter(self._columns)

    def __len__(self) -> int:
        return len(self._columns)

    def __repr__(self) -> str:
        return log_line(f"Columns({', '.join(self._columns)})")


def digest(array: Array) -> str:
    """Return the SHA-256 of an array's bytes in C order, in hexadecimal."""
    return hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()


def read_external(reference: External, base: Path | None, where: str) -> Array:
    """Read and verify a column in an ``.npz``.

    Parameters
    ----------
    reference
        What the run file says about it.
    base
        Directory of the run file.
    where
        Key path for messages.

    Returns
    -------
    numpy.ndarray
        One-dimensional, of the dtype that was saved.

    Raises
    ------
    SchemaError
        When the file or its member is missing, unreadable or not what was saved.
    """
    path = external_path(reference, base, where)
    if not os.path.lexists(path):
        raise SchemaError(
            f"{where}: the samples lie in {path}, which is missing; copy it beside the run file"
        )
    try:
        with open_archive(path, follow_links=False) as archive:
            array: Array = archive.read(reference.member)
    except SchemaError as error:
        raise SchemaError(
            f"{where}: cannot read {shortened(reference.member)!r} from {path} ({error}); "
            "get a fresh copy of the file"
        ) from error
    if digest(array) != reference.sha256.lower():
        raise SchemaError(
            f"{where}: {shortened(reference.member)!r} in {path} was changed after it was saved "
            "(its SHA-256 differs from that in the run file); get a fresh copy of the file"
        )
    return array


def external_path(reference: External, base: Path | None, where: str) -> Path:
    """Return the path of the ``.npz`` that a column lies in: beside the run file, nowhere else.

    A journal may also refer to what lies beside it, where the run file is whose results it took
    over.

    Raises
    ------
    SchemaError
        For any other path.
    """
    folder, name = base or Path(), reference.file
    if folder.suffix == JOURNAL_SUFFIX and name.startswith(_BESIDE_A_JOURNAL):
        folder, name = folder / "..", name.removeprefix(_BESIDE_A_JOURNAL)
    if name in ("", ".", "..") or "/" in name or "\0" in name:
        raise SchemaError(
            f"{where}.file: {shortened(name)!r} is not the plain name of a file beside the run file"
        )
    return folder / name
