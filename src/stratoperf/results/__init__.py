"""Results: the run file ``stratoperf.run/1``, its types, and loading and saving it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratoperf.lazy import lazy_names

if TYPE_CHECKING:
    from stratoperf.results.run import Run, load
    from stratoperf.results.schema import (
        SCHEMA,
        Metric,
        MetricSummary,
        Result,
        Series,
        System,
        TargetVerdict,
        Verification,
        Warmup,
    )

__all__ = [
    "SCHEMA",
    "Metric",
    "MetricSummary",
    "Result",
    "Run",
    "Series",
    "System",
    "TargetVerdict",
    "Verification",
    "Warmup",
    "load",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Metric": "schema",
        "MetricSummary": "schema",
        "Result": "schema",
        "Run": "run",
        "SCHEMA": "schema",
        "Series": "schema",
        "System": "schema",
        "TargetVerdict": "schema",
        "Verification": "schema",
        "Warmup": "schema",
        "load": "run",
    },
)
