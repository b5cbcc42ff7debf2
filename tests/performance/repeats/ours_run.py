"""One measurement of ours in a fresh process: TOOL OPERATION MODE; prints the outcome."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

import msgspec

import stratoperf as sp
from repeats.loops import NATIVE
from repeats.operations import BENCHMARKS, capsule
from repeats.python_work import CALLS
from repeats.records import Interval, Outcome

PROGRAM = f"stratoperf {sp.__version__}"

DURATION_S = {"quick": None, "60s": 60.0}
"""Of sampling; what ``--quick`` takes by itself, and what a user gives who has a minute."""


PROCESSES = {"measure": 1, "measure-8": 8}


def by_run(operation: str, mode: str) -> Outcome:
    """Measure with `sp.run`, saved and read back as a user would find it."""
    run = sp.run(BENCHMARKS[operation], "quick", duration_s=DURATION_S[mode])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run.json"
        run.save(path)
        (result,) = json.loads(path.read_bytes())["results"]
    return read_result(result)


def read_result(result: Mapping[str, Any]) -> Outcome:
    """Return what a result of a run file says of the median.

    Raises
    ------
    ValueError
        When it was not measured.
    """
    if result["status"] != "ok":
        raise ValueError(f"{result['key']}: {result['status']}: {result.get('reason')}")
    summary = result["metrics"]["latency"]["summary"]
    disturbed = result.get("disturbed")
    values, readings = by_process(result)
    details = {
        "processes": summary.get("processes"),
        "method": summary["p50"].get("method"),
        "variation": result.get("variation"),
        "notes": result.get("notes"),
    }
    return Outcome(
        _interval(summary["p50"]),
        PROGRAM,
        (*result.get("warnings", ()), *([f"disturbed: {disturbed}"] if disturbed else ())),
        values=values,
        readings=readings,
        scope=summary.get("scope"),
        details={name: value for name, value in details.items() if value},
    )


def by_process(result: Mapping[str, Any]) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Return the median of each process and the machine's speed beside it.

    No speed where a process has none.
    """
    parts = result.get("processes") or ()
    values = tuple(part["metrics"]["latency"]["p50"] for part in parts)
    speeds = [(part.get("environment") or {}).get("reference") or {} for part in parts]
    readings = tuple(speed["integer_ns"] for speed in speeds if speed.get("integer_ns"))
    return values, readings if len(readings) == len(values) else ()


def by_measure(operation: str, processes: int) -> Outcome:
    """Measure with `sp.measure`, in this process or in several fresh ones."""
    alone = capsule(operation) if operation in NATIVE else CALLS[operation]
    measurement = sp.measure(BENCHMARKS[operation] if processes > 1 else alone, processes=processes)
    estimate = measurement.quantile(0.5)
    return Outcome(
        Interval(estimate.value, estimate.low, estimate.high),
        PROGRAM,
        scope=measurement.scope,
        details={"processes": processes, "method": estimate.method},
    )


def _interval(estimate: Mapping[str, Any]) -> Interval:
    return Interval(estimate["value"], estimate["low"], estimate["high"])


def main(tool: str, operation: str, mode: str) -> None:
    """Measure and print."""
    outcome = by_run(operation, mode) if tool == "run" else by_measure(operation, PROCESSES[tool])
    print(msgspec.json.encode(outcome).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
