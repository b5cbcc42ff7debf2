"""What ``run --profile`` adds to the tables: where the time of each case goes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stratoperf.presentation.terminal.screen import Screen
from stratoperf.results import Run
from stratoperf.text.units import quantity, significant


def show_profiles(screen: Screen, run: Run) -> None:
    """Print one section for each result that was profiled."""
    for result in run.results:
        if result.profile is None:
            continue
        screen.heading(f"profile of {result.key}")
        if result.profile.get("why") is not None:
            screen.paragraph(f"none: {result.profile['why']}", "yellow", indent="  ")
            continue
        _show_counters(screen, result.profile)
        for row in result.profile.get("functions", ()):
            screen.paragraph(_function(row), indent="    ")


def _show_counters(screen: Screen, profile: Mapping[str, Any]) -> None:
    counters = profile.get("counters", {})
    counted = {
        name: entry["per_iteration"]
        for name, entry in counters.items()
        if entry.get("per_iteration") is not None
    }
    texts = [f"{name} {significant(value)}" for name, value in counted.items() if value > 0]
    cycle = profile.get("instructions_per_cycle")
    if cycle is not None:
        texts.insert(0, f"instructions per cycle {significant(cycle)}")
    screen.paragraph(
        f"  per iteration: {', '.join(texts) or 'no event was counted'}", indent="    "
    )
    reasons: dict[str, list[str]] = {}
    for name, entry in counters.items():
        if name not in counted:
            reasons.setdefault(entry.get("why") or "no reason given", []).append(name)
    for why, names in reasons.items():
        screen.paragraph(f"  not counted: {', '.join(names)}: {why}", "dim", indent="    ")


def _function(row: Any) -> str:
    place = f" ({row['file']}:{row.get('line')})" if row.get("file") else ""
    return (
        f"  {quantity(row['own_ns_per_iteration'], 'ns')} of its own, "
        f"{significant(row['calls_per_iteration'])} calls an iteration: {row['function']}{place}"
    )
