"""Importing this module registers all that StratoSwarm contributes.

It is imported for the help too, and imports neither NumPy nor a workload.
"""

from stratoperf import benchmark_module
from stratoperf.stratoswarm import further

__all__ = ["further"]

benchmark_module("stratoperf.stratoswarm.benchmarks")
