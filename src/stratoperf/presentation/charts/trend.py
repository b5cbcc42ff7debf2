"""A trend over runs, and small lines without axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np

from stratoperf.analysis.history.model import Trend
from stratoperf.presentation.charts.chart import Canvas, Chart, Table, path_data
from stratoperf.presentation.charts.scales import Array, Axis, Tick, value_axis
from stratoperf.presentation.elements import Markup, element, number
from stratoperf.presentation.history_words import change_text
from stratoperf.text.units import interval

_DATES = 4
_SPARK = (96.0, 24.0)
_SPARK_POINTS = 30


def trend_chart(trend: Trend) -> Chart | None:
    """Draw each run's value with its interval, and the levels; ``None`` for fewer than two."""
    measured = [
        (place, moment.estimate)
        for place, moment in enumerate(trend.moments)
        if moment.estimate is not None
    ]
    if len(measured) < 2:
        return None
    values = [
        value
        for _, estimate in measured
        for value in (estimate.low, estimate.value, estimate.high)
        if value is not None
    ]
    canvas = Canvas(
        _dates(trend),
        value_axis(f"{trend.metric} {trend.statistic}", trend.unit, min(values), max(values)),
    )
    changes = trend.change_points or ()
    for place, estimate in measured:
        low = estimate.value if estimate.low is None else estimate.low
        high = estimate.value if estimate.high is None else estimate.high
        canvas.interval(place, low, high, 1, vertical=True)
    places = np.array([place for place, _ in measured], np.float64)
    middle = np.array([estimate.value for _, estimate in measured])
    canvas.line(places, middle, 8, kind="w")
    canvas.points(places, middle, 1)
    if changes:
        edges = [0, *(change.index for change in changes), len(trend.moments)]
        levels = [changes[0].before, *(change.after for change in changes)]
        for (start, end), level in zip(itertools.pairwise(edges), levels, strict=True):
            canvas.line(np.array([start - 0.4, end - 0.6]), np.array([level, level]), 2)
        for change in changes:
            canvas.rule(change.index - 0.5, 9 if change.ratio >= 1 else 10)
    return canvas.chart(
        "History",
        f"{len(measured)} runs with intervals, the oldest first.",
        Table(
            ("run of", f"{trend.metric} {trend.statistic}"),
            [
                (
                    moment.created,
                    interval(moment.estimate, trend.unit) if moment.estimate else moment.gap or "",
                )
                for moment in trend.moments
            ],
        ),
        " ".join(f"{change_text(trend, change)}." for change in changes),
    )


def _dates(trend: Trend) -> Axis:
    """Return an axis on which the runs stand evenly, some of them with their date."""
    count = len(trend.moments)
    texts = [moment.created for moment in trend.moments]
    one_day = len({text[:10] for text in texts}) == 1
    # The first and the last run have their date, with room for it.
    shown = sorted({round(place) for place in np.linspace(0, count - 1, min(count, _DATES))})
    ticks = tuple(
        Tick((place + 0.5) / count, texts[place][11:16] if one_day else texts[place][:10])
        for place in shown
    )
    label = f"runs of {texts[0][:10]}, UTC" if one_day else "runs"
    return Axis(label, ticks, lambda values: (values + 0.5) / count)


def spark(values: Sequence[float] | Array, name: str) -> Markup | None:
    """Return a small line without axes; ``None`` for fewer than two values.

    Parameters
    ----------
    values
        In their order; of many, medians of neighbors are drawn.
    name
        What it shows, for those who cannot see it.
    """
    data = np.asarray(values, np.float64)
    data = data[np.isfinite(data)]
    if len(data) < 2:
        return None
    if len(data) > _SPARK_POINTS:
        data = np.array([np.median(piece) for piece in np.array_split(data, _SPARK_POINTS)])
    width, height = _SPARK
    low, high = float(data.min()), float(data.max())
    scaled = np.full(len(data), 0.5) if math.isclose(low, high) else (data - low) / (high - low)
    step = (width - 6) / (len(data) - 1)
    down = ((height - 3) - scaled * (height - 6)).tolist()
    points = [(3 + step * n, y) for n, y in enumerate(down)]
    return element(
        "svg",
        element("path", class_="l c1", d=Markup(path_data(points))),
        element("path", class_="o c1", d=Markup(f"{path_data(points[-1:])}h0")),
        class_="sp-chart spark",
        viewBox=f"0 0 {number(width)} {number(height)}",
        preserveAspectRatio="xMinYMid",
        role="img",
        aria_label=name,
    )
