"""A run document with something in every place."""

from __future__ import annotations

from typing import Any

import pytest


def estimate(value: float) -> dict[str, Any]:
    return {
        "value": value,
        "low": value - 1,
        "high": None,
        "confidence": 0.95,
        "method": "order statistics",
    }


@pytest.fixture
def document() -> dict[str, Any]:
    metric = {
        "unit": "ns",
        "better": "lower",
        "primary": True,
        "summary": {
            "count": 3,
            "mean": 20.0,
            "stdev": 10.0,
            "min": 10.0,
            "max": 30.0,
            **{name: estimate(20.0) for name in ("p50", "p95", "p99", "p999")},
            "outliers": {"count": 0, "fraction": 0.0, "sigma": 3.0, "mean": 20.0, "stdev": 10.0},
        },
        "mean": estimate(20.0),
        "target": {
            "statistic": "p95",
            "direction": "<",
            "value": 100.0,
            "unit": "us",
            "verdict": "met",
            "why": "<fast & right>",
        },
    }
    return {
        "schema": "stratoperf.run/1",
        "id": "0123",
        "created": "2026-11-23T09:37:00Z",
        "preset": "quick",
        "command": ["stratoperf", "run"],
        "stratoperf_version": "0.1.0",
        "systems": {
            "box": {
                "cpu": {"model": "any"},
                "memory": {},
                "gpus": [],
                "kernel": "6.14",
                "os": {},
                "python": {},
                "clock": {"source": "tsc", "reason": "invariant"},
                "virtualization": None,
                "warnings": ["noisy"],
            }
        },
        "results": [
            {
                "key": "kv.put[backend=cpu,size=64]",
                "benchmark": "kv.put",
                "benchmark_version": 1,
                "category": "single-node",
                "backend": "cpu",
                "params": {"size": 64},
                "status": "ok",
                "reason": None,
                "below_standard": ["warm-up"],
                "metrics": {"latency": metric},
                "series": [
                    {
                        "system": "box",
                        "process": "p1",
                        "arm": None,
                        "pair": None,
                        "started_ns": 123,
                        "batch": 1,
                        "kind": "event",
                        "columns": {"latency": [10.0, 20.0, 30.0]},
                    }
                ],
                "warmup": {"seconds": 0.1, "iterations": 5},
                "verification": {"checked": 3, "passed": True},
                "environment": {"steal_percent": 0.0},
                "stopped_because": "precision",
            },
            {
                "key": "kv.put[backend=cuda,size=64]",
                "benchmark": "kv.put",
                "backend": "cuda",
                "status": "skipped",
                "reason": "no <GPU>",
            },
        ],
    }
