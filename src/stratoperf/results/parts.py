"""Parts: what the single processes of a case measured, while the case is not finished.

A part is a tree like that of a result, with the series of one process. An interrupted result
carries its parts, so that a run that goes on measures none of these processes again; there their
series are numbers into the series of the result. What a process took from its start to its end
stands with its part (`seconds_of`), so that the time of a case does not begin anew either.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from stratoperf.errors import SchemaError
from stratoperf.results import storage
from stratoperf.results.columns import digest
from stratoperf.results.names import PARTS


def with_open_cases(
    results: Sequence[dict[str, Any]],
    parts: Mapping[str, Sequence[dict[str, Any]]],
    base: Path | None,
) -> list[dict[str, Any]]:
    """Return results, with an interrupted one for each case that has parts but did not finish.

    Parameters
    ----------
    results
        What was added as the result of a case.
    parts
        By the key of their case.
    base
        What references in them are relative to.
    """
    finished = {result["key"] for result in results if result["status"] != "interrupted"}
    added = {result["key"]: result for result in results}
    unfinished = {
        key: _interrupted(own, added.get(key), base)
        for key, own in parts.items()
        if key not in finished
    }
    return [
        *(result for result in results if result["key"] not in unfinished),
        *unfinished.values(),
    ]


def check_part(tree: Mapping[str, Any], key: str) -> None:
    """Make sure that a part has what the result of its case is made of.

    Parameters
    ----------
    tree
        Result of a process that finished, as a reader of results accepts it.
    key
        Key of the case, for the message.

    Raises
    ------
    SchemaError
        When something is missing.
    """
    try:
        needed = [
            tree["metrics"]["latency"]["summary"]["count"],
            tree["series"][0]["batch"],
            tree["warmup"]["seconds"],
        ]
        lists = [tree["warnings"], tree["notes"], tree["series"]]
        is_whole = (
            tree["status"] == "ok"
            and all(isinstance(number, (int, float)) for number in needed)
            and all(isinstance(entry, list) for entry in lists)
            and isinstance(tree["environment"], dict)
        )
    except (KeyError, IndexError, TypeError):
        is_whole = False
    if not is_whole:
        raise SchemaError(
            f"{key}: what a process measured lacks its status, latency, batch, warm-up, warnings, "
            "notes or environment; start a new run"
        )


def without_superseded(results: Sequence[dict[str, Any]], key: str) -> list[dict[str, Any]]:
    """Return the results without an interrupted one whose case has another result by now."""
    return [
        result for result in results if result["key"] != key or result["status"] != "interrupted"
    ]


def _interrupted(
    parts: Sequence[dict[str, Any]], added: dict[str, Any] | None, base: Path | None
) -> dict[str, Any]:
    """Return the result, with its parts, of a case that has only these processes."""
    from stratoperf.results.combining import combined

    flat = series_of(parts)
    numbers = [] if added is None else numbers_of(flat, added.get("series", []))
    if added is None or None in numbers:
        # It was killed, or more was measured since.
        added = combined(parts, base=base)
        processes = "1 process" if len(parts) == 1 else f"{len(parts)} processes"
        added |= {"status": "interrupted", "reason": f"interrupted after {processes}"}
        added["series"], numbers = flat, list(range(len(flat)))
    left = iter(numbers)
    return {
        **added,
        PARTS: [{**part, "series": [next(left) for _ in part.get("series", [])]} for part in parts],
    }


def parts_of(result: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the parts that an interrupted result carries, with their series."""
    series = result.get("series", [])
    return [
        {**part, "series": [series[number] for number in part.get("series", [])]}
        for part in result.get(PARTS, [])
    ]


def measured(results: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    """Return the keys of finished cases, and keys and identities of the parts of others."""
    known = set()
    for result in results:
        if result["status"] != "interrupted":
            known.add((result["key"], ""))
        known |= {(result["key"], identity_of(part)) for part in parts_of(result)}
    return known


def identity_of(part: Mapping[str, Any]) -> str:
    """Return what tells a part from the others of its case: its process, or all that it says."""
    processes = (series.get("process") for series in part.get("series", []))
    return next(filter(None, processes), None) or storage.encode_line(part).decode()


def series_of(parts: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the series of all parts, whose numbers stand for their columns."""
    return [series for part in parts for series in part.get("series", [])]


def numbers_of(
    series: Sequence[dict[str, Any]], parts: Sequence[dict[str, Any]]
) -> list[int | None]:
    """Return which of the series of the parts has the same samples as each series of a result."""
    numbers: list[int | None] = []
    for each in series:
        matches = (
            number
            for number, stored in enumerate(parts)
            if number not in numbers and _has_same_samples(stored, each)
        )
        numbers.append(next(matches, None))
    return numbers


def _has_same_samples(stored: Mapping[str, Any], series: Mapping[str, Any]) -> bool:
    own, columns = stored["columns"], series["columns"]
    return (
        stored.get("process") == series.get("process")
        and own.keys() == columns.keys()
        and all(_is_same(own[name], column) for name, column in columns.items())
    )


def _is_same(stored: Any, column: Any) -> bool:
    """Return whether a column is the one that was stored, as a list or as a reference."""
    if isinstance(stored, dict):
        return bool(
            stored == column
            if isinstance(column, dict)
            else stored["sha256"] == digest(np.asarray(column))
        )
    return not isinstance(column, dict) and np.array_equal(stored, column)
