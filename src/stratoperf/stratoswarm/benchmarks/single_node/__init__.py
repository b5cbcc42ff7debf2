"""Benchmarks that one machine is enough for."""

from stratoperf.stratoswarm.benchmarks.single_node import (
    clock,
    consensus,
    containers,
    gpu,
    kernel,
    memory,
    synthesis,
    utilization,
)

__all__ = [
    "clock",
    "consensus",
    "containers",
    "gpu",
    "kernel",
    "memory",
    "synthesis",
    "utilization",
]
