"""Live mode: both sides run now, in many short pairs of fresh processes."""

from stratoperf.analysis.live.engine import compare_live
from stratoperf.analysis.live.listener import LiveListener
from stratoperf.analysis.live.sides import Command, Environment

__all__ = ["Command", "Environment", "LiveListener", "compare_live"]
