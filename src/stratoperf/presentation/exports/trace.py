"""A run as a timeline, in the JSON that Perfetto and ``chrome://tracing`` read.

The format is Chrome's *Trace Event Format*, object form. Times are microseconds since the first
event, on the machine's raw monotonic clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from stratoperf.errors import SchemaError
from stratoperf.results import Result, Run
from stratoperf.results.schema import Process, Series
from stratoperf.results.storage import encode_line


class _Phase(NamedTuple):
    """What a process did from one moment to another."""

    name: str
    start_ns: float
    duration_ns: float
    system: str
    process: str
    facts: dict[str, Any]


def run_trace(run: Run) -> str:
    """Render the timeline of a run: for each process the warm-up and the measured phase.

    A phase that something disturbed has a mark at its start. Results without a time of their own,
    such as imported ones, are left out.
    """
    phases = [phase for result in run.results for phase in _phases(result)]
    first = min((phase.start_ns for phase in phases), default=0.0)
    machines = {
        name: number for number, name in enumerate({phase.system: 0 for phase in phases}, 1)
    }
    rows: dict[tuple[str, str], int] = {}
    events: list[dict[str, Any]] = [
        {"ph": "M", "name": "process_name", "pid": number, "tid": 0, "args": {"name": name}}
        for name, number in machines.items()
    ]
    for phase in phases:
        row = (phase.system, phase.process)
        if row not in rows:
            rows[row] = len(rows) + 1
            events.append(
                {
                    "ph": "M",
                    "name": "thread_name",
                    "pid": machines[phase.system],
                    "tid": rows[row],
                    "args": {"name": phase.process},
                }
            )
        place = {
            "ts": (phase.start_ns - first) / 1e3,
            "pid": machines[phase.system],
            "tid": rows[row],
            "args": phase.facts,
        }
        events.append(
            {"ph": "X", "name": phase.name, "cat": "benchmark", "dur": phase.duration_ns / 1e3}
            | place
        )
        disturbed = phase.facts.get("disturbed")
        if disturbed:
            events.append({"ph": "i", "name": disturbed, "cat": "noise", "s": "t"} | place)
    document = {"traceEvents": events, "displayTimeUnit": "ns", "otherData": {"run": run.id}}
    return encode_line(document).decode()


def _phases(result: Result) -> Iterator[_Phase]:
    processes = {process.process: process for process in result.processes}
    for series in result.series_of("latency"):
        duration = _duration_ns(series)
        if series.started_ns is None or duration is None:
            continue
        process = processes.get(series.process)
        facts = {"key": result.key, "status": result.status, **_noise(result, process)}
        system, name = series.system or "machine", series.process or "process"
        warmup = (process.warmup if process else None) or result.warmup
        if warmup is not None and warmup.seconds and (process or not processes):
            seconds = warmup.seconds * 1e9
            yield _Phase(
                f"warm-up: {result.key}", series.started_ns - seconds, seconds, system, name, {}
            )
        yield _Phase(result.key, series.started_ns, duration, system, name, facts)


def _noise(result: Result, process: Process | None) -> dict[str, Any]:
    environment = process.environment if process else result.environment
    known = ("steal_percent", "waiting_percent", "involuntary_switches", "page_faults")
    facts = {name: environment[name] for name in known if environment.get(name) is not None}
    disturbed = process.disturbed if process else result.disturbed
    return {**facts, **({"disturbed": disturbed} if disturbed else {})}


def _duration_ns(series: Series) -> float | None:
    """Return how long the measured phase took, from the sum of its samples."""
    try:
        columns = series.columns
        if "latency" not in columns:
            return None
        batch = columns.get("iterations", series.batch)
        total = float(np.sum(np.asarray(columns["latency"], np.float64) * batch))
    except SchemaError:
        return None
    return total if np.isfinite(total) and total >= 0 else None
