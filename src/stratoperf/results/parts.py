"""Parts: what the single processes of a case measured, while the case is not finished.

A part is a tree like that of a result, with the series of one process. An interrupted result
carries its parts, so that a run that goes on measures none of these processes again; there their
series are numbers into the series of the result.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from stratoperf.results import storage
from stratoperf.results.names import PARTS


def with_open_cases(
    results: Sequence[dict[str, Any]], parts: Mapping[str, Sequence[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Return results, and an interrupted one for each case of which there are parts only.

    Parameters
    ----------
    results
        What was added as the result of a case.
    parts
        By the key of their case.
    """
    finished = {result["key"] for result in results if result["status"] != "interrupted"}
    unfinished = {key: own for key, own in parts.items() if own and key not in finished}
    others = [result for result in results if result["key"] not in unfinished]
    return [*others, *map(interrupted, unfinished.values())]


def interrupted(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the result of a case of which only these processes were measured."""
    from stratoperf.results.combining import combined

    series: list[dict[str, Any]] = []
    kept = []
    for part in parts:
        own = part.get("series", [])
        kept.append({**part, "series": list(range(len(series), len(series) + len(own)))})
        series += own
    processes = "1 process" if len(parts) == 1 else f"{len(parts)} processes"
    return {
        **combined(parts),
        "status": "interrupted",
        "reason": f"interrupted after {processes}",
        "series": series,
        PARTS: kept,
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
