"""stratoperf: an instrument that checks hard performance claims.

``import stratoperf as sp``, then `sp.measure` one operation, or `sp.run` benchmarks of the suite.
Everything is loaded on first use, so that importing the package costs next to nothing.
"""

from __future__ import annotations

from stratoperf.lazy import TYPE_CHECKING, lazy_names

if TYPE_CHECKING:
    from stratoperf import (
        clock,
        consensus,
        containers,
        kernel_modules,
        memory,
        statistics,
        synthesis,
    )
    from stratoperf.analysis import ComparedMetric, Comparison
    from stratoperf.analysis.history import History, history
    from stratoperf.analysis.stored import compare
    from stratoperf.artifacts import artifact
    from stratoperf.backends import backend
    from stratoperf.clock import Timer
    from stratoperf.errors import (
        BackendUnavailable,
        Interrupted,
        InvalidParameter,
        PrerequisiteMissing,
        SchemaError,
        StratoperfError,
        VerificationFailed,
    )
    from stratoperf.importing import import_results
    from stratoperf.measurement import Measurement
    from stratoperf.monitor import Check, system
    from stratoperf.operation import Operation
    from stratoperf.results import Run, load
    from stratoperf.running import (
        Benchmark,
        Target,
        benchmark,
        benchmark_module,
        category,
        claim,
        claims,
        cli_command,
        doctor_check,
        run,
    )
    from stratoperf.running.live import Command, Environment, compare_live
    from stratoperf.running.measure_operation import measure
    from stratoperf.statistics import Estimate, Histogram

__version__ = "0.1.0"

# Where each public name lives; None marks a submodule.
_HOMES: dict[str, str | None] = {
    "BackendUnavailable": "errors",
    "Benchmark": "running",
    "Check": "monitor",
    "Command": "running.live",
    "ComparedMetric": "analysis",
    "Comparison": "analysis",
    "Environment": "running.live",
    "Estimate": "statistics",
    "Histogram": "statistics",
    "History": "analysis.history",
    "Interrupted": "errors",
    "InvalidParameter": "errors",
    "Measurement": "measurement",
    "Operation": "operation",
    "PrerequisiteMissing": "errors",
    "Run": "results",
    "SchemaError": "errors",
    "StratoperfError": "errors",
    "Target": "running",
    "Timer": "clock",
    "VerificationFailed": "errors",
    "artifact": "artifacts",
    "backend": "backends",
    "benchmark": "running",
    "benchmark_module": "running",
    "category": "running",
    "claim": "running",
    "claims": "running",
    "cli_command": "running",
    "clock": None,
    "compare": "analysis.stored",
    "compare_live": "running.live",
    "consensus": None,
    "containers": None,
    "doctor_check": "running",
    "history": "analysis.history",
    "import_results": "importing",
    "kernel_modules": None,
    "load": "results",
    "measure": "running.measure_operation",
    "memory": None,
    "run": "running",
    "statistics": None,
    "synthesis": None,
    "system": "monitor",
}

__all__ = [
    "BackendUnavailable",
    "Benchmark",
    "Check",
    "Command",
    "ComparedMetric",
    "Comparison",
    "Environment",
    "Estimate",
    "Histogram",
    "History",
    "Interrupted",
    "InvalidParameter",
    "Measurement",
    "Operation",
    "PrerequisiteMissing",
    "Run",
    "SchemaError",
    "StratoperfError",
    "Target",
    "Timer",
    "VerificationFailed",
    "__version__",
    "artifact",
    "backend",
    "benchmark",
    "benchmark_module",
    "category",
    "claim",
    "claims",
    "cli_command",
    "clock",
    "compare",
    "compare_live",
    "consensus",
    "containers",
    "doctor_check",
    "get_include",
    "history",
    "import_results",
    "kernel_modules",
    "load",
    "measure",
    "memory",
    "run",
    "statistics",
    "synthesis",
    "system",
]


def get_include() -> str:
    """Return the directory that holds ``stratoperf/operation.h``, for ``cc -I``."""
    from pathlib import Path

    return str(Path(__file__).parent / "include")


__getattr__, __dir__ = lazy_names(__name__, _HOMES)
