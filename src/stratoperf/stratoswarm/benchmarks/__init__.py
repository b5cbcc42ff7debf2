"""Importing this package registers the benchmarks of StratoSwarm."""

from stratoperf.stratoswarm.benchmarks import single_node

__all__ = ["single_node"]
