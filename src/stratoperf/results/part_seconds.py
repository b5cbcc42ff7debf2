"""The seconds that the process of a part lasted, which the part has and no result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stratoperf.results.ranges import LARGEST

SECONDS = "process_seconds"
"""Key of a part for the seconds that its process lasted."""


def with_seconds(part: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return a part with the seconds that its process lasted."""
    return {**part, SECONDS: seconds}


def without_seconds(part: Mapping[str, Any]) -> dict[str, Any]:
    """Return a part as a result of its own: how long its process lasted is of the part alone."""
    return {name: value for name, value in part.items() if name != SECONDS}


def seconds_of(part: Mapping[str, Any]) -> float:
    """Return the seconds that the process of a part lasted; 0 where a file does not say."""
    return positive_seconds(part.get(SECONDS))


def positive_seconds(value: object) -> float:
    """Return what a file says of a time; 0 where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 <= value < LARGEST else 0.0
