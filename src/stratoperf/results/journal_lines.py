"""Reading a journal: its header, and its lines; `stratoperf.results.journal` says what they are."""

from __future__ import annotations

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, TypeGuard

from stratoperf import door
from stratoperf.errors import SchemaError
from stratoperf.results import storage
from stratoperf.results.names import HEADER, JOURNAL_SUFFIX, LINES
from stratoperf.results.parts import series_of, with_open_cases, without_superseded
from stratoperf.results.schema import SCHEMA
from stratoperf.results.validation import convert, read_result

MARKER = "journal"
"""Key of the header that says what the directory is."""

VERSION = "stratoperf.journal/2"

_READABLE = ("stratoperf.journal/1", VERSION)
"""The first version has no parts."""

PART = "part"
"""Key of a line for a part."""

MACHINE = "journal_machine"
"""Key of the header for the machine that writes: its locks may hold nowhere else."""


def read_journal(path: Path) -> dict[str, Any]:
    """Read a journal, also one that a killed process left behind.

    Returns
    -------
    dict
        The document with the results, also of cases that were not finished; references in it are
        relative to the journal.

    Raises
    ------
    SchemaError
        When `path` is not a journal, or is damaged before its last line.
    """
    content = read_content(path)
    return {**content.header, "results": with_open_cases(content.results, content.parts, path)}


class Content(NamedTuple):
    """What a journal holds.

    Attributes
    ----------
    header
        The document without its results.
    results, parts
        As of `Journal`.
    lines
        How many whole ones there are.
    inline
        Samples in them.
    outline
        How much they hold.
    """

    header: dict[str, Any]
    results: list[dict[str, Any]]
    parts: dict[str, list[dict[str, Any]]]
    lines: int
    inline: int
    outline: door.Outline


def read_content(path: Path) -> Content:
    """Read the header and all whole lines of a journal; errors as for `read_journal`."""
    header = read_header(path)
    lines = path / LINES
    text = door.read_bytes(lines, door.LARGEST_JSON, follow_links=False)
    # A process that was killed while writing leaves a part of a line.
    text = text[: text.rfind(b"\n") + 1]
    outline = door.Outline.of(text)
    try:
        # Each line may be within the limits, and all of them together beyond.
        outline.check()
    except SchemaError as error:
        raise SchemaError(f"{lines}: {error}") from None
    reader = _Reader(path)
    for number, line in enumerate(text.splitlines(), start=1):
        where = f"{lines}, line {number}"
        tree = door.parse_json(line, where)
        try:
            reader.add(tree)
        except SchemaError as error:
            raise SchemaError(f"{where}: {error}; delete this line to read the others") from None
    header.pop(MARKER, None)
    header.pop(MACHINE, None)
    return Content(
        header,
        reader.results,
        reader.parts,
        len(text.splitlines()),
        reader.inline,
        outline,
    )


class _Reader:
    """Collects the lines of a journal."""

    def __init__(self, path: Path) -> None:
        self.results: list[dict[str, Any]] = []
        self.parts: dict[str, list[dict[str, Any]]] = {}
        self.inline = 0
        self._base = path
        self._used: dict[str, set[int]] = {}

    def add(self, tree: object) -> None:
        """Take up a line.

        Raises
        ------
        SchemaError
            When it is neither a result nor a part.
        """
        if not isinstance(tree, dict):
            raise SchemaError("expected an object")
        if PART in tree:
            part = convert(tree[PART], dict[str, Any], PART)
            key = read_result(part, PART, self._base).key
            self.parts.setdefault(key, []).append(part)
            self._count(part)
            return
        series = convert(tree.get("series", []), list[dict[str, Any]], "result.series")
        own = {**tree, "series": [_without_number(each) for each in series]}
        key = read_result(own, "result", self._base).key
        self._count(own)
        self.results = without_superseded(self.results, key)
        self._check_numbers(key, [each["columns"] for each in series])
        self.results.append(resolved(tree, series_of(self.parts.get(key, []))))

    def _check_numbers(self, key: str, columns: Sequence[object]) -> None:
        """Make sure that numbers stand for samples of the case's processes, for each of them once.

        Otherwise a small file could stand for any number of samples.
        """
        if all(result["key"] != key for result in self.results):
            self._used[key] = set()
        used = self._used[key]
        for number in columns:
            if not isinstance(number, int):
                continue
            if not 0 <= number < len(series_of(self.parts.get(key, []))) or number in used:
                raise SchemaError(
                    f"result.series: the columns {number} are not of a process of {key}, or of "
                    "another series already"
                )
            used.add(number)

    def _count(self, tree: dict[str, Any]) -> None:
        self.inline += sum(
            len(column)
            for series in tree.get("series", [])
            for column in series["columns"].values()
            if not isinstance(column, dict)
        )


def _without_number(series: dict[str, Any]) -> dict[str, Any]:
    """Return a series without columns where its columns are a number."""
    columns = series.get("columns")
    has_number = isinstance(columns, int) and not isinstance(columns, bool)
    return {**series, "columns": {}} if has_number else series


def resolved(line: dict[str, Any], parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return a result with the columns of its parts in place of their numbers."""
    series = [
        {**each, "columns": parts[each["columns"]]["columns"]}
        if isinstance(each["columns"], int)
        else each
        for each in line.get("series", [])
    ]
    return {**line, "series": series}


def read_header(path: Path) -> dict[str, Any]:
    """Return the document that heads a journal.

    Raises
    ------
    SchemaError
        When there is no journal.
    """
    header, lines = path / HEADER, path / LINES
    if path.suffix != JOURNAL_SUFFIX or not (_is_regular(header) and _is_regular(lines)):
        raise SchemaError(
            f"{path}: expected a run file or a journal directory (*{JOURNAL_SUFFIX}, with the "
            f"files {HEADER} and {LINES}); give the path of a file that `stratoperf run` wrote"
        )
    document = storage.read_tree(header, follow_links=False)
    if not _is_header(document):
        raise SchemaError(
            f"{header}: this is not the header of a journal; give the path of a file that "
            "`stratoperf run` wrote"
        )
    return document


def _is_header(document: object) -> TypeGuard[dict[str, Any]]:
    """Return whether a run document says that it heads a journal."""
    if not isinstance(document, dict):
        return False
    # Headers of earlier versions have no mark; they tell from run files by what has no results.
    is_old = document.get("schema") == SCHEMA and bool({"plan", "live"} & document.keys())
    is_marked = document[MARKER] in _READABLE if MARKER in document else is_old
    return is_marked and document.get("results") == []


def _is_regular(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat(follow_symlinks=False).st_mode)
    except OSError:
        return False
