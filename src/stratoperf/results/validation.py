"""From the JSON tree of a run file to its typed views, with errors that name the key path."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Sized
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import msgspec
import numpy as np

from stratoperf.door import MOST_NUMBERS, check_tree, shortened
from stratoperf.errors import SchemaError
from stratoperf.results.archives import is_storable
from stratoperf.results.columns import Column, Columns, External
from stratoperf.results.moments import moment_of
from stratoperf.results.names import PARTS
from stratoperf.results.ranges import check_name, check_result
from stratoperf.results.schema import (
    SCHEMA,
    Count,
    Kind,
    Metric,
    Nanoseconds,
    Positive,
    Quantity,
    Result,
    Series,
    System,
)

T = TypeVar("T")

_MENDING = "correct this key, or get a fresh copy of the file"
_PROBLEM = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>.*)`)?$", re.DOTALL)


class _Header(msgspec.Struct, frozen=True, kw_only=True):
    """The top level of a run file.

    Attributes
    ----------
    schema
        ``"stratoperf.run/1"``, the version of the format.
    id
        Names the run.
    created
        When it was saved first: ISO 8601, in UTC.
    systems
        The machines by their identity.
    results
        One for each case.
    preset
        What the run was measured with, such as ``"quick"``.
    command
        The words of the command line.
    stratoperf_version
        What wrote the file.
    """

    schema: str
    id: str
    created: str
    systems: dict[str, Any]
    results: list[dict[str, Any]]
    preset: str | None = None
    command: list[str] = []
    stratoperf_version: str | None = None


class _SeriesFields(msgspec.Struct, frozen=True, kw_only=True):
    """A series with its columns still unread."""

    columns: dict[str, Any]
    system: str | None = None
    process: str | None = None
    arm: str | None = None
    pair: Count | None = None
    started_ns: Nanoseconds | None = None
    batch: Positive = 1
    kind: Kind | None = None


class _Event(msgspec.Struct, frozen=True, kw_only=True):
    """How often something happened in an iteration, or why it could not be counted."""

    per_iteration: Quantity | None = None
    why: str | None = None


class _Function(msgspec.Struct, frozen=True, kw_only=True):
    """What a function took."""

    function: str
    own_ns_per_iteration: Quantity
    calls_per_iteration: Quantity
    file: str | None = None
    line: int | None = None


class _Profile(msgspec.Struct, frozen=True, kw_only=True):
    """Where the time goes, or why that is not known."""

    why: str | None = None
    counters: dict[str, _Event] = {}
    instructions_per_cycle: Quantity | None = None
    functions: list[_Function] = []


class RunView(NamedTuple):
    """The typed top level of a run."""

    header: _Header
    systems: dict[str, System]
    results: list[Result]


def read_document(document: object, source: str, base: Path | None) -> RunView:
    """Check a whole document and return its typed views.

    Parameters
    ----------
    document
        What the JSON of a run file holds. Columns may also be arrays.
    source
        The file's name, for messages.
    base
        Directory that names of ``.npz`` files are relative to.

    Raises
    ------
    SchemaError
        Names the file, the key path, what was expected and what was found.
    """
    try:
        if not isinstance(document, dict):
            raise SchemaError(f"expected an object with the key 'schema', got {_kind(document)}")
        _check_version(document.get("schema"))
        check_tree(document)
        header = convert(document, _Header, "")
        _check_created(header.created)
        systems = {
            name: convert(system, System, f"systems.{shortened(name)}")
            for name, system in header.systems.items()
        }
        results = [
            read_result(result, f"results[{index}]", base)
            for index, result in enumerate(header.results)
        ]
    except SchemaError as error:
        raise SchemaError(f"{source}: {error}; {_MENDING}") from error.__cause__
    return RunView(header, systems, results)


def convert(value: object, kind: type[T], where: str) -> T:
    """Convert a part of the tree; `where` is its key path, empty for the top level.

    Raises
    ------
    SchemaError
        With the key path, but without the file's name.
    """
    try:
        return msgspec.convert(value, kind, strict=True)
    except msgspec.ValidationError as error:
        match = _PROBLEM.match(str(error))
        what, path = match.group("what", "path") if match else (str(error), "")
        place = f"{where}{path or ''}".lstrip(".")
        what = what.replace("`", "")
        what = shortened(what[:1].lower() + what[1:], 4 * len(_MENDING))
        raise SchemaError(f"{place}: {what}" if place else what) from None


def _check_version(schema: object) -> None:
    if not isinstance(schema, str):
        raise SchemaError(f"schema: expected {SCHEMA!r}, got {_kind(schema)}")
    family, _, version = schema.partition("/")
    own_family, _, own_major = SCHEMA.partition("/")
    if family != own_family or not re.fullmatch(r"[0-9]+(\.[0-9]+)*", version):
        raise SchemaError(
            f"schema: expected {SCHEMA!r}, got {shortened(schema)!r}; this is not a run file"
        )
    if version.split(".")[0] != own_major:
        raise SchemaError(
            f"schema: {shortened(schema)!r} needs a version of stratoperf that reads "
            f"'{family}/{shortened(version.split('.')[0])}'; this one reads {SCHEMA!r} (install "
            "the version that wrote the file)"
        )


def _check_created(created: str) -> None:
    try:
        moment_of(created)
    except ValueError:
        raise SchemaError(
            "created: expected an ISO 8601 time from 1970 on, such as '2026-11-03T09:37:00Z', got "
            f"{shortened(created)!r}"
        ) from None


def read_result(tree: dict[str, Any], where: str, base: Path | None) -> Result:
    """Convert one result; parameters and errors as for `read_document` and `convert`."""
    # Dictionaries with free keys are taken out and converted one by one: the converter's own
    # messages do not say at which key of a dictionary the problem is.
    metrics = convert(tree.get("metrics", {}), dict[str, Any], f"{where}.metrics")
    series = convert(tree.get("series", []), list[dict[str, Any]], f"{where}.series")
    fields = convert({**tree, "metrics": {}, "series": []}, Result, where)
    result = msgspec.structs.replace(
        fields,
        metrics={
            name: convert(metric, Metric, f"{where}.metrics.{shortened(name)}")
            for name, metric in metrics.items()
        },
    )
    check_result(result, where)
    if result.profile is not None:
        # It is read where it is shown only, as plain objects.
        convert(result.profile, _Profile, f"{where}.profile")
    if PARTS in tree:
        _check_parts(tree[PARTS], series, where, base)
    return msgspec.structs.replace(
        result,
        series=tuple(
            _read_series(entry, f"{where}.series[{index}]", base)
            for index, entry in enumerate(series)
        ),
    )


def _check_parts(
    trees: object, series: Sequence[dict[str, Any]], where: str, base: Path | None
) -> None:
    """Make sure that a run can go on with the parts that an interrupted result carries."""
    used: set[int] = set()
    for index, part in enumerate(convert(trees, list[dict[str, Any]], f"{where}.{PARTS}")):
        place = f"{where}.{PARTS}[{index}]"
        numbers = convert(part.get("series", []), list[Count], f"{place}.series")
        for number in numbers:
            if number >= len(series) or number in used:
                raise SchemaError(
                    f"{place}.series: {number} is not the number of a series of the result, or "
                    "belongs to another part, too"
                )
            used.add(number)
        read_result({**part, "series": [series[number] for number in numbers]}, place, base)


def _read_series(tree: dict[str, Any], where: str, base: Path | None) -> Series:
    fields = convert(tree, _SeriesFields, where)
    for name in fields.columns:
        check_name(name, f"{where}.columns")
    columns = {
        name: _read_column(column, f"{where}.columns.{name}")
        for name, column in fields.columns.items()
    }
    lengths = {len(column) for column in columns.values() if not isinstance(column, External)}
    if len(lengths) > 1:
        raise SchemaError(
            f"{where}.columns: expected columns of one length, got lengths "
            f"{', '.join(map(str, sorted(lengths)))}"
        )
    return Series(
        system=fields.system,
        process=fields.process,
        arm=fields.arm,
        pair=fields.pair,
        started_ns=fields.started_ns,
        batch=fields.batch,
        kind=fields.kind,
        columns=Columns(columns, base, f"{where}.columns"),
    )


def _read_column(column: object, where: str) -> Column:
    if isinstance(column, np.ndarray):
        if column.ndim != 1 or not is_storable(column.dtype):
            raise SchemaError(
                f"{where}: expected numbers in one dimension, got {column.dtype} in {column.ndim}"
            )
        _check_length(column, where)
        return column
    if isinstance(column, Mapping):
        return convert(column, External, where)
    numbers = convert(column, list[int | float], where)
    _check_length(numbers, where)
    return numbers


def _check_length(column: Sized, where: str) -> None:
    if len(column) > MOST_NUMBERS:
        raise SchemaError(
            f"{where}: {len(column)} samples are more than the {MOST_NUMBERS} that can be saved; "
            "take fewer iterations, or less time"
        )


def _kind(value: object) -> str:
    """Return the JSON name of a value's type."""
    if value is None:
        return "null"
    names = {dict: "object", list: "array", str: "str", bool: "bool", int: "int", float: "float"}
    return names.get(type(value), type(value).__name__)
