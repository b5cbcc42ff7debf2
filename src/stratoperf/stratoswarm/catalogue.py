"""Importing this module registers all that StratoSwarm contributes."""

from stratoperf.stratoswarm import benchmarks, claims, further

__all__ = ["benchmarks", "claims", "further"]
