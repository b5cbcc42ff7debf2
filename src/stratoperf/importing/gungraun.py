"""Read a summary of Gungraun, iai-callgrind before (``--save-summary=json``), version 6.

It has counts of Callgrind and of other tools of Valgrind, no times: instructions, cache misses and
so on. A count is exact for one run, so it has no interval.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from stratoperf.errors import SchemaError
from stratoperf.importing.model import Imported, Observed, Stated, ToolFile
from stratoperf.results.validation import convert

TOOL = "gungraun"

_VERSION = "6"

_FIRST = ("Ir", "TotalBytes", "EstimatedCycles")
"""What comparisons judge: the first of these that is there."""

_NAMES = {"Ir": "instructions", "EstimatedCycles": "estimated_cycles", "TotalBytes": "total_bytes"}


class _Summary(msgspec.Struct, frozen=True):
    """A benchmark."""

    version: str
    module_path: str
    function_name: str
    profiles: list[dict[str, Any]]
    id: str | None = None
    details: str | None = None


class _Difference(msgspec.Struct, frozen=True):
    """A count of this run (``Left``), of the run before (``Right``), or of both."""

    metrics: dict[str, Any]


def read(tree: dict[str, Any], path: Path) -> ToolFile:
    """Return what a file holds.

    Parameters
    ----------
    tree
        Its JSON.
    path
        Unused: other files are not needed.

    Raises
    ------
    SchemaError
        With the key path.
    """
    del path
    version = tree.get("version")
    if version != _VERSION:
        raise SchemaError(
            f"version: expected {_VERSION!r}, got {version!r}; measure again with a Gungraun or "
            "iai-callgrind that writes this version"
        )
    summary = convert(tree, _Summary, "")
    counts: dict[str, float] = {}
    lost = []
    for index, profile in enumerate(summary.profiles):
        found = _counts(profile, f"profiles[{index}]")
        if found is None:
            lost.append(f"what {profile.get('tool')} says")
        else:
            # Of several tools, the first one that counts something counts.
            counts = {**found, **counts}
    name = "::".join(filter(None, (summary.module_path, summary.id)))
    details = {"details": summary.details} if summary.details else {}
    head = Imported(name=name, details=details)
    if not counts:
        head = msgspec.structs.replace(
            head, status="skipped", reason="the file has no counts of this run"
        )
    first = next((kind for kind in _FIRST if kind in counts), None)
    ordered = dict.fromkeys([*([first] if first else []), *counts])
    metrics = {
        _NAMES.get(kind, kind): Observed(
            processes=[Stated(1, mean=counts[kind], median=counts[kind])],
            unit="B" if kind == "TotalBytes" else "1",
        )
        for kind in ordered
    }
    return ToolFile(
        tool=TOOL,
        benchmarks=[msgspec.structs.replace(head, metrics=metrics)],
        lost=(*lost, "the counts of each part and of the run before"),
    )


def _counts(profile: dict[str, Any], where: str) -> dict[str, float] | None:
    """Return the totals of one tool; ``None`` where it counts nothing that can be compared."""
    place = f"{where}.summaries.total.summary"
    step: Any = profile
    for key in ("summaries", "total", "summary"):
        step = convert(step, dict[str, Any], where).get(key)
    if not isinstance(step, dict):
        return None
    kinds = {**convert(step.get("Callgrind", {}), dict[str, Any], place)}
    kinds |= convert(step.get("Cachegrind", {}), dict[str, Any], place)
    kinds |= convert(step.get("Dhat", {}), dict[str, Any], place)
    counts = {}
    for kind, difference in kinds.items():
        metrics = convert(difference, _Difference, f"{place}.{kind}").metrics
        own = metrics.get("Left", metrics.get("Both"))
        if own is not None:
            counts[kind] = _number(own[0] if isinstance(own, list) and own else own, place)
    return counts or None


def _number(metric: Any, where: str) -> float:
    """Return a count: ``{"Int": 5}`` or ``{"Float": 0.5}``."""
    values = convert(metric, dict[str, float], where)
    if len(values) != 1:
        raise SchemaError(f"{where}: expected one number, got {len(values)}")
    return float(next(iter(values.values())))
