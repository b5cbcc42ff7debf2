"""The suite: benchmarks, the plan of a run, running it, and the published claims."""

from stratoperf.suite.claims_table import ClaimRow, ClaimsTable, claims
from stratoperf.suite.declaration import CATEGORIES, Benchmark
from stratoperf.suite.listener import Listener
from stratoperf.suite.planner import Case, Plan, Request, make_plan, make_request
from stratoperf.suite.presets import PRESETS, Sampling
from stratoperf.suite.registry import REGISTRY, PluginWarning, Registry, benchmark
from stratoperf.suite.runner import run
from stratoperf.suite.targets import Target

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
