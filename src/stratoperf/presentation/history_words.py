"""A history in words, numbers and sparklines, and as HTML for a notebook."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING

from stratoperf.text.units import (
    NOTHING,
    is_large,
    parameters,
    percent,
    quantity,
    ratio_change,
    significant,
)

if TYPE_CHECKING:
    from stratoperf.analysis.history import ChangePoint, Trend

BARS = "▁▂▃▄▅▆▇█"
GAP = "·"
_SHORT_ID = 8
_DIGITS = 2
"""Of a percentage: what changes from run to run has no more."""


def ratio_text(ratio: float) -> str:
    """Return what a ratio means, such as ``12 % slower`` for 1.12."""
    if is_large(ratio):
        return ratio_change(ratio)
    return f"{percent(abs(ratio - 1), _DIGITS)} {'slower' if ratio >= 1 else 'less time'}"


def last_over_first(trend: Trend) -> str:
    """Return how the last value differs from the first, such as ``+12 %``, or ``x12.3``."""
    ratio = trend.ratio
    if ratio is None:
        return NOTHING
    if trend.better == "higher" and ratio:
        ratio = 1 / ratio
    if is_large(ratio):
        return f"x{significant(ratio)}"
    return f"{'+' if ratio >= 1 else '-'}{percent(abs(ratio - 1), _DIGITS)}"


def scatter_text(fraction: float | None) -> str:
    """Return a scatter such as ``±3 %``."""
    return NOTHING if fraction is None else f"±{percent(fraction, _DIGITS)}"


def params_text(trend: Trend) -> str:
    """Return the parameters, such as ``size=64 votes=1000``."""
    return parameters(trend.params.items())


def trend_name(trend: Trend) -> str:
    """Return the benchmark with its parameters."""
    return f"{trend.benchmark} {params_text(trend)}".rstrip()


def runs_text(trend: Trend) -> str:
    """Return how many runs have a value, such as ``30``, or ``28/30`` with two gaps."""
    count = len(trend.values)
    return f"{count}/{len(trend.moments)}" if trend.gaps else str(count)


def sparkline(trend: Trend, width: int) -> str:
    """Return one bar for each run, or for as many neighbors as `width` columns make necessary.

    The lowest value is the lowest bar and the highest value the highest; a constant stands in the
    middle, and a ``·`` is a gap.
    """
    values = [
        None if moment.estimate is None else moment.estimate.value for moment in trend.moments
    ]
    columns = min(width, len(values))
    medians = []
    for column in range(columns):
        start, end = (len(values) * (column + step) // columns for step in (0, 1))
        measured = [value for value in values[start:end] if value is not None]
        medians.append(statistics.median(measured) if measured else None)
    known = [value for value in medians if value is not None]
    low, high = min(known, default=0.0), max(known, default=0.0)
    return "".join(GAP if value is None else _bar(value, low, high) for value in medians)


def _bar(value: float, low: float, high: float) -> str:
    if high == low:
        return BARS[len(BARS) // 2]
    return BARS[min(int(len(BARS) * (value - low) / (high - low)), len(BARS) - 1)]


def change_text(trend: Trend, change: ChangePoint) -> str:
    """Return a change point in words: when, how much, since which run, and what else is new."""
    before, after = (quantity(level, trend.unit) for level in (change.before, change.after))
    sentence = (
        f"{change.created[:10]}: {ratio_text(change.ratio)}, since {_run_text(change)} "
        f"({before} → {after}, p {change.significance:.1g})"
    )
    if change.also_changed:
        sentence += f"; new with it: {', '.join(change.also_changed)}"
    return sentence


def _run_text(change: ChangePoint) -> str:
    return Path(change.path).name if change.path else f"run {change.run[:_SHORT_ID]}"


def gaps_text(trend: Trend) -> list[str]:
    """Return the reasons for gaps, each with how often it is there."""
    reasons: dict[str, int] = {}
    for moment in trend.gaps:
        why = moment.gap or "no value"
        reasons[why] = reasons.get(why, 0) + 1
    return [f"{count} x {why}" if count > 1 else why for why, count in reasons.items()]


def machine_text(trend: Trend) -> str:
    """Return the machine, such as ``AMD EPYC 7B13 (3f2a...)``."""
    return f"{trend.machine_name} ({trend.machine})" if trend.machine_name else trend.machine
