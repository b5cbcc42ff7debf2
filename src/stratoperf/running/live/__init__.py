"""Live mode: both sides run now, in many short pairs of fresh processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratoperf.lazy import lazy_names

if TYPE_CHECKING:
    from stratoperf.running.live.engine import compare_live
    from stratoperf.running.live.listener import LiveListener
    from stratoperf.running.live.sides import Command, Environment

__all__ = ["Command", "Environment", "LiveListener", "compare_live"]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Command": "sides",
        "Environment": "sides",
        "LiveListener": "listener",
        "compare_live": "engine",
    },
)
