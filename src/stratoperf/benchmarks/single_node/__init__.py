"""Benchmarks that one machine is enough for."""

from stratoperf.benchmarks.single_node import clock, consensus, gpu, synthesis, utilization

__all__ = ["clock", "consensus", "gpu", "synthesis", "utilization"]
