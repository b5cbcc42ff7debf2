"""One measurement of ours in a fresh process: TOOL OPERATION MODE; prints the outcome."""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Iterable, Mapping
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
    readings = speed_readings(result)
    return _outcome(
        summary["p50"],
        [*result.get("warnings", ()), *_disturbed(result.get("disturbed"))],
        reference=summary.get("at_reference_speed"),
        scope=summary.get("scope"),
        details={
            "processes": summary.get("processes"),
            "method": summary["p50"].get("method"),
            "variation": result.get("variation"),
            "notes": result.get("notes") or None,
            **readings,
        },
        step_ns=statistics.median(readings["integer_ns"]) if readings else None,
    )


def _disturbed(why: str | None) -> list[str]:
    return [] if why is None else [f"disturbed: {why}"]


def speed_readings(result: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return the readings of the machine's speed, of each process where there are several."""
    parts = result.get("processes") or [result]
    found = [(part.get("environment") or {}).get("reference") or {} for part in parts]
    known = [reading for reading in found if reading.get("integer_ns")]
    return {
        name: [reading.get(name) for reading in known]
        for name in ("integer_ns", "memory_ns")
        if known
    }


def by_measure(operation: str, processes: int | None) -> Outcome:
    """Measure with `sp.measure`, in this process or in fresh ones."""
    if processes is None:
        measurement = sp.measure(capsule(operation) if operation in NATIVE else CALLS[operation])
    else:
        # By name, for versions that do not know it.
        options: dict[str, Any] = {"processes": processes}
        measurement = sp.measure(BENCHMARKS[operation], **options)
    summary = measurement.summary()
    estimate = measurement.quantile(0.5)
    texts = getattr(measurement, "warnings", ())
    return _outcome(
        msgspec.to_builtins(estimate),
        texts,
        reference=msgspec.to_builtins(getattr(summary, "at_reference_speed", None)),
        scope=getattr(measurement, "scope", None),
        details={"processes": processes, "method": estimate.method},
    )


def _outcome(
    estimate: Mapping[str, Any],
    texts: Iterable[str],
    *,
    reference: Mapping[str, Any] | None,
    scope: str | None,
    details: Mapping[str, Any],
    step_ns: float | None = None,
) -> Outcome:
    # Either the median at reference speed, or an estimate for each statistic.
    median = reference and reference.get("p50", reference)
    return Outcome(
        _interval(estimate),
        PROGRAM,
        tuple(texts),
        step_ns=step_ns,
        reference=_interval(median) if median and median.get("value") else None,
        scope=scope,
        details={name: value for name, value in details.items() if value is not None},
    )


def _interval(estimate: Mapping[str, Any]) -> Interval:
    return Interval(estimate["value"], estimate["low"], estimate["high"])


def main(tool: str, operation: str, mode: str) -> None:
    """Measure and print."""
    if tool == "run":
        outcome = by_run(operation, mode)
    else:
        outcome = by_measure(operation, {"measure": None, "measure-8": 8}[tool])
    print(msgspec.json.encode(outcome).decode())


if __name__ == "__main__":
    main(*sys.argv[1:])
