"""Importing this package registers the benchmarks of StratoSwarm, and the claims about them."""

from stratoperf.stratoswarm import claims
from stratoperf.stratoswarm.benchmarks import single_node

__all__ = ["claims", "single_node"]
