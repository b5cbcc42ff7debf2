"""The machine: its facts, how quiet it was, and what it can and cannot measure.

Nothing here changes the machine, runs during a measurement, or fails because a file is missing.
"""

from __future__ import annotations

from stratoperf.monitor.disturbance import disturbance
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
    "disturbance",
    "system",
]
