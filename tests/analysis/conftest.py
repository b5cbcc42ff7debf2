"""Runs made of chosen values, without measuring anything."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.statistics import summarize

MakeRun = Callable[..., sp.Run]


@pytest.fixture
def run_of() -> MakeRun:
    """Return what makes the runs of a test; their samples depend on that test alone."""
    numbers = itertools.count(1)
    return lambda *args, **kwargs: make_run(next(numbers), *args, **kwargs)


def make_run(
    number: int,
    medians: dict[str, float] | float = 1000.0,
    *,
    started: int | None = None,
    samples: Sequence[float] | None = None,
    system: str = "box",
    model: str = "any",
    **changes: Any,
) -> sp.Run:
    """Return a run with a result for each benchmark, its samples around the given median in ns.

    `number` is that of the run, from which its identity, its time and its samples follow.
    `changes` replace keys of every result.
    """
    named = {"kv.put": medians} if isinstance(medians, float | int) else medians
    results = []
    for name, median in named.items():
        drawn = np.asarray(
            samples
            if samples is not None
            else median * (1 + 0.01 * np.random.default_rng(number).standard_normal(200))
        )
        summary = summarize(drawn)
        fields = ("count", "mean", "stdev", "min", "max")
        quantiles = ("p50", "p95", "p99", "p999")
        results.append(
            {
                "key": f"{name}[backend=cpu,size=64]",
                "benchmark": name,
                "benchmark_version": 1,
                "category": "single-node",
                "backend": "cpu",
                "params": {"size": 64},
                "status": "ok",
                "metrics": {
                    "latency": {
                        "unit": "ns",
                        "better": "lower",
                        "primary": True,
                        "summary": {
                            **{field: getattr(summary, field) for field in fields},
                            **{
                                quantile: estimate(getattr(summary, quantile))
                                for quantile in quantiles
                            },
                        },
                    },
                    "throughput": {
                        "unit": "puts/s",
                        "better": "higher",
                        "mean": {
                            "value": 1e9 / (summary.mean or 1.0),
                            "low": None,
                            "high": None,
                            "confidence": 0.95,
                            "method": "any",
                        },
                    },
                },
                "series": [
                    {
                        "system": system,
                        "process": f"p{number}",
                        "arm": None,
                        "pair": None,
                        "started_ns": started if started is not None else number * 10**9,
                        "batch": 1,
                        "columns": {"latency": drawn},
                    }
                ],
                **changes,
            }
        )
    return sp.Run(
        {
            "schema": "stratoperf.run/1",
            "id": f"run{number}",
            "created": "2026-11-23T09:37:00Z",
            "preset": "quick",
            "command": [],
            "stratoperf_version": "0.1.0",
            "systems": {system: {"cpu": {"model": model}}},
            "results": results,
        }
    )


def estimate(value: sp.Estimate) -> dict[str, Any]:
    return {
        "value": value.value,
        "low": value.low,
        "high": value.high,
        "confidence": value.confidence,
        "method": value.method,
    }
