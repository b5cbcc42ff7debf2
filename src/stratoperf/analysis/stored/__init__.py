"""Stored mode: the sides are runs that were taken earlier."""

from stratoperf.analysis.stored.compare_runs import compare

__all__ = ["compare"]
