"""All that measures: benchmarks, plans, runs, workers, live comparisons, claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratoperf.lazy import lazy_names

if TYPE_CHECKING:
    from stratoperf.results.plans import Request
    from stratoperf.running.author_functions import (
        benchmark_module,
        category,
        claim,
        cli_command,
        doctor_check,
    )
    from stratoperf.running.cases import Case, Plan
    from stratoperf.running.claims_table import ClaimRow, ClaimsTable, all_claims, claims
    from stratoperf.running.contributions import Category, Claim, DoctorCheck, FurtherCommand
    from stratoperf.running.declaration import Benchmark
    from stratoperf.running.listener import Listener
    from stratoperf.running.planner import make_plan, make_request
    from stratoperf.running.presets import PRESETS, Sampling
    from stratoperf.running.registry import REGISTRY, PluginWarning, Registry, benchmark
    from stratoperf.running.runner import run
    from stratoperf.running.targets import Target

__all__ = [
    "PRESETS",
    "REGISTRY",
    "Benchmark",
    "Case",
    "Category",
    "Claim",
    "ClaimRow",
    "ClaimsTable",
    "DoctorCheck",
    "FurtherCommand",
    "Listener",
    "Plan",
    "PluginWarning",
    "Registry",
    "Request",
    "Sampling",
    "Target",
    "all_claims",
    "benchmark",
    "benchmark_module",
    "category",
    "claim",
    "claims",
    "cli_command",
    "doctor_check",
    "make_plan",
    "make_request",
    "run",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Benchmark": "declaration",
        "Case": "cases",
        "Category": "contributions",
        "Claim": "contributions",
        "ClaimRow": "claims_table",
        "ClaimsTable": "claims_table",
        "DoctorCheck": "contributions",
        "FurtherCommand": "contributions",
        "Listener": "listener",
        "PRESETS": "presets",
        "Plan": "cases",
        "PluginWarning": "registry",
        "REGISTRY": "registry",
        "Registry": "registry",
        "Request": "planner",
        "Sampling": "presets",
        "Target": "targets",
        "all_claims": "claims_table",
        "benchmark": "registry",
        "benchmark_module": "author_functions",
        "category": "author_functions",
        "claim": "author_functions",
        "claims": "claims_table",
        "cli_command": "author_functions",
        "doctor_check": "author_functions",
        "make_plan": "planner",
        "make_request": "planner",
        "run": "runner",
    },
)
