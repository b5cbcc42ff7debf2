"""The catalogue of StratoSwarm: importing it registers its benchmarks and all else it adds."""

from stratoperf.benchmarks import claims, further, single_node

__all__ = ["claims", "further", "single_node"]
