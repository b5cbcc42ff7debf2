"""Artifacts: expensive set-up data, built once for all processes that measure a benchmark."""

from stratoperf.artifacts.building import artifact

__all__ = ["artifact"]
