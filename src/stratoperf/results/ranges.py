"""What the numbers and names of a result can be, so that all that reads them can rely on it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from stratoperf.door import shortened
from stratoperf.errors import SchemaError
from stratoperf.results.schema import Metric, MetricSummary, Process, Result, Variation
from stratoperf.statistics import Estimate
from stratoperf.statistics.estimates import QUANTILES

LARGEST = 1e60
SMALLEST = 1e-60
"""No quantity that is measured has another magnitude. Ratios of such values and the squares of
these are finite."""

LONGEST_NAME = 200
"""Characters at most in the name of a metric, of a column and of a unit."""


def check_result(result: Result, where: str) -> None:
    """Make sure that a result of the right types makes sense too.

    Parameters
    ----------
    result
        The result without its series.
    where
        Its key path.

    Raises
    ------
    SchemaError
        With the key path, but without the file's name.
    """
    for name, value in result.params.items():
        if isinstance(value, Mapping | list | tuple):
            raise SchemaError(
                f"{where}.params.{shortened(name)}: expected a bool, a number or a str"
            )
    _check_number(result.items, f"{where}.items")
    if result.variation is not None:
        _check_variation(result.variation, f"{where}.variation")
    for index, process in enumerate(result.processes):
        _check_process(process, f"{where}.processes[{index}]")
    for index, process in enumerate(result.left_out):
        _check_process(process, f"{where}.left_out[{index}]")
    for name, metric in result.metrics.items():
        check_name(name, f"{where}.metrics")
        _check_metric(metric, f"{where}.metrics.{name}")


def _check_process(process: Process, where: str) -> None:
    for name, values in process.metrics.items():
        check_name(name, f"{where}.metrics")
        for statistic, value in values.items():
            check_name(statistic, f"{where}.metrics.{name}")
            _check_number(value, f"{where}.metrics.{name}.{statistic}")


def check_name(name: str, where: str) -> None:
    """Make sure that a name can stand in a table, and in an ``.npz``."""
    if len(name) > LONGEST_NAME or not name.isprintable():
        raise SchemaError(
            f"{where}: {shortened(ascii(name))} cannot be a name; expected at most {LONGEST_NAME} "
            "printable characters"
        )


def _check_metric(metric: Metric, where: str) -> None:
    check_name(metric.unit, f"{where}.unit")
    if metric.summary is not None:
        _check_summary(metric.summary, f"{where}.summary")
    _check_estimate(metric.mean, f"{where}.mean")
    if metric.target is not None:
        check_name(metric.target.unit, f"{where}.target.unit")
        _check_number(metric.target.value, f"{where}.target.value")


def _check_summary(summary: MetricSummary, where: str) -> None:
    for name, value in _moments(summary):
        _check_number(value, f"{where}.{name}")
    for name in QUANTILES:
        _check_estimate(getattr(summary, name), f"{where}.{name}")
    _check_estimate(summary.at_reference_speed, f"{where}.at_reference_speed")
    if summary.scope is not None:
        check_name(summary.scope, f"{where}.scope")
    if summary.min is not None and summary.max is not None and summary.min > summary.max:
        raise SchemaError(f"{where}.min: {summary.min:g} is above max, {summary.max:g}")
    outliers = summary.outliers
    if outliers is not None:
        if not (outliers.count >= 0 and 0 <= outliers.fraction <= 1):
            raise SchemaError(
                f"{where}.outliers: expected a count of 0 or more and a fraction from 0 to 1, got "
                f"{outliers.count} and {outliers.fraction:g}"
            )
        for name, value in _moments(outliers):
            _check_number(value, f"{where}.outliers.{name}")


def _check_variation(variation: Variation, where: str) -> None:
    drift = variation.drift
    # NaN fails every comparison.
    if drift is not None and not math.fabs(drift) <= LARGEST:
        raise SchemaError(f"{where}.drift: expected a magnitude up to {LARGEST:g}, got {drift:g}")
    chance = variation.drift_chance
    if chance is not None and not 0 <= chance <= 1:
        raise SchemaError(f"{where}.drift_chance: expected a number from 0 to 1, got {chance:g}")


def _moments(summary: Any) -> Iterator[tuple[str, float | None]]:
    return ((name, getattr(summary, name, None)) for name in ("mean", "stdev", "min", "max"))


def _check_estimate(estimate: Estimate | None, where: str) -> None:
    if estimate is None:
        return
    for name in ("value", "low", "high"):
        _check_number(getattr(estimate, name), f"{where}.{name}")
    if estimate.low is not None and estimate.high is not None and estimate.low > estimate.high:
        raise SchemaError(f"{where}.low: {estimate.low:g} is above high, {estimate.high:g}")
    if not 0 < estimate.confidence < 1:
        raise SchemaError(
            f"{where}.confidence: expected a number between 0 and 1, got {estimate.confidence:g}"
        )


def _check_number(value: float | None, where: str) -> None:
    # NaN fails every comparison.
    if value is not None and value != 0 and not SMALLEST <= math.fabs(value) <= LARGEST:
        raise SchemaError(
            f"{where}: expected 0 or a number of a magnitude from {SMALLEST:g} to {LARGEST:g}, got "
            f"{value:g}"
        )
