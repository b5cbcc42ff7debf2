"""Saving runs, and loading them whole."""

from __future__ import annotations

import functools
import hashlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from stratoperf import door
from stratoperf.errors import SchemaError, StratoperfError
from stratoperf.failures import storable
from stratoperf.results.archives import MOST_ARRAYS
from stratoperf.results.columns import Array, External, digest, external_path, read_external
from stratoperf.results.files import atomic_file, describe_failure, write_arrays
from stratoperf.results.validation import convert

LONGEST_INLINE_COLUMN = 10_000
"""Samples up to which a column stays in the JSON; the run-file contract sets the number."""


MOST_INLINE_SAMPLES = 1_000_000
"""Samples in the JSON at most; columns beyond go to the ``.npz`` too, so that the file stays within
what the door reads."""

_SHORT = 100
"""Samples up to which a column stays in the JSON in any case: a reference takes as much."""


class _Pending(NamedTuple):
    """A column on its way to an ``.npz``: where it stands, and how to get at its numbers."""

    columns: dict[str, Any]
    name: str
    load: Callable[[], Array]
    sha256: str
    earlier: dict[str, Any]


def read_tree(path: Path, *, follow_links: bool = True) -> Any:
    """Read the JSON of a run file.

    Parameters
    ----------
    path
        The file.
    follow_links
        Whether it may be a symbolic link.

    Raises
    ------
    SchemaError
        When the file is missing, empty, truncated, not JSON, or beyond the limits of the door.
    """
    content = door.read_bytes(path, door.LARGEST_JSON, follow_links=follow_links)
    return door.parse_json(content, str(path))


def save_tree(
    document: dict[str, Any], base: Path | None, path: Path, *, staging: Path | None = None
) -> None:
    """Write a document as a run file, with its long columns in an ``.npz`` beside it.

    Parameters
    ----------
    document
        The tree of a run; columns may be lists, arrays or references. It is not changed.
    base
        Directory that references in `document` are relative to.
    path
        The run file. Its directory is created when it does not exist.
    staging
        A file to be, in another directory of the same file system, which then holds the ``.npz``
        under a second name: if the process dies before the run file is written, that shows whose
        it is.

    Raises
    ------
    SchemaError
        When a column that has to be copied is missing or was changed.
    StratoperfError
        When the file cannot be written; an older file of that name is then untouched.
    """
    with describe_failure(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    tree = _copy_for_columns(document)
    pending: dict[str, _Pending] = {}
    inline = 0
    for result, series, columns in columns_of(tree):
        for name, column in columns.items():
            member = f"result{result}_series{series}_{name}"
            if isinstance(column, dict):
                where = f"results[{result}].series[{series}].columns.{name}"
                reference = convert(column, External, where)
                source = external_path(reference, base, where)
                if source.parent.resolve() == path.parent.resolve():
                    columns[name] = {**column, "file": source.name}
                    continue
                load = functools.partial(read_external, reference, base, where)
                pending[member] = _Pending(columns, name, load, reference.sha256, column)
            elif not fits_inline(column, inline):
                array = np.asarray(column)
                load = functools.partial(np.asarray, array)
                pending[member] = _Pending(columns, name, load, digest(array), {})
            else:
                inline += len(column)
    if len(pending) > MOST_ARRAYS:
        raise StratoperfError(
            f"cannot write {path}: its samples are {len(pending)} arrays, and {MOST_ARRAYS} can be "
            "read again; save the results in several runs"
        )
    if pending:
        # The arrays come first: at no moment does a run file refer to what is not there.
        arrays = _write_arrays(path, pending, staging)
        for item, location in zip(pending.values(), _locations(arrays, pending), strict=True):
            # Unknown keys of an earlier reference survive.
            item.columns[item.name] = {**item.earlier, **location}
    content = encode(tree)
    try:
        door.check_outline(content)
    except SchemaError as error:
        raise StratoperfError(
            f"cannot write {path}: {error}, which cannot be read again; save the results in "
            "several runs"
        ) from error
    with atomic_file(path) as file:
        file.write(content)


def fits_inline(column: Any, inline: int) -> bool:
    """Return whether a column goes into the JSON, given the number of samples in it already."""
    count = len(column)
    if count > LONGEST_INLINE_COLUMN or (count > _SHORT and inline + count > MOST_INLINE_SAMPLES):
        return False
    # JSON has no word for NaN and infinity.
    return bool(np.isfinite(column).all())


def files_of(document: Mapping[str, Any]) -> set[str]:
    """Return the names of the files that a run document refers to."""
    return {
        column["file"]
        for _, _, columns in columns_of(document)
        for column in columns.values()
        if isinstance(column, dict)
    }


def encode(tree: Any) -> bytes:
    """Return JSON to read and to diff: indented, but with lists of numbers on one line.

    What JSON has no word for (NaN, infinity) becomes ``null``.
    """
    return "".join(_layout(finite(tree), "\n")).encode() + b"\n"


def encode_line(tree: Any) -> bytes:
    """Return JSON on one line, with its line feed."""
    return msgspec.json.encode(finite(tree)) + b"\n"


def finite(value: Any) -> Any:
    """Return plain JSON types: ``null`` for numbers that are not finite, lists for arrays.

    Bytes of file names that are not UTF-8 become escapes.
    """
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {finite(str(key)): finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return finite(value.tolist())
    if isinstance(value, msgspec.Struct):
        return finite(msgspec.to_builtins(value))
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value


def _layout(value: Any, newline: str) -> Iterator[str]:
    """Yield pieces of indented JSON; `newline` is a line feed with the indentation so far."""
    inner = f"{newline} "
    if isinstance(value, dict) and value:
        for number, (key, item) in enumerate(value.items()):
            yield f"{',' if number else '{'}{inner}{msgspec.json.encode(key).decode()}: "
            yield from _layout(item, inner)
        yield f"{newline}}}"
    elif isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        for number, item in enumerate(value):
            yield f"{',' if number else '['}{inner}"
            yield from _layout(item, inner)
        yield f"{newline}]"
    else:
        yield msgspec.json.encode(value).decode()


def columns_of(tree: Mapping[str, Any]) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Yield position of the result, position of the series, and its columns."""
    for number, result in enumerate(tree.get("results", [])):
        for place, series in enumerate(result.get("series", [])):
            yield number, place, series["columns"]


def _copy_for_columns(document: dict[str, Any]) -> dict[str, Any]:
    """Copy the tree as far as columns are replaced in it; all else is shared."""
    tree = {**document, "results": [dict(result) for result in document["results"]]}
    for result in tree["results"]:
        if "series" in result:
            result["series"] = [
                {**series, "columns": dict(series["columns"])} for series in result["series"]
            ]
    return tree


def _locations(arrays: Path, pending: Mapping[str, _Pending]) -> list[dict[str, str]]:
    return [
        {"file": arrays.name, "member": member, "sha256": item.sha256}
        for member, item in pending.items()
    ]


def _write_arrays(path: Path, pending: Mapping[str, _Pending], staging: Path | None) -> Path:
    """Write the arrays of a run file into ``<run>.npz``, or under another name if that is taken.

    Overwriting would break the run files that still refer to it. A file that holds the same arrays
    already serves as it is.
    """
    for arrays in _names(path, pending):
        if _holds(arrays, pending):
            return arrays
        if os.path.lexists(arrays):
            continue
        target = staging or arrays
        with atomic_file(target) as file:
            write_arrays(file, {member: item.load for member, item in pending.items()})
        if staging is not None:
            with describe_failure(arrays):
                _name_as_well(staging, arrays)
        return arrays
    raise AssertionError("there is always another name")


def _names(path: Path, pending: Mapping[str, _Pending]) -> Iterator[Path]:
    yield path.with_suffix(".npz")
    content = "".join(f"{member} {item.sha256}\n" for member, item in pending.items())
    number = hashlib.sha256(content.encode()).hexdigest()[:12]
    yield path.with_suffix(f".{number}.npz")
    for count in itertools.count(2):
        yield path.with_suffix(f".{number}-{count}.npz")


def _holds(arrays: Path, pending: Mapping[str, _Pending]) -> bool:
    """Return whether a file has these arrays."""
    if arrays.is_symlink() or not arrays.is_file():
        return False
    try:
        for location in _locations(arrays, pending):
            read_external(convert(location, External, ""), arrays.parent, "")
    except SchemaError:
        return False
    return True


def _name_as_well(staging: Path, arrays: Path) -> None:
    try:
        arrays.hardlink_to(staging)
    except FileExistsError:
        raise
    except OSError:
        # A file system without second names.
        staging.rename(arrays)
