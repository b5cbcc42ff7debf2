"""Read the JSON of hyperfine (``--export-json FILE``).

Each time is a run of the command in a process of its own, so each is a process here, with one
sample.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from stratoperf.importing.facts import parameter
from stratoperf.importing.model import (
    NS_PER_S,
    Imported,
    Observed,
    Sampled,
    Stated,
    ToolFile,
    scaled,
)
from stratoperf.results.schema import Count
from stratoperf.results.validation import convert

TOOL = "hyperfine"

_TOO_SHORT = (
    "some of its times are 0: hyperfine subtracted the time of its shell, which took longer than "
    "the command; measure with hyperfine --shell=none"
)


class _Result(msgspec.Struct, frozen=True):
    """A command; times in seconds, memory in bytes."""

    command: str
    times: list[float] | None = None
    exit_codes: list[int | None] = []
    parameters: dict[str, str] = {}
    mean: float | None = None
    stddev: float | None = None
    min: float | None = None
    max: float | None = None
    median: float | None = None
    user: float | None = None
    system: float | None = None
    memory_usage_byte: list[Count] | None = None


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
    results = [
        convert(result, _Result, f"results[{index}]")
        for index, result in enumerate(convert(tree["results"], list[Any], "results"))
    ]
    return ToolFile(tool=TOOL, benchmarks=[_imported(result) for result in results])


def _imported(result: _Result) -> Imported:
    metrics = {"latency": Observed(processes=_latency(result))}
    for name, seconds in (("user_time", result.user), ("system_time", result.system)):
        if seconds is not None:
            runs = len(result.times or ()) or 1
            metrics[name] = Observed(processes=[Stated(runs, mean=seconds * NS_PER_S)])
    if result.memory_usage_byte:
        sizes = [Sampled(np.array([size], np.float64)) for size in result.memory_usage_byte]
        metrics["peak_memory"] = Observed(processes=sizes, unit="B")
    failures = sum(code != 0 for code in result.exit_codes)
    notes = [] if result.times else ["the file has no samples"]
    if failures:
        notes.append(
            f"{failures} of {len(result.exit_codes)} runs of the command failed, and their times "
            "count too, as hyperfine was told to ignore failures"
        )
    head = Imported(
        name=result.command,
        params={name: parameter(value) for name, value in result.parameters.items()},
        notes=tuple(notes),
    )
    if result.times and min(result.times) == 0:
        return msgspec.structs.replace(head, status="failed", reason=_TOO_SHORT)
    return msgspec.structs.replace(head, metrics=metrics)


def _latency(result: _Result) -> list[Sampled | Stated]:
    if result.times:
        return [Sampled(scaled([time], NS_PER_S)) for time in result.times]
    values = (result.mean, result.stddev, result.min, result.max, result.median)
    return [Stated(1, *(None if value is None else value * NS_PER_S for value in values))]
