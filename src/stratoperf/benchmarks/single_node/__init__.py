"""Benchmarks that one machine is enough for."""

from stratoperf.benchmarks.single_node import clock

__all__ = ["clock"]
