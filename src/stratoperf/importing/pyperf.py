"""Read the JSON of pyperf (``-o FILE.json`` or ``.json.gz``).

Each run is a process of its own, and each of its values is the mean over the loops. Calibration
runs have no values.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from stratoperf.errors import SchemaError
from stratoperf.importing.facts import machine
from stratoperf.importing.model import NS_PER_S, Imported, Observed, Sampled, ToolFile, scaled
from stratoperf.results.schema import Positive
from stratoperf.results.validation import convert

TOOL = "pyperf"

_UNITS = {
    "second": ("latency", "ns", NS_PER_S),
    "byte": ("memory", "B", 1.0),
    "integer": ("value", "1", 1.0),
}

_SYSTEM = {
    "cpu": {"model": "cpu_model_name", "count": "cpu_count", "affinity": "cpu_affinity"},
    "os": {"platform": "platform"},
    "python": {"version": "python_version", "implementation": "python_implementation"},
}


class _Metadata(msgspec.Struct, frozen=True):
    """What pyperf says of a file, a benchmark or a run: the innermost counts."""

    name: str | None = None
    unit: str | None = None
    loops: Positive | None = None
    inner_loops: Positive | None = None
    date: str | None = None


class _Run(msgspec.Struct, frozen=True):
    """A process."""

    values: list[float] = []
    warmups: list[Any] = []
    metadata: dict[str, Any] = {}


class _Benchmark(msgspec.Struct, frozen=True):
    """A benchmark."""

    runs: list[_Run]
    metadata: dict[str, Any] = {}


def read(tree: dict[str, Any], path: Path) -> ToolFile:
    """Return what a file holds.

    Parameters
    ----------
    tree
        Its JSON.
    path
        Unused: the file refers to no other one.

    Raises
    ------
    SchemaError
        With the key path.
    """
    del path
    if tree["version"] != "1.0":
        raise SchemaError(
            f"version: expected '1.0', got {tree['version']!r}; convert the file with a newer "
            "pyperf first: python -m pyperf convert FILE -o NEW"
        )
    shared = convert(tree.get("metadata", {}), dict[str, Any], "metadata")
    benchmarks = [
        convert(benchmark, _Benchmark, f"benchmarks[{index}]")
        for index, benchmark in enumerate(convert(tree["benchmarks"], list[Any], "benchmarks"))
    ]
    imported = [
        _imported(benchmark, shared, f"benchmarks[{index}]")
        for index, benchmark in enumerate(benchmarks)
    ]
    dates = [date for benchmark in benchmarks for run in benchmark.runs if (date := _date(run))]
    return ToolFile(
        tool=TOOL,
        benchmarks=imported,
        measured=max(dates, default=None),
        lost=("the values of warm-ups and calibrations",),
    )


def _imported(benchmark: _Benchmark, shared: dict[str, Any], where: str) -> Imported:
    whole = {**shared, **benchmark.metadata}
    facts = convert(whole, _Metadata, f"{where}.metadata")
    if facts.name is None:
        raise SchemaError(f"{where}.metadata: the key 'name' is missing")
    unit = facts.unit or "second"
    if unit not in _UNITS:
        raise SchemaError(f"{where}.metadata.unit: expected {', '.join(_UNITS)}, got {unit!r}")
    name, own_unit, factor = _UNITS[unit]
    processes = []
    for index, run in enumerate(benchmark.runs):
        if run.values:
            own = convert({**whole, **run.metadata}, _Metadata, f"{where}.runs[{index}].metadata")
            loops = (own.loops or 1) * (own.inner_loops or 1)
            values = scaled(run.values, factor)
            processes.append(Sampled(values, loops if unit == "second" else 1))
    head = Imported(name=facts.name, system=_system(whole, benchmark.runs))
    if not processes:
        return msgspec.structs.replace(
            head, status="skipped", reason="the file has calibrations alone"
        )
    return msgspec.structs.replace(
        head, metrics={name: Observed(processes=processes, unit=own_unit)}
    )


def _system(whole: dict[str, Any], runs: list[_Run]) -> dict[str, Any]:
    """Return the machine's facts; what differs from run to run stands in the runs alone."""
    known = {**(runs[0].metadata if runs else {}), **whole}
    return machine(
        host=known.get("hostname"),
        **{
            part: {fact: known.get(key) for fact, key in keys.items()}
            for part, keys in _SYSTEM.items()
        },
    )


def _date(run: _Run) -> datetime | None:
    """Return when a run started; pyperf writes local time without its zone."""
    text = run.metadata.get("date")
    if not isinstance(text, str):
        return None
    try:
        return datetime.fromisoformat(text).astimezone()
    except (ValueError, OverflowError):
        return None
