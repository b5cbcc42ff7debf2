"""The catalogue: importing it registers the benchmarks of the suite."""

from stratoperf.benchmarks import single_node

__all__ = ["single_node"]
