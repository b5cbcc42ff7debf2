"""The machine: its facts, how quiet it was, and what it can and cannot measure.

Nothing here changes the machine, runs during a measurement, or fails because a file is missing.
"""

from __future__ import annotations

from stratoperf.lazy import TYPE_CHECKING, lazy_names

if TYPE_CHECKING:
    from stratoperf.monitor.doctor import diagnose
    from stratoperf.monitor.machine import system
    from stratoperf.monitor.model import Check, SystemInfo
    from stratoperf.monitor.noise import NoiseProbe
    from stratoperf.monitor.reference import ReferenceProbe

__all__ = [
    "Check",
    "NoiseProbe",
    "ReferenceProbe",
    "SystemInfo",
    "diagnose",
    "system",
]

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Check": "model",
        "NoiseProbe": "noise",
        "ReferenceProbe": "reference",
        "SystemInfo": "model",
        "diagnose": "doctor",
        "system": "machine",
    },
)
