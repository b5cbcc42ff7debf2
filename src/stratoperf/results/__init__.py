"""Results: the run file ``stratoperf.run/1``, its types, and loading and saving it."""

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
