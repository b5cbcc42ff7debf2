"""Which names in a folder a run may take, and what stands under them."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from stratoperf.errors import InvalidParameter, SchemaError
from stratoperf.paths import is_directory
from stratoperf.results import storage
from stratoperf.results.files import looks_like_run
from stratoperf.results.journal_lines import read_journal
from stratoperf.results.names import JOURNAL_SUFFIX, LATEST

_LONGEST_NAME = 60  # bytes


def check_latest(directory: Path, argument: str) -> None:
    """Make sure that ``latest.json`` of a directory may be replaced.

    Raises
    ------
    InvalidParameter
        When anything but a run file has the name.
    """
    latest = directory / LATEST
    try:
        is_free = not os.path.lexists(latest) or looks_like_run(latest)
    except OSError as error:
        raise InvalidParameter(f"{argument}: cannot read {latest}: {error.strerror}") from error
    if not is_free:
        raise InvalidParameter(
            f"{argument}: {latest} is not a run file, but the newest run is saved under this name; "
            "move it, or choose another directory"
        )


def check_is_run(path: Path, identity: str, argument: str) -> None:
    """Make sure that a run file may be replaced by more of the same run.

    Raises
    ------
    InvalidParameter
        When another run, or no run at all, has the name.
    """
    if os.path.lexists(path) and _identity_of(path) != identity:
        raise InvalidParameter(
            f"{argument}: {path} belongs to another run and would be replaced; move it elsewhere"
        )


def _identity_of(path: Path) -> object:
    """Return the identity of a run file or journal, ``None`` where there is none."""
    try:
        if is_directory(path):
            return read_journal(path).get("id")
        tree = storage.read_tree(path) if path.is_file() else None
    except SchemaError:
        return None
    return tree.get("id") if isinstance(tree, dict) else None


def is_journal_of(place: Path, document: Mapping[str, Any]) -> bool:
    """Return whether a folder is the journal of a run."""
    return is_directory(place) and not place.is_symlink() and _identity_of(place) == document["id"]


def is_empty_directory(place: Path) -> bool:
    """Return whether a folder, which is not a link, holds nothing."""
    try:
        return is_directory(place) and not place.is_symlink() and not any(place.iterdir())
    except OSError:
        return False


def journal_of(path: Path) -> Path:
    """Return where the journal of a run file lies."""
    # Also of the root, which has no name.
    return path.parent / f"{path.stem}{JOURNAL_SUFFIX}"


def numbered(path: Path) -> Iterator[Path]:
    """Yield ``x.json``, ``x-2.json``, ``x-3.json`` and so on."""
    yield path
    for number in itertools.count(2):
        yield path.with_name(f"{path.stem}-{number}{path.suffix}")


def file_name(words: Iterable[str]) -> str:
    """Return the selection as a part of a file name."""
    name = "+".join(re.sub(r"[^\w.+-]+", "-", word.replace("*", "all")) for word in words) or "all"
    short = name.encode(errors="replace")[:_LONGEST_NAME].decode(errors="ignore")
    return short.strip("-.") or "all"
