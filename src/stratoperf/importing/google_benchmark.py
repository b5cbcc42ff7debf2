"""Read the JSON of Google Benchmark (``--benchmark_out=FILE --benchmark_out_format=json``).

A repetition is the mean time of a batch of iterations, of one process. The aggregates that the file
may have beside the repetitions are left out, since they follow from these; where the file has
nothing else (``--benchmark_report_aggregates_only``) they are taken as they are.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from stratoperf.errors import SchemaError
from stratoperf.importing.facts import machine, moment_or_none
from stratoperf.importing.model import Imported, Observed, Sampled, Stated, ToolFile
from stratoperf.results.schema import Count
from stratoperf.results.validation import convert

TOOL = "google-benchmark"

_NS = {"ns": 1.0, "us": 1e3, "ms": 1e6, "s": 1e9}

_RATES = {"items_per_second": "items", "bytes_per_second": "B"}


class _Row(msgspec.Struct, frozen=True):
    """A repetition or an aggregate; versions before 1.5 have a name alone."""

    name: str
    run_name: str | None = None
    run_type: str = "iteration"
    aggregate_name: str | None = None
    iterations: Count = 1
    threads: Count = 1
    real_time: float | None = None
    cpu_time: float | None = None
    time_unit: str = "ns"
    items_per_second: float | None = None
    bytes_per_second: float | None = None
    label: str | None = None
    error_occurred: bool = False
    error_message: str | None = None
    skipped: bool = False
    skip_message: str | None = None

    @property
    def identity(self) -> str:
        return self.run_name or self.name

    @property
    def rated(self) -> float | None:
        """The time that rates are divided by."""
        real = {"real_time", "manual_time"} & set(self.identity.split("/"))
        return self.real_time if real else self.cpu_time

    def ns(self, time: float) -> float:
        """Return a time of this row in nanoseconds."""
        if self.time_unit not in _NS:
            raise SchemaError(
                f"{self.name}: the time unit {self.time_unit!r} is unknown; expected "
                f"{', '.join(_NS)}"
            )
        return time * _NS[self.time_unit]


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
    context = convert(tree["context"], dict[str, Any], "context")
    system = machine(
        cpu={
            "count": context.get("num_cpus"),
            "mhz": context.get("mhz_per_cpu"),
            "frequency_scaling": context.get("cpu_scaling_enabled"),
            "caches": context.get("caches"),
        },
        host=context.get("host_name"),
    )
    notes = []
    if context.get("library_build_type") == "debug":
        notes.append("the benchmark library was built without optimization")
    if context.get("cpu_scaling_enabled"):
        notes.append("the CPU scales its frequency")
    rows = [
        convert(row, _Row, f"benchmarks[{index}]")
        for index, row in enumerate(convert(tree["benchmarks"], list[Any], "benchmarks"))
    ]
    grouped: dict[tuple[str, int], list[_Row]] = {}
    for row in rows:
        grouped.setdefault((row.identity, row.threads), []).append(row)
    sampled = any(row.run_type == "iteration" for row in rows)
    lost = ["user counters"] if _has_counters(tree["benchmarks"]) else []
    if sampled and any(row.run_type == "aggregate" for row in rows):
        lost.append("the aggregates, which follow from the repetitions")
    return ToolFile(
        tool=TOOL,
        benchmarks=[_benchmark(group, system, tuple(notes)) for group in grouped.values()],
        measured=moment_or_none(context.get("date")),
        lost=tuple(lost),
    )


def _has_counters(rows: list[Any]) -> bool:
    known = {*_Row.__struct_fields__, "family_index", "per_family_instance_index", "repetitions"}
    known |= {"repetition_index", "aggregate_unit"}
    return any(isinstance(row, dict) and not row.keys() <= known for row in rows)


def _benchmark(group: list[_Row], system: dict[str, Any], notes: tuple[str, ...]) -> Imported:
    first = group[0]
    details = {"label": first.label} if first.label else {}
    head = Imported(
        name=first.identity,
        params={} if first.threads == 1 else {"threads": first.threads},
        system=system,
        details=details,
        notes=notes,
    )
    failed = next((row for row in group if row.error_occurred), None)
    if failed is not None:
        reason = failed.error_message or "the benchmark reported an error"
        return msgspec.structs.replace(head, status="failed", reason=reason)
    skipped = next((row for row in group if row.skipped), None)
    if skipped is not None:
        reason = skipped.skip_message or "the benchmark skipped itself"
        return msgspec.structs.replace(head, status="skipped", reason=reason)
    taken = [row for row in group if row.run_type == "iteration"]
    metrics = _of_repetitions(taken) if taken else _of_aggregates(group)
    if not metrics:
        return msgspec.structs.replace(
            head, status="skipped", reason="the file has neither its times nor their mean"
        )
    # A rate says how much work an iteration has.
    items, unit = _items(taken)
    return msgspec.structs.replace(head, metrics=metrics, items=items, item_unit=unit)


def _of_repetitions(taken: list[_Row]) -> dict[str, Observed]:
    iterations = np.array([row.iterations for row in taken], np.int64)
    metrics = {}
    for name, times in (
        ("latency", [(row, row.real_time) for row in taken]),
        ("cpu_time", [(row, row.cpu_time) for row in taken]),
    ):
        values = [row.ns(time) for row, time in times if time is not None]
        if len(values) < len(taken):
            continue
        samples = Sampled.of_batches(np.array(values, np.float64), iterations)
        metrics[name] = Observed(processes=[samples])
    return metrics


def _of_aggregates(group: list[_Row]) -> dict[str, Observed]:
    rows = {row.aggregate_name: row for row in group}
    metrics = {}
    for name, field in (("latency", "real_time"), ("cpu_time", "cpu_time")):
        values = {
            aggregate: row.ns(time)
            for aggregate, row in rows.items()
            if (time := getattr(row, field)) is not None
        }
        if "mean" in values or "median" in values:
            mean = rows.get("mean") or rows["median"]
            stated = Stated(
                # Aggregates tell the number of repetitions as that of iterations.
                size=mean.iterations,
                mean=values.get("mean"),
                median=values.get("median"),
                stdev=values.get("stddev"),
            )
            metrics[name] = Observed(processes=[stated])
    return metrics


def _items(taken: list[_Row]) -> tuple[float | None, str | None]:
    """Return the work in one iteration, which the tool divides by CPU time unless told otherwise.

    With threads the tool's own iterations and times are of different things.
    """
    if any(row.threads != 1 for row in taken):
        return None, None
    for field, unit in _RATES.items():
        amounts = [
            rate * row.ns(time) * 1e-9
            for row in taken
            if (rate := getattr(row, field)) is not None and (time := row.rated) is not None
        ]
        if amounts and len(amounts) == len(taken):
            # Rounding of the tool's output aside it is mostly a whole number.
            return float(f"{np.median(amounts):.6g}"), unit
    return None, None
