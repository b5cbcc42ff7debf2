"""One measurement of ours in a fresh process: TOOL OPERATION MODE; prints the outcome."""

from __future__ import annotations

import json
import statistics
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
    at_reference, disturbed = summary.get("at_reference_speed"), result.get("disturbed")
    readings = speed_readings(result)
    details = {
        "processes": summary.get("processes"),
        "method": summary["p50"].get("method"),
        "variation": result.get("variation"),
        "notes": result.get("notes"),
        **readings,
    }
    return Outcome(
        _interval(summary["p50"]),
        PROGRAM,
        (*result.get("warnings", ()), *([f"disturbed: {disturbed}"] if disturbed else ())),
        reference=_interval(at_reference) if at_reference else None,
        step_ns=statistics.median(readings["integer_ns"]) if readings else None,
        scope=summary.get("scope"),
        details={name: value for name, value in details.items() if value},
    )


def speed_readings(result: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the readings of the machine's speed, of each process where there are several."""
    parts = result.get("processes") or [result]
    found = [(part.get("environment") or {}).get("reference") or {} for part in parts]
    known = [reading for reading in found if reading.get("integer_ns")]
    names = ("integer_ns", "memory_ns") if known else ()
    return {name: [reading.get(name) for reading in known] for name in names}


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
