"""All that measures: benchmarks, plans, runs, workers, live comparisons, published claims."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratoperf.lazy import lazy_names

if TYPE_CHECKING:
    from stratoperf.results.plans import Request
    from stratoperf.running.claims_table import ClaimRow, ClaimsTable, claims
    from stratoperf.running.declaration import Benchmark
    from stratoperf.running.declaration_checks import CATEGORIES
    from stratoperf.running.listener import Listener
    from stratoperf.running.planner import Case, Plan, make_plan, make_request
    from stratoperf.running.presets import PRESETS, Sampling
    from stratoperf.running.registry import REGISTRY, PluginWarning, Registry, benchmark
    from stratoperf.running.runner import run
    from stratoperf.running.targets import Target

__all__ = [
    "CATEGORIES",
    "PRESETS",
    "REGISTRY",
    "Benchmark",
    "Case",
    "ClaimRow",
    "ClaimsTable",
    "Listener",
    "Plan",
    "PluginWarning",
    "Registry",
    "Request",
    "Sampling",
    "Target",
    "benchmark",
    "claims",
    "make_plan",
    "make_request",
    "run",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Benchmark": "declaration",
        "CATEGORIES": "declaration_checks",
        "Case": "planner",
        "ClaimRow": "claims_table",
        "ClaimsTable": "claims_table",
        "Listener": "listener",
        "PRESETS": "presets",
        "Plan": "planner",
        "PluginWarning": "registry",
        "REGISTRY": "registry",
        "Registry": "registry",
        "Request": "planner",
        "Sampling": "presets",
        "Target": "targets",
        "benchmark": "registry",
        "claims": "claims_table",
        "make_plan": "planner",
        "make_request": "planner",
        "run": "runner",
    },
)
