"""The door: reads what comes from outside, within stated limits.

Run files, journals, thresholds, traces and the messages of workers may come from anybody. Whatever
is wrong with them ends in a `SchemaError` of one sentence that names the file and the key; nothing
else escapes from here. The module needs the standard library only until JSON is parsed.
"""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

from stratoperf.errors import SchemaError
from stratoperf.failures import is_storable

LARGEST_JSON = 1 << 27
"""Bytes in a run file or in a journal at most: 128 MiB. Where samples are many they lie in an
``.npz``, so a file of 10,000 results has 40 MiB."""

MOST_OBJECTS = 500_000
"""Objects and arrays in a document at most; a result has 30. An empty one takes up to 230 bytes
of memory for 3 bytes of text."""

MOST_VALUES = 4_000_000
"""Values in a document at most. Each takes up to 64 bytes of memory."""

DEEPEST = 50
"""Levels of nesting at most; a run file has 9. Printing, copying and saving recurse."""

LONGEST_KEY = 1000
"""Characters in the key of an object at most. Keys stand in messages and in tables."""

SMALLEST_INTEGER = -(2**63)
LARGEST_INTEGER = 2**64 - 1
"""What JSON readers of other languages and NumPy can hold."""

LONGEST_S = 3_600_000.0
"""Seconds that anything can be asked to last at most: 1,000 hours."""

MOST_NUMBERS = 1 << 26
"""Numbers in an array at most: 512 MiB, a sample each 2 us for two minutes."""

_CHUNK = 1 << 20
_SHOWN = 60

_KINDS = (
    (stat.S_ISDIR, "a directory"),
    (stat.S_ISFIFO, "a named pipe"),
    (stat.S_ISSOCK, "a socket"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISLNK, "a symbolic link"),
)

_Place: TypeAlias = "tuple[_Place, str | int] | str"
"""Where a value stands: the place of what holds it, and its key or index there."""


def open_regular(path: str | os.PathLike[str], *, follow_links: bool = True) -> io.FileIO:
    """Open a regular file for reading; anything else is not even opened.

    Parameters
    ----------
    path
        The file.
    follow_links
        Whether `path` may be a symbolic link: what a user names may, what a file refers to may
        not.

    Raises
    ------
    SchemaError
        When the file does not exist, cannot be read, or is not a regular file.
    """
    links = 0 if follow_links else os.O_NOFOLLOW
    try:
        # Opening a named pipe waits, and opening a device can do anything: look first. The look
        # through the descriptor is for what was replaced in between.
        _check_regular(path, Path(path).stat(follow_symlinks=follow_links))
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY | links)
        file = io.FileIO(descriptor, "rb")
        try:
            _check_regular(path, os.fstat(descriptor))
        except BaseException:
            file.close()
            raise
    except OSError as error:
        raise SchemaError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:
        # A NUL in the name.
        raise SchemaError(f"cannot read {str(path)!r}: {error}") from error
    return file


def read_bytes(path: str | os.PathLike[str], limit: int, *, follow_links: bool = True) -> bytes:
    """Return the content of a regular file of at most `limit` bytes.

    Parameters
    ----------
    path, follow_links
        As for `open_regular`.
    limit
        Maximum number of bytes to read, whatever size the file system reports.

    Raises
    ------
    SchemaError
        As `open_regular` does, and when the file is larger.
    """
    with open_regular(path, follow_links=follow_links) as file:
        try:
            size = os.fstat(file.fileno()).st_size
            # One byte more than it should have finds a file that grows, or that has no size.
            content = b"" if size > limit else b"".join(_chunks(file, limit + 1))
        except OSError as error:
            raise SchemaError(f"cannot read {path}: {error.strerror or error}") from error
    if size > limit or len(content) > limit:
        raise SchemaError(
            f"{path}: the file is larger than {_size(limit)}, the limit for such a file"
        )
    return content


def parse_json(content: bytes, source: str, *, nan_is_null: bool = False) -> Any:
    """Return what a JSON text holds: of limited size and depth, and with finite numbers only.

    Of a key that an object has twice the last value counts.

    Parameters
    ----------
    content
        UTF-8.
    source
        Where it comes from, for messages.
    nan_is_null
        Whether a bare ``NaN`` or ``Infinity``, which Python writes and JSON does not know, is read
        as ``None`` instead of refused.

    Raises
    ------
    SchemaError
        Names `source`, and the place in it.
    """
    import msgspec

    try:
        check_outline(content)
        if not content.strip():
            raise SchemaError("the file is empty")
        if nan_is_null and (b"NaN" in content or b"Infinity" in content):
            import json

            tree = json.loads(content, parse_constant=lambda _: None)
        else:
            tree = msgspec.json.decode(content)
        check_tree(tree)
    except SchemaError as error:
        raise SchemaError(f"{source}: {error}; get a fresh copy of the file") from None
    except RecursionError:
        raise SchemaError(f"{source}: {_too_deep()}; get a fresh copy of the file") from None
    except (msgspec.DecodeError, ValueError) as error:
        bad = _first_bad_byte(content)
        # Versions of msgspec differ in the error that they raise for it.
        if bad is not None:
            raise SchemaError(
                f"{source}: byte {bad} is not valid UTF-8; take the file from its origin again"
            ) from None
        raise SchemaError(
            f"{source}: {error}; the file is truncated or not JSON; get a fresh copy of it"
        ) from error
    return tree


class Outline(NamedTuple):
    """How much JSON holds at most, counted without parsing it.

    Brackets and commas in strings count too: a limit needs no parser.
    """

    size: int
    objects: int
    values: int

    @classmethod
    def of(cls, content: bytes) -> Outline:
        """Count what a text holds."""
        return cls(len(content), content.count(b"{") + content.count(b"["), content.count(b","))

    def with_more(self, content: bytes) -> Outline:
        """Return the counts of this text and another one after it."""
        more = Outline.of(content)
        return Outline(
            self.size + more.size, self.objects + more.objects, self.values + more.values
        )

    def check(self) -> None:
        """Make sure that what the text holds fits into memory.

        Raises
        ------
        SchemaError
            Without the name of the source.
        """
        if self.size > LARGEST_JSON:
            raise SchemaError(f"it has more than {_size(LARGEST_JSON)}")
        if self.objects > MOST_OBJECTS:
            raise SchemaError(f"it has more than {MOST_OBJECTS:,} objects and arrays")
        if self.values > MOST_VALUES:
            raise SchemaError(f"it has more than {MOST_VALUES:,} values")


def check_outline(content: bytes) -> None:
    """Make sure, before JSON is parsed, that what it holds fits into memory.

    Raises
    ------
    SchemaError
        Without the name of the source.
    """
    Outline.of(content).check()


def check_tree(tree: object, where: str = "") -> None:
    """Make sure that everything which can be read can also be shown, copied and saved.

    Parameters
    ----------
    tree
        Parsed JSON, or values to write as JSON.
    where
        Its key path, empty for the top level.

    Raises
    ------
    SchemaError
        For nesting, keys and integers beyond the limits, and for text that UTF-8 cannot hold; names
        the key path.
    """
    level: list[tuple[object, _Place]] = [(tree, where)]
    depth = 0
    while level:
        if depth > DEEPEST:
            raise SchemaError(f"{where}: {_too_deep()}" if where else _too_deep())
        level = list(_below(level))
        depth += 1


def _below(level: list[tuple[object, _Place]]) -> Iterator[tuple[object, _Place]]:
    """Check the values of one level and yield the objects and arrays a level further down."""
    for value, place in level:
        if isinstance(value, dict):
            for key, item in value.items():
                if isinstance(key, str):
                    _check_key(key, place)
                if isinstance(item, dict | list | tuple):
                    yield item, (place, key)
                elif isinstance(item, str | int):
                    _check_scalar(item, (place, key))
        elif isinstance(value, list | tuple):
            # The numbers of a column are many, and of one type.
            kinds = set(map(type, value))
            if kinds <= {float, bool, type(None)}:
                continue
            if kinds <= {int, float} and _is_integer(min(value)) and _is_integer(max(value)):
                continue
            if kinds == {str} and is_storable("".join(value)):
                continue
            for index, item in enumerate(value):
                if isinstance(item, dict | list | tuple):
                    yield item, (place, index)
                elif isinstance(item, str | int):
                    _check_scalar(item, (place, index))
        elif isinstance(value, str | int):
            _check_scalar(value, place)


def _check_scalar(value: str | int, place: _Place) -> None:
    if isinstance(value, str):
        _check_text(value, place)
    elif not _is_integer(value):
        raise SchemaError(
            f"{_path(place)}: expected an integer from -2^63 to 2^64 - 1, got one of "
            f"{value.bit_length()} bits"
        )


def _is_integer(value: float) -> bool:
    return SMALLEST_INTEGER <= value <= LARGEST_INTEGER


def _check_key(key: str, place: _Place) -> None:
    if len(key) > LONGEST_KEY:
        raise SchemaError(
            f"{_path((place, key))}: the key has {len(key)} characters; at most "
            f"{LONGEST_KEY} are allowed"
        )
    _check_text(key, place)


def _check_text(text: str, place: _Place) -> None:
    if not is_storable(text):
        raise SchemaError(f"{_path(place)}: it has a lone surrogate, which UTF-8 cannot encode")


def _path(place: _Place) -> str:
    """Return a place as it is written: ``results[3].params.size``."""
    steps: list[str] = []
    while isinstance(place, tuple):
        place, step = place
        steps.append(f"[{step}]" if isinstance(step, int) else f".{shortened(step)}")
    return shortened((place + "".join(reversed(steps))).lstrip("."), 4 * _SHOWN) or "top level"


def shortened(text: str, longest: int = _SHOWN) -> str:
    """Return a text that came from outside, cut where it is too long for a message."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def _check_regular(path: str | os.PathLike[str], status: os.stat_result) -> None:
    if stat.S_ISREG(status.st_mode):
        return
    kind = next((name for is_kind, name in _KINDS if is_kind(status.st_mode)), "a special file")
    raise SchemaError(f"cannot read {path}: it is {kind}; give a regular file")


def _chunks(file: io.FileIO, limit: int) -> Iterator[bytes]:
    while limit > 0 and (chunk := file.read(min(limit, _CHUNK))):
        limit -= len(chunk)
        yield chunk


def _first_bad_byte(content: bytes) -> int | None:
    """Return the place of the first byte that UTF-8 does not allow."""
    try:
        content.decode()
    except UnicodeDecodeError as error:
        return error.start
    return None


def _too_deep() -> str:
    return f"it is nested more than {DEEPEST} levels deep"


def _size(count: int) -> str:
    for unit in ("bytes", "KiB"):
        if count < 1024:
            return f"{count} {unit}"
        count >>= 10
    return f"{count} MiB"
