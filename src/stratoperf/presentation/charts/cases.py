"""Cases beside each other, each in a row of its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from stratoperf.analysis.comparison import ComparedMetric, Comparison
from stratoperf.presentation.charts.chart import Canvas, Chart, Legend, Table
from stratoperf.presentation.charts.scales import names_axis, number_axis, value_axis
from stratoperf.presentation.comparison_words import (
    RATIO,
    params_text,
    ratio_text,
    statistic_text,
    value_text,
    verdict_text,
)
from stratoperf.statistics import Estimate
from stratoperf.statistics.estimates import inverse
from stratoperf.text.units import interval

MOST_ROWS = 40
"""Rows of one chart; the table behind it has all."""

VERDICT_COLORS = {"slower": 9, "faster": 10, "inconclusive": 11, "same": 8}
"""Color of each verdict, as a class of ``chart.css``."""


class Row(NamedTuple):
    """One case: its name, an estimate, and a further one that lies beside it."""

    name: str
    estimate: Estimate
    further: Estimate | None = None


def cases_chart(title: str, label: str, unit: str, rows: Sequence[Row], further: str = "") -> Chart:
    """Draw an estimate with its interval for each case.

    Parameters
    ----------
    title, label
        Of the chart, and of its values.
    unit
        Of all values.
    rows
        At least one.
    further
        What the further estimates are; nothing where there are none.
    """
    shown = rows[:MOST_ROWS]
    values = [
        value
        for row in shown
        for estimate in (row.estimate, row.further)
        if estimate is not None
        for value in (estimate.low, estimate.value, estimate.high)
        if value is not None
    ]
    canvas = Canvas(
        value_axis(label, unit, min(values), max(values)),
        names_axis("", [row.name for row in shown]),
        legend=[Legend(label, 1), Legend(further, 2)] if further else [],
        rows=True,
    )
    for place, row in enumerate(shown):
        if row.further is not None:
            low, high = sorted([row.estimate.value, row.further.value])
            canvas.interval(place, low, high, 0, kind="w")
            canvas.points(np.array([row.further.value]), np.array([place]), 2, hollow=True)
        _draw(canvas, place, row.estimate, 1)
    return canvas.chart(
        title,
        f"{label} of {_count(len(rows), 'case')}, with intervals.",
        Table(
            ("case", label, *([further] if further else [])),
            [
                (
                    row.name,
                    interval(row.estimate, unit),
                    *([interval(row.further, unit) if row.further else ""] if further else []),
                )
                for row in rows
            ],
        ),
        _left_out(len(rows)),
    )


def comparison_chart(comparison: Comparison, most: int = MOST_ROWS) -> Chart | None:
    """Draw the ratio of each metric with its interval; ``None`` where nothing has a ratio.

    The most serious ones come first; `most` of them are drawn.
    """
    measured = [metric for metric in comparison.metrics if metric.ratio is not None]
    # The largest slow-down first.
    measured.sort(
        key=lambda metric: (list(VERDICT_COLORS).index(metric.verdict), -_ratio(metric).value)
    )
    if not measured:
        return None
    shown = measured[:most]
    ratios = [_ratio(metric) for metric in shown]
    values = [
        value
        for ratio in ratios
        for value in (ratio.low, ratio.value, ratio.high)
        if value is not None and 0 < value < 1e6
    ]
    threshold = max(metric.threshold for metric in shown)
    low = min([*values, 1 / (1 + threshold)])
    high = max([*values, 1 + threshold])
    canvas = Canvas(
        number_axis(RATIO, low, high, log=high / low > 3),
        names_axis("", [_name(metric) for metric in shown]),
        legend=[
            Legend(verdict, color)
            for verdict, color in VERDICT_COLORS.items()
            if any(metric.verdict == verdict for metric in shown)
        ],
        rows=True,
    )
    canvas.span(1 / (1 + threshold), 1 + threshold, 0)
    canvas.rule(1.0, 0)
    for place, (metric, ratio) in enumerate(zip(shown, ratios, strict=True)):
        _draw(canvas, place, ratio, VERDICT_COLORS[metric.verdict])
    return canvas.chart(
        "Comparison with the baseline",
        f"{RATIO} of {_count(len(measured), 'metric')}, with intervals; "
        "the stripe is the threshold.",
        Table(
            ("case", "metric", "baseline", "current", RATIO, "verdict"),
            [
                (
                    _name(metric),
                    statistic_text(metric),
                    value_text(metric.baseline, metric.unit),
                    value_text(metric.current, metric.unit),
                    ratio_text(metric),
                    verdict_text(metric),
                )
                for metric in measured
            ],
        ),
        _left_out(len(measured), most),
    )


def _draw(canvas: Canvas, place: int, estimate: Estimate, color: int) -> None:
    low = estimate.value if estimate.low is None else estimate.low
    high = estimate.value if estimate.high is None else estimate.high
    canvas.interval(place, low, high, color)
    canvas.points(np.array([estimate.value]), np.array([place]), color)


def _ratio(metric: ComparedMetric) -> Estimate:
    """Return current over baseline, as every rendering shows it."""
    ratio = metric.ratio
    assert ratio is not None
    return ratio if metric.better == "lower" or ratio.value == 0 else inverse(ratio)


def _name(metric: ComparedMetric) -> str:
    return f"{metric.benchmark} {params_text(metric)}".rstrip()


def _count(number: int, what: str) -> str:
    return f"1 {what}" if number == 1 else f"{number} {what}s"


def _left_out(count: int, most: int = MOST_ROWS) -> str:
    return "" if count <= most else f"The first {most} of {count}; the table has all."
