"""How a metric follows a numeric parameter."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from stratoperf.presentation.charts.chart import COLORS, Canvas, Chart, Legend, Table
from stratoperf.presentation.charts.samples import distinct_texts
from stratoperf.presentation.charts.scales import LOG_FROM, number_axis, value_axis
from stratoperf.results.schema import Result
from stratoperf.statistics import Estimate
from stratoperf.text.units import interval, parameter

_FEWEST = 3
"""Values of a parameter from which on a line says more than the table."""


class _Line(NamedTuple):
    """The estimates of cases that differ in one parameter alone."""

    name: str
    points: list[tuple[float, Estimate]]


def scaling_charts(
    results: Sequence[Result], metric: str, statistic: str, unit: str
) -> Iterator[Chart]:
    """Yield a chart for each parameter that has three numbers or more, the richest first.

    Parameters
    ----------
    results
        Of one benchmark.
    metric, statistic
        What is drawn.
    unit
        Of the metric.
    """
    numbers: dict[str, set[float]] = {}
    for result in results:
        for name, value in result.params.items():
            if _is_number(value):
                numbers.setdefault(name, set()).add(float(value))
    names = [name for name, values in numbers.items() if len(values) >= _FEWEST]
    for name in sorted(names, key=lambda name: -len(numbers[name])):
        lines = _lines(results, name, metric, statistic)
        if any(len(line.points) > 1 for line in lines):
            yield _chart(name, lines, metric, statistic, unit)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _lines(results: Sequence[Result], name: str, metric: str, statistic: str) -> list[_Line]:
    lines: dict[str, _Line] = {}
    texts = distinct_texts(results, (name,))
    for result in results:
        own = result.metrics.get(metric)
        estimate = own.statistic(statistic) if own else None
        if estimate is None or not _is_number(result.params.get(name)):
            continue
        text = texts[result.key]
        lines.setdefault(text, _Line(text, [])).points.append(
            (float(result.params[name]), estimate)
        )
    return [
        line._replace(points=sorted(line.points, key=lambda item: item[0]))
        for line in lines.values()
    ]


def _chart(name: str, lines: Sequence[_Line], metric: str, statistic: str, unit: str) -> Chart:
    shown = lines[:COLORS]
    at = [place for line in shown for place, _ in line.points]
    values = [
        value
        for line in shown
        for _, estimate in line.points
        for value in (estimate.low, estimate.value, estimate.high)
        if value is not None
    ]
    low, high = min(at), max(at)
    label = f"{metric} {statistic}"
    canvas = Canvas(
        number_axis(name, low, high, log=low > 0 and high / low >= LOG_FROM),
        value_axis(label, unit, min(values), max(values)),
        legend=[Legend(line.name, color) for color, line in enumerate(shown, start=1)],
    )
    for color, line in enumerate(shown, start=1):
        x = np.array([place for place, _ in line.points])
        y = np.array([estimate.value for _, estimate in line.points])
        canvas.line(x, y, color)
        for place, estimate in line.points:
            if estimate.low is not None and estimate.high is not None:
                canvas.interval(place, estimate.low, estimate.high, color, vertical=True)
        canvas.points(x, y, color)
    left_out = len(lines) - len(shown)
    return canvas.chart(
        f"{label} over {name}",
        f"{label} for {len(set(at))} values of {name}, with intervals.",
        Table(
            ("case", name, label),
            [
                (line.name, parameter(place), interval(estimate, unit))
                for line in lines
                for place, estimate in line.points
            ],
        ),
        f"{left_out} more lines are in the table." if left_out else "",
    )
