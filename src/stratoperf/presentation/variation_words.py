"""What a result's numbers hold for, and where its variation is, in words for every medium."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stratoperf.text.units import interval, percent

if TYPE_CHECKING:
    from stratoperf.results.schema import Metric, Result, Variation

APART = 0.1
"""Processes that are this far apart surprise a reader of the value alone: it is twice the
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
    return next(
        (summary.scope for summary in summaries if summary is not None and summary.scope), None
    )


def variation_words(result: Result, run: Sequence[Mapping[str, Any]] = ()) -> list[str]:
    """Return what a reader of a result's value must know of where it varies.

    Nothing where the value with its interval says all.

    Parameters
    ----------
    result
        The result.
    run
        What `usual_speed` returns for the results of its run: the words then tell whether the
        machine was slower or faster than usual there.
    """
    metric = _primary(result)
    if metric is None:
        return []
    words = [] if result.variation is None else _varying(result.variation, metric)
    words += _machine(result, run)
    words += _at_reference_speed(metric)
    if result.disturbed is not None:
        # The warnings say so.
        words.append("disturbed")
    return words


def usual_speed(results: Iterable[Result]) -> list[Mapping[str, Any]]:
    """Return how fast the machine usually was in a run, as `variation_words` takes it."""
    from stratoperf.monitor.speed import speed

    pace = speed([reference for result in results for reference in _references(result)], []).integer
    return [] if pace is None else [{"integer_ns": pace.step_ns, "integer_change": 0.0}]


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


def _machine(result: Result, run: Sequence[Mapping[str, Any]]) -> list[str]:
    from stratoperf.monitor.speed import INTEGER_FAR, speed

    pace = speed(_references(result), run).integer
    # A step that takes less time is a faster machine.
    ratio = 1.0 if pace is None else pace.of_run
    apart = max(ratio, 1 / ratio) - 1
    if apart <= INTEGER_FAR:
        return []
    word = "slower" if ratio < 1 else "faster"
    return [f"machine {percent(apart, _DIGITS)} {word} than usual in this run"]


def _references(result: Result) -> list[Mapping[str, Any]]:
    environments = [process.environment for process in result.processes] or [result.environment]
    known = [environment.get("reference") for environment in environments]
    return [reference for reference in known if isinstance(reference, Mapping)]


def _at_reference_speed(metric: Metric) -> list[str]:
    raw = metric.statistic("p50")
    own = None if metric.summary is None else metric.summary.at_reference_speed
    if raw is None or own is None or abs(own.value - raw.value) < OTHER_SPEED * abs(raw.value):
        return []
    return [f"at reference speed {interval(own, metric.unit)}"]
