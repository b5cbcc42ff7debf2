"""The content of an artifact as a file without a name, and back.

The file begins with a fixed head: what it is, the key, and the digest and length of the table of
contents that follows. The table has for each part its type, place and digest. The parts begin at
pages, so that they can be mapped.
"""

from __future__ import annotations

import ast
import contextlib
import fcntl
import hashlib
import math
import mmap
import os
import struct
import tempfile
from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from stratoperf import arguments
from stratoperf.errors import InvalidParameter, StratoperfError

Part: TypeAlias = bytes | NDArray[Any]
Content: TypeAlias = Part | Mapping[str, Part]

KEY_BYTES = 32
_HEAD = struct.Struct(f"<24s{KEY_BYTES}s32sQ")
_MAGIC = b"stratoperf.artifact/1"
_LONGEST_TABLE = 1 << 24
_LARGEST_WRITE = 1 << 30
"""Bytes of one call: the system takes at most 2 GiB."""

_FORM = "return bytes, a NumPy array without objects, or a dictionary of these by name"


class _Entry(NamedTuple):
    """A part in the table: arrays have what `numpy.lib.format` calls the description."""

    name: str
    description: Any
    order: Literal["C", "F"]
    shape: tuple[int, ...]
    begin: int
    length: int
    digest: str

    @property
    def is_bytes(self) -> bool:
        return self.description is None


def checked(content: object) -> Content:
    """Return what a build function made, checked.

    Raises
    ------
    InvalidParameter
        When it is nothing that an artifact can hold.
    """
    if isinstance(content, dict):
        for name, part in content.items():
            if not isinstance(name, str):
                raise InvalidParameter(
                    f"build: it returned a dictionary with the key {arguments.shown(name)}; {_FORM}"
                )
            _check_part(part, f" as {name!r}")
    else:
        _check_part(content, "")
    return cast("Content", content)


def _check_part(part: object, where: str) -> None:
    if type(part) is bytes:
        return
    if type(part) is not np.ndarray:
        raise InvalidParameter(f"build: it returned a {type(part).__name__}{where}; {_FORM}")
    if part.dtype.hasobject:
        raise InvalidParameter(f"build: it returned an array of Python objects{where}; {_FORM}")


def size_of(content: Content) -> int:
    """Return the bytes of all parts."""
    parts = content.values() if isinstance(content, Mapping) else (content,)
    return sum(len(part) if isinstance(part, bytes) else part.nbytes for part in parts)


def frozen(content: Content) -> Content:
    """Return a content whose arrays are read-only."""
    if isinstance(content, Mapping):
        return {name: _frozen(part) for name, part in content.items()}
    return _frozen(content)


def _frozen(part: Part) -> Part:
    if isinstance(part, bytes):
        return part
    view: NDArray[Any] = part.view()
    view.flags.writeable = False
    return view


def stored(content: Content, key: bytes) -> int:
    """Write a content to a new file without a name, which nobody can change afterwards.

    Returns
    -------
    int
        Its descriptor: the file is gone with the last of its users.

    Raises
    ------
    OSError
        When there is no room.
    """
    with contextlib.ExitStack() as cleanup:
        descriptor = _unnamed()
        cleanup.callback(os.close, descriptor)
        entries, parts = _laid_out(content)
        for entry, part in zip(entries, parts, strict=True):
            _write(descriptor, part, entry.begin)
        table = _table(isinstance(content, Mapping), entries)
        head = _HEAD.pack(_MAGIC, key, hashlib.sha256(table).digest(), len(table))
        _write(descriptor, memoryview(head + table), 0)
        sealed = _sealed(descriptor)
        if sealed == descriptor:
            cleanup.pop_all()
        return sealed


def _unnamed() -> int:
    if hasattr(os, "memfd_create"):
        return os.memfd_create("stratoperf-artifact", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    # An interpreter that was built for an old system.
    with tempfile.TemporaryFile() as file:
        return os.dup(file.fileno())


def _sealed(descriptor: int) -> int:
    """Return a descriptor by which the file can only be read."""
    if hasattr(os, "memfd_create"):
        seals = fcntl.F_SEAL_SEAL | fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_WRITE
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, seals)
        return descriptor
    return os.open(f"/proc/self/fd/{descriptor}", os.O_RDONLY | os.O_CLOEXEC)


def _laid_out(content: Content) -> tuple[list[_Entry], list[memoryview]]:
    """Return the entries of the table, and the bytes of each."""
    named = dict(content) if isinstance(content, Mapping) else {"": content}
    entries: list[_Entry] = []
    views: list[memoryview] = []
    # The table is as long as it is for places of any size.
    drafts = [_entry(name, part, 2**63) for name, part in named.items()]
    begin = _HEAD.size + len(_table(True, [entry for entry, _ in drafts]))
    for entry, view in drafts:
        begin = -(-begin // mmap.PAGESIZE) * mmap.PAGESIZE
        entries.append(entry._replace(begin=begin))
        views.append(view)
        begin += entry.length
    return entries, views


def _entry(name: str, part: Part, begin: int) -> tuple[_Entry, memoryview]:
    if isinstance(part, bytes):
        view = memoryview(part)
        return _Entry(name, None, "C", (), begin, len(part), _digest(view)), view
    # As it lies in memory is a part of what is measured.
    order: Literal["C", "F"] = "C"
    if part.flags.f_contiguous and not part.flags.c_contiguous:
        order = "F"
    view = _bytes_of(np.asarray(part, order=order))
    description = np.lib.format.dtype_to_descr(part.dtype)
    return _Entry(name, description, order, part.shape, begin, part.nbytes, _digest(view)), view


def _bytes_of(array: NDArray[Any]) -> memoryview:
    """Return the memory of an array."""
    if array.nbytes == 0:
        return memoryview(b"")
    return array.reshape(-1, order="A").view(np.uint8).data


def _table(is_mapping: bool, entries: Sequence[_Entry]) -> bytes:
    return repr((is_mapping, [tuple(entry) for entry in entries])).encode("utf-8", "surrogatepass")


def _digest(view: memoryview) -> str:
    return hashlib.sha256(view).hexdigest()


def _write(descriptor: int, view: memoryview, begin: int) -> None:
    done = 0
    while done < len(view):
        done += os.pwrite(descriptor, view[done : done + _LARGEST_WRITE], begin + done)


def key_of(descriptor: int) -> bytes | None:
    """Return the key of what a descriptor leads to; ``None`` if that is not an artifact."""
    head = _head(descriptor)
    return None if head is None else head[1]


def _head(descriptor: int) -> tuple[bytes, bytes, bytes, int] | None:
    try:
        head = os.pread(descriptor, _HEAD.size, 0)
    except OSError:
        return None
    if len(head) < _HEAD.size:
        return None
    magic, key, digest, length = _HEAD.unpack(head)
    is_right = magic.rstrip(b"\0") == _MAGIC and length <= _LONGEST_TABLE
    return (magic, key, digest, length) if is_right else None


def loaded(descriptor: int, *, mapped: bool) -> Content:
    """Return the content of a file, all of it checked.

    Parameters
    ----------
    descriptor
        From `stored`.
    mapped
        Whether arrays are the pages of the file itself, instead of memory of this process.

    Raises
    ------
    StratoperfError
        When it is not what was stored.
    OSError
        When it cannot be read or mapped.
    """
    head = _head(descriptor)
    if head is None:
        raise _damaged()
    _, _, digest, length = head
    table = _read(descriptor, _HEAD.size, length)
    if hashlib.sha256(table).digest() != digest:
        raise _damaged()
    is_mapping, rows = ast.literal_eval(bytes(table).decode("utf-8", "surrogatepass"))
    entries = [_Entry(*row) for row in rows]
    mapping = _mapping(descriptor) if mapped else None
    parts = {entry.name: _part(descriptor, entry, mapping) for entry in entries}
    return parts if is_mapping else parts[""]


def _mapping(descriptor: int) -> mmap.mmap:
    # Private, since some kernels map no sealed file shared; unwritten pages are shared anyway.
    return mmap.mmap(descriptor, 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ)


def _part(descriptor: int, entry: _Entry, mapping: mmap.mmap | None) -> Part:
    if entry.is_bytes:
        content = bytes(_read(descriptor, entry.begin, entry.length))
        _check(memoryview(content), entry)
        return content
    dtype = np.lib.format.descr_to_dtype(entry.description)
    if mapping is not None and entry.length:
        _check(memoryview(mapping)[entry.begin : entry.begin + entry.length], entry)
        flat = np.frombuffer(mapping, dtype, math.prod(entry.shape), entry.begin)
        return flat.reshape(entry.shape, order=entry.order)
    array = np.empty(entry.shape, dtype, order=entry.order)
    view = _bytes_of(array)
    _read_into(descriptor, view, entry.begin)
    # What is used is what is checked, wherever it came from.
    _check(view, entry)
    array.flags.writeable = False
    return array


def _check(view: memoryview, entry: _Entry) -> None:
    if len(view) != entry.length or _digest(view) != entry.digest:
        raise _damaged()


def _read(descriptor: int, begin: int, length: int) -> bytearray:
    content = bytearray(length)
    _read_into(descriptor, memoryview(content), begin)
    return content


def _read_into(descriptor: int, view: memoryview, begin: int) -> None:
    done = 0
    while done < len(view):
        part = view[done : done + _LARGEST_WRITE]
        # At a place: the position in the file is that of all processes.
        count = os.preadv(descriptor, [part], begin + done)
        if count == 0:
            raise _damaged()
        done += count


def _damaged() -> StratoperfError:
    return StratoperfError(
        "artifact: its content changed since it was built, so that nothing is measured with it; "
        "the code under test must leave descriptors alone that it did not open"
    )
