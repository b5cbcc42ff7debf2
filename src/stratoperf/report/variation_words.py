"""What a result's numbers hold for, and where its variation is, in words for every medium."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratoperf.report.units import interval, percent

if TYPE_CHECKING:
    from stratoperf.results.schema import Metric, Result, Variation

APART = 0.1
"""Processes that are so far apart surprise whoever reads the value alone: it is twice the
threshold at which two versions count as different."""

DRIFT = 0.05
"""A drift below the threshold at which two versions count as different decides nothing."""

DRIFT_CHANCE = 0.01
"""Among a hundred cases in which nothing drifts one is called drifting."""

OTHER_SPEED = 0.05
"""From here on the value at reference speed is another number to its reader."""

_DIGITS = 2


def scope_of(result: Result) -> str | None:
    """Return what the intervals of a result speak of: ``"6 processes"`` or ``"this process"``.

    ``None`` where nothing was measured, and in files of before there were several processes.
    """
    summaries = (metric.summary for metric in result.metrics.values())
    return next((one.scope for one in summaries if one is not None and one.scope), None)


def variation_words(result: Result) -> list[str]:
    """Return what a reader of a result's value must know of where it varies.

    Nothing where the value with its interval says all.
    """
    metric = _primary(result)
    words = [] if result.variation is None or metric is None else _varying(result.variation, metric)
    if metric is not None:
        words += _at_reference_speed(metric)
    if result.disturbed is not None:
        words.append(f"disturbed: {result.disturbed}")
    return words


def _primary(result: Result) -> Metric | None:
    metrics = list(result.metrics.values())
    return next((metric for metric in metrics if metric.primary), next(iter(metrics), None))


def _varying(variation: Variation, metric: Metric) -> list[str]:
    words = []
    if variation.extent >= APART:
        words.append(f"between processes {percent(variation.extent, _DIGITS)}")
    if variation.slow_processes and variation.slower_by is not None and metric.summary is not None:
        words.append(
            f"{variation.slow_processes} of {metric.summary.processes} processes "
            f"{percent(variation.slower_by, _DIGITS)} slower"
        )
    drift, chance = variation.drift, variation.drift_chance
    if drift is not None and chance is not None and chance <= DRIFT_CHANCE and abs(drift) >= DRIFT:
        word = "slower" if (drift > 0) == (metric.better == "lower") else "faster"
        words.append(f"{percent(abs(drift), _DIGITS)} {word} in the last process than in the first")
    return words


def _at_reference_speed(metric: Metric) -> list[str]:
    raw = metric.statistic("p50")
    own = None if metric.summary is None else metric.summary.at_reference_speed
    if raw is None or own is None or abs(own.value - raw.value) < OTHER_SPEED * abs(raw.value):
        return []
    return [f"at reference speed {interval(own, metric.unit)}"]
