"""The arrays of an ``.npz`` from anywhere: nothing is unpacked before its size is known.

An ``.npz`` is a Zip file of ``.npy`` files. `numpy.load` believes what these say of themselves:
13 MB can unpack to 3 GB, and a header can ask for any amount of memory.
"""

from __future__ import annotations

import contextlib
import io
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from stratoperf import door
from stratoperf.door import MOST_NUMBERS
from stratoperf.errors import SchemaError

MOST_ARRAYS = 100_000
"""Arrays in an archive at most: some 10,000 results, ten processes each."""

LARGEST_INFLATED = 1 << 27
"""Bytes at most that all compressed arrays of an archive unpack to: 128 MiB. Stratoperf compresses
none; what is stored takes no more memory than it has bytes in the file."""

_LARGEST_DIRECTORY = 1 << 24
"""Bytes of a Zip file's directory at most; an entry of `MOST_ARRAYS` has some 100."""

_LONGEST_HEADER = 1 << 12
_CHUNK = 1 << 20

_MAGIC = re.compile(rb"\x93NUMPY[\x01-\x03]\x00")
# What NumPy writes for one dimension, the longest number included.
_HEADER = re.compile(
    r"\{'descr': '(?P<type>[<>|=]?\w+)', 'fortran_order': (?:True|False), "
    r"'shape': \((?P<count>\d{1,19}),\),? ?\} *\n?"
)
_TYPES: Mapping[str, np.dtype[Any]] = {
    dtype.str: dtype
    for dtype in map(np.dtype, ("i1", "u1", "<i2", "<u2", "<i4", "<u4", "<i8", "<u8", "<f4", "<f8"))
}

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    NotImplementedError,
    # Of an encrypted file, of a name that is not text, and of positions outside the file.
    RuntimeError,
    ValueError,
    OverflowError,
    OSError,
    MemoryError,
)


def is_storable(dtype: np.dtype[Any]) -> bool:
    """Return whether arrays of a type can be stored and read again."""
    return dtype.newbyteorder("<").str in _TYPES


class Archive:
    """An ``.npz`` whose directory was checked.

    Attributes
    ----------
    names
        Names of the arrays, in the order of the file.
    """

    def __init__(self, opened: zipfile.ZipFile) -> None:
        self._zip = opened
        infos = opened.infolist()
        _check_directory(infos, opened.start_dir)
        self._infos = {info.filename.removesuffix(".npy"): info for info in infos}
        self.names = list(self._infos)

    def read(self, name: str) -> NDArray[Any]:
        """Return an array of one dimension.

        Raises
        ------
        SchemaError
            When there is no array with this name, it is damaged, of several dimensions, or not of
            plain numbers; without the file's name.
        """
        if name not in self._infos:
            raise SchemaError("there is no array with that name")
        info = self._infos[name]
        with _sentences(), self._zip.open(info) as file:
            dtype, count, header_bytes = _header(file)
            expected = info.file_size - header_bytes
            if count > MOST_NUMBERS:
                raise SchemaError(f"it has {count} numbers, and the limit is {MOST_NUMBERS}")
            if count * dtype.itemsize != expected:
                raise SchemaError(
                    f"its header promises {count} numbers of {dtype.itemsize} bytes, and there "
                    f"are {expected} bytes"
                )
            array = np.empty(count, dtype)
            _fill(array.view(np.uint8).data, file)
        return array


@contextlib.contextmanager
def open_archive(path: Path, *, follow_links: bool) -> Iterator[Archive]:
    """Open an ``.npz``.

    Parameters
    ----------
    path, follow_links
        As for `stratoperf.door.open_regular`.

    Raises
    ------
    SchemaError
        When it cannot be read or is not an ``.npz`` within the limits.
    """
    with door.open_regular(path, follow_links=follow_links) as file:
        with _sentences():
            opened = zipfile.ZipFile(_Bounded(file))
        with opened:
            yield Archive(opened)


class _Bounded(io.RawIOBase):
    """A file that refuses to be read in one piece: `zipfile` reads a directory so, of any size."""

    def __init__(self, file: io.FileIO) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0, /) -> int:
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        return self._file.tell()

    def read(self, size: int = -1, /) -> bytes:
        most = _LARGEST_DIRECTORY + 1
        content = self._file.read(min(size, most) if size >= 0 else most)
        if len(content) == most:
            raise zipfile.BadZipFile("its directory is too large")
        return content


@contextlib.contextmanager
def _sentences() -> Iterator[None]:
    """Turn what `zipfile` raises into sentences."""
    try:
        yield
    except _BROKEN as error:
        raise SchemaError(
            f"it is damaged, or not an .npz ({door.shortened(str(error) or type(error).__name__)})"
        ) from error


def _check_directory(infos: list[zipfile.ZipInfo], end: int) -> None:
    """Check what the directory of a Zip file says, before any of it is believed."""
    if len(infos) > MOST_ARRAYS:
        raise SchemaError(f"it has more than {MOST_ARRAYS} arrays")
    names = {info.filename for info in infos}
    if len(names) < len(infos):
        raise SchemaError("it has two arrays with the same name")
    inflated = sum(info.file_size for info in infos if info.compress_type != zipfile.ZIP_STORED)
    if inflated > LARGEST_INFLATED:
        raise SchemaError(
            f"its compressed arrays unpack to {inflated} bytes, and the limit is {LARGEST_INFLATED}"
        )
    for info in infos:
        what = door.shortened(repr(info.filename))
        if not info.filename.endswith(".npy"):
            raise SchemaError(f"{what} in it is not an array")
        if info.flag_bits & 1:
            raise SchemaError(f"{what} in it is encrypted")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise SchemaError(f"{what} in it is not compressed with deflate")
        if info.compress_type == zipfile.ZIP_STORED and info.file_size != info.compress_size:
            raise SchemaError(f"{what} in it has two sizes")
    beyond = [*sorted(info.header_offset for info in infos)[1:], end]
    for info, limit in zip(
        sorted(infos, key=lambda info: info.header_offset), beyond, strict=False
    ):
        if not 0 <= info.header_offset <= limit - info.compress_size - len(info.filename):
            raise SchemaError(f"{door.shortened(repr(info.filename))} overlaps what follows it")


def _header(file: IO[bytes]) -> tuple[np.dtype[Any], int, int]:
    """Return the type and the count that a ``.npy`` promises, and how long its header is."""
    start = file.read(8)
    if not _MAGIC.fullmatch(start):
        raise SchemaError("it is not a NumPy array")
    width, form = (2, "<H") if start[6] == 1 else (4, "<I")
    (length,) = struct.unpack(form, file.read(width))
    text = file.read(min(length, _LONGEST_HEADER)).decode("latin-1")
    match = _HEADER.fullmatch(text)
    if match is None or len(text) < length:
        raise SchemaError(
            f"it is not an array of numbers in one dimension: {door.shortened(text.strip())!r}"
        )
    if match["type"] not in _TYPES:
        raise SchemaError(
            f"its numbers are of the type {match['type']!r}, expected one of {', '.join(_TYPES)}"
        )
    return _TYPES[match["type"]], int(match["count"]), len(start) + width + length


def _fill(target: memoryview, file: IO[bytes]) -> None:
    """Read exactly as many bytes as the target has."""
    filled = 0
    while filled < len(target):
        chunk = file.read(min(_CHUNK, len(target) - filled))
        if not chunk:
            raise EOFError(f"it ends after {filled} of {len(target)} bytes")
        target[filled : filled + len(chunk)] = chunk
        filled += len(chunk)
    # The checksum is compared at the end of the file.
    if file.read(1):
        raise SchemaError("it has data after its last number")
