"""Benchmarks that one machine is enough for."""

from stratoperf.benchmarks.single_node import (
    clock,
    consensus,
    gpu,
    memory,
    synthesis,
    utilization,
)

__all__ = ["clock", "consensus", "gpu", "memory", "synthesis", "utilization"]
