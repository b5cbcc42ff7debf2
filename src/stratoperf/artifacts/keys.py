"""The identity of an artifact: a digest of its key and of the code that builds it."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from types import CodeType
from typing import Any

import numpy as np

from stratoperf import arguments
from stratoperf.errors import InvalidParameter


def digest_of(key: Sequence[object], build: Callable[..., object]) -> bytes:
    """Return the digest of an artifact.

    Parameters
    ----------
    key
        What the author says that it is made of.
    build
        What makes it. The file that has its code counts, and so do values of the functions around
        it where they can be compared: a forgotten part of the key is one of these, mostly.

    Raises
    ------
    InvalidParameter
        For a part of the key that cannot be compared between processes.
    """
    hashed = _Hash()
    for number, part in enumerate(key):
        hashed.add(part, f"key[{number}]")
    hashed.add([getattr(build, "__module__", None), _name(build)], "build")
    code = getattr(build, "__code__", None)
    if isinstance(code, CodeType):
        with contextlib.suppress(OSError):
            hashed.add(Path(code.co_filename).read_bytes(), "build")
        hashed.add(code.co_firstlineno, "build")
    for value in _surrounding(build):
        with contextlib.suppress(InvalidParameter):
            # Digested aside: what cannot be digested to its end leaves nothing.
            aside = _Hash()
            aside.add(value, "build")
            hashed.add(aside.digest(), "build")
    return hashed.digest()


def _name(build: Callable[..., object]) -> str:
    return str(getattr(build, "__qualname__", type(build).__qualname__))


def _surrounding(build: Callable[..., object]) -> list[object]:
    """Return the values that a function takes from its surroundings."""
    values: list[object] = [
        getattr(build, "__defaults__", None),
        getattr(build, "__kwdefaults__", None),
    ]
    for cell in getattr(build, "__closure__", None) or ():
        with contextlib.suppress(ValueError):
            # Nothing may be in it yet.
            values.append(cell.cell_contents)
    return values


class _Hash:
    """Digests values such that different ones, also of different types, differ."""

    def __init__(self) -> None:
        self._hash = hashlib.sha256()

    def digest(self) -> bytes:
        return self._hash.digest()

    def add(self, part: Any, where: str) -> None:
        """Add a value; `where` names it if it cannot be digested."""
        if isinstance(part, np.generic):
            part = np.asarray(part)
        if part is None or isinstance(part, bool | int):
            # A subclass may print itself as it likes.
            number = part if part is None or isinstance(part, bool) else int(part)
            self._put(type(number).__name__, repr(number).encode())
        elif isinstance(part, float):
            self._put("float", float(part).hex().encode())
        elif isinstance(part, str):
            self._put("str", part.encode("utf-8", "surrogatepass"))
        elif isinstance(part, bytes):
            self._put("bytes", part)
        elif isinstance(part, np.ndarray) and not part.dtype.hasobject:
            self._put("array", repr((part.dtype.descr, part.shape)).encode())
            self._put("", np.ascontiguousarray(part).view(np.uint8) if part.size else b"")
        elif isinstance(part, list | tuple):
            self._put("sequence", str(len(part)).encode())
            for number, each in enumerate(part):
                self.add(each, f"{where}[{number}]")
        elif isinstance(part, dict):
            self._put("dict", str(len(part)).encode())
            for name in sorted(part, key=repr):
                self.add([name, part[name]], f"{where}[{name!r}]")
        else:
            raise InvalidParameter(
                f"{where}: {arguments.shown(part)}, a {type(part).__name__}, cannot be compared "
                "between processes; give numbers, text, bytes, NumPy arrays without objects, and "
                "lists or dictionaries of these, such as the path and the digest of a file"
            )

    def _put(self, kind: str, content: Any) -> None:
        view = memoryview(content)
        self._hash.update(f"{kind}:{view.nbytes}:".encode())
        self._hash.update(view)
