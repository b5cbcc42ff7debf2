"""The history of benchmarks: how each did over many stored runs, and where its level changed."""

from stratoperf.analysis.history.compute import history
from stratoperf.analysis.history.model import ChangePoint, History, LeftOut, Moment, Trend

__all__ = ["ChangePoint", "History", "LeftOut", "Moment", "Trend", "history"]
