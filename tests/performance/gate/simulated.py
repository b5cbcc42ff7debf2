"""Records and samples of checks that never ran, for the tests of what is made of them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gate.plan import Trial
from gate.records import Record


def live_record(slowdown: float, verdict: str, number: int = 0, **changes: Any) -> Record:
    """Return what a check of the live gate leaves."""
    trial = Trial("live", "gate.native", slowdown, 0.05)
    record = {
        "trial": trial.name,
        "number": number,
        "verdict": verdict,
        "ratio": 1.0,
        "low": 1 / 1.01,
        "high": 1.01,
        "decided_s": 6.0,
    }
    return {**record, **changes}


def save_session(path: Path, logs: NDArray[np.float64], pair_s: float) -> None:
    """Save a live session: `logs` has a row per pair, the logarithm of ns of either side."""
    series = [
        {
            "system": "box",
            "process": f"{number}-{side}",
            "arm": side,
            "pair": number,
            "started_ns": round(1e9 + number * pair_s * 1e9),
            "batch": 1,
            "columns": {"latency": [float(np.exp(value))] * 3},
        }
        for number, row in enumerate(logs)
        for side, value in zip(("baseline", "current"), row, strict=True)
    ]
    result = {
        "key": "gate.native[backend=cpu,work=1]",
        "benchmark": "gate.native",
        "benchmark_version": 1,
        "category": "single-node",
        "backend": "cpu",
        "params": {"work": 1},
        "status": "ok",
        "metrics": {"latency": {"unit": "ns", "better": "lower", "primary": True}},
        "series": series,
    }
    document = {
        "schema": "stratoperf.run/1",
        "id": path.stem,
        "created": "2026-01-01T00:00:00Z",
        "preset": "live",
        "command": [],
        "stratoperf_version": "0",
        "systems": {},
        "results": [result],
    }
    path.write_text(json.dumps(document), "utf-8")
