"""From what several processes say of a case to the result of the case."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from typing import Any


def combined(parts: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Return the result of a case from the results of its processes, in the order measured."""
    series = [one for part in parts for one in part["series"]]
    return {**_middle(parts), "series": series}


def _middle(values: Sequence[Any]) -> Any:
    first = values[0]
    if isinstance(first, dict):
        held = [value for value in values if isinstance(value, dict)]
        if "low" in first:
            known = [value["value"] for value in held]
            ends = {"low": min(known), "high": max(known)} if len(known) > 1 else {}
            return {**first, "value": statistics.median(known), **ends}
        return {key: _middle([value[key] for value in held if key in value]) for key in first}
    if isinstance(first, float):
        return statistics.median([value for value in values if isinstance(value, float)])
    return first
