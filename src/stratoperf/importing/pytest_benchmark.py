"""Read the JSON of pytest-benchmark (``--benchmark-json=FILE`` or ``--benchmark-save``).

The file has the time of each round in ``stats.data``, unless it was saved without
``--benchmark-save-data``; a round of several iterations is their mean.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from stratoperf.importing.facts import machine, moment_or_none
from stratoperf.importing.model import (
    NS_PER_S,
    Imported,
    Observed,
    Sampled,
    Stated,
    ToolFile,
    scaled,
)
from stratoperf.results.schema import Positive
from stratoperf.results.validation import convert

TOOL = "pytest-benchmark"


class _Stats(msgspec.Struct, frozen=True):
    """Seconds for one iteration."""

    rounds: Positive
    iterations: Positive = 1
    data: list[float] | None = None
    mean: float | None = None
    stddev: float | None = None
    min: float | None = None
    max: float | None = None
    median: float | None = None


class _Benchmark(msgspec.Struct, frozen=True):
    """A test."""

    fullname: str
    stats: _Stats
    group: str | None = None
    params: dict[str, Any] | None = None
    extra_info: dict[str, Any] = {}
    options: dict[str, Any] = {}


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
    facts = convert(tree["machine_info"], dict[str, Any], "machine_info")
    cpu = facts.get("cpu")
    cpu = cpu if isinstance(cpu, dict) else {}
    system = machine(
        cpu={"model": cpu.get("brand_raw"), "count": cpu.get("count"), "arch": cpu.get("arch")},
        kernel={"release": facts.get("release"), "system": facts.get("system")},
        python={
            "version": facts.get("python_version"),
            "implementation": facts.get("python_implementation"),
        },
        host=facts.get("node"),
    )
    benchmarks = [
        convert(benchmark, _Benchmark, f"benchmarks[{index}]")
        for index, benchmark in enumerate(convert(tree["benchmarks"], list[Any], "benchmarks"))
    ]
    commit = tree.get("commit_info")
    details = {"commit": commit["id"]} if isinstance(commit, dict) and commit.get("id") else {}
    return ToolFile(
        tool=TOOL,
        benchmarks=[_imported(benchmark, system, details) for benchmark in benchmarks],
        measured=moment_or_none(tree.get("datetime")),
    )


def _imported(benchmark: _Benchmark, system: dict[str, Any], details: dict[str, Any]) -> Imported:
    stats = benchmark.stats
    taken: Sampled | Stated
    notes: tuple[str, ...] = ()
    if stats.data:
        taken = Sampled(scaled(stats.data, NS_PER_S), stats.iterations)
    else:
        values = (stats.mean, stats.stddev, stats.min, stats.max, stats.median)
        taken = Stated(stats.rounds, *(None if v is None else v * NS_PER_S for v in values))
        notes = ("the file has no samples; save them with --benchmark-save-data",)
    return Imported(
        # The name holds the parameters, as pytest writes them.
        name=benchmark.fullname,
        metrics={"latency": Observed(processes=[taken])},
        system=system,
        details={
            **details,
            **({"group": benchmark.group} if benchmark.group else {}),
            **({"extra_info": benchmark.extra_info} if benchmark.extra_info else {}),
            **({"timer": benchmark.options["timer"]} if "timer" in benchmark.options else {}),
        },
        notes=notes,
    )
