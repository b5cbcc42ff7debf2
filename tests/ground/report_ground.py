"""Runs of made-up samples for the tests of reports and figures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from stratoperf.measurement import MeasuredProcess, Measurement
from stratoperf.results import Run

HOSTILE = "<img src=x onerror=alert(1)></script><script>alert(1)</script>\"' \u202e&amp;${7*7}"

SAMPLES, PROCESSES = 400, 6


def made_result(
    benchmark: str = "demo.work",
    params: Mapping[str, Any] | None = None,
    median: float = 1000.0,
    **changes: Any,
) -> dict[str, Any]:
    """Return a result of several processes whose samples lie around a median."""
    random = np.random.default_rng(7)
    taken = [
        median * random.normal(1, 0.003) * random.lognormal(0, 0.02, SAMPLES)
        for _ in range(PROCESSES)
    ]
    parts = [
        MeasuredProcess(str(n), slice(n * SAMPLES, n * SAMPLES + SAMPLES)) for n in range(PROCESSES)
    ]
    measured = Measurement("made", np.concatenate(taken), processes=parts)
    own = dict(params or {})
    text = ",".join(f"{name}={value}" for name, value in sorted(own.items()))
    series = [
        {
            "system": "machine",
            "process": str(n),
            "started_ns": n,
            "batch": 1,
            "kind": "event",
            "columns": {"latency": samples.tolist()},
        }
        for n, samples in enumerate(taken)
    ]
    latency = {
        "unit": "ns",
        "better": "lower",
        "primary": True,
        "summary": msgspec.to_builtins(measured.summary()),
    }
    throughput = {
        "unit": "items/s",
        "better": "higher",
        "mean": msgspec.to_builtins(measured.throughput()),
    }
    return {
        "key": f"{benchmark}[backend=cpu,{text}]",
        "benchmark": benchmark,
        "backend": "cpu",
        "params": own,
        "status": "ok",
        "metrics": {"latency": latency, "throughput": throughput},
        "series": series,
        "environment": {"steal_percent": 1.5},
        **changes,
    }


def skipped_result(benchmark: str = "demo.gpu", reason: str = "no GPU was found") -> dict[str, Any]:
    """Return a result that was not measured."""
    return {
        "key": f"{benchmark}[backend=cuda]",
        "benchmark": benchmark,
        "backend": "cuda",
        "status": "skipped",
        "reason": reason,
    }


def made_run(results: Sequence[dict[str, Any]], number: int = 1, **changes: Any) -> Run:
    """Return a run; `number` gives it an identity and a day of its own."""
    return Run(
        {
            "schema": "stratoperf.run/1",
            "id": f"run-{number}",
            "created": f"2026-11-{number:02}T09:00:00Z",
            "preset": "quick",
            "command": ["stratoperf", "run", "demo.*"],
            "stratoperf_version": "0.1.0",
            "systems": {"machine": {"cpu": {"model": "made up"}, "warnings": ["a busy neighbor"]}},
            "results": list(results),
            **changes,
        }
    )


def suite(factor: float = 1.0, number: int = 1) -> Run:
    """Return a run with a scaling benchmark, one whose speed depends on `factor`, and others."""
    return made_run(
        [
            *(made_result("demo.scaling", {"size": size}, 10.0 * size) for size in (1, 10, 100)),
            made_result("demo.changed", {}, 5000.0 * factor),
            made_result("demo.steady", {}, 700.0),
            made_result("demo.hostile", {"name": HOSTILE}, 100.0, notes=[HOSTILE]),
            {
                **made_result("demo.failed", {}),
                "metrics": {},
                "series": [],
                "status": "failed",
                "reason": f"it raised ValueError: {HOSTILE}",
            },
            skipped_result(),
        ],
        number,
    )
