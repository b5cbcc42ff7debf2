"""The distribution of samples: which share of them is at or below a value."""

from __future__ import annotations

import numpy as np

from stratoperf.presentation.charts.chart import Canvas, Chart, Legend, Table
from stratoperf.presentation.charts.samples import QUANTILE_NAMES, Sampled
from stratoperf.presentation.charts.scales import Array, share_axis, value_axis
from stratoperf.statistics.estimates import QUANTILES
from stratoperf.text.units import interval, quantity

MOST_POINTS = 200
"""Points of one curve: more than a screen shows apart."""

_LISTED = (0.0, 0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1.0)
_ROOM = 1.3
"""An interval may stretch the axis by this share of the curve's width; what is longer is cut."""


def distribution_chart(
    sampled: Sampled, baseline: Sampled | None = None, points: int = MOST_POINTS
) -> Chart:
    """Draw the empirical distribution with p50, p95, p99 and p99.9 and their intervals.

    Shares have an axis that gives both tails room, since the tail is what most readers look for.

    Parameters
    ----------
    sampled
        With at least one sample.
    baseline
        Another distribution of the same metric to draw beside it.
    points
        Largest number of points of a curve.
    """
    ordered = sampled.sorted()
    highest = 0.9995 if len(ordered) >= 1000 else 0.995
    shares = _shares(points, highest)
    curve = np.quantile(ordered, shares)
    curves = [(1, curve)]
    legend = []
    if baseline is not None and baseline.size:
        curves.append((8, np.quantile(baseline.sorted(), shares)))
        legend = [Legend("this run", 1), Legend("baseline", 8)]
    low, high = _ends(sampled, [own for _, own in curves])
    canvas = Canvas(
        value_axis(sampled.metric, sampled.unit, low, high),
        share_axis("samples at or below", highest),
        legend=legend,
    )
    for color, own in reversed(curves):
        canvas.line(own, shares, color, kind="l" if color == 1 else "l d")
    drawn = [(name, q) for name, q in QUANTILES.items() if name in sampled.estimates]
    for name, q in drawn:
        estimate = sampled.estimates[name]
        value, label = estimate.value, QUANTILE_NAMES[name]
        # What lies beyond an end has its value in words alone.
        if q > highest or not low <= value <= high:
            continue
        start = value if estimate.low is None else estimate.low
        end = value if estimate.high is None else estimate.high
        canvas.interval(q, start, end, 2)
        canvas.points(np.array([value]), np.array([q]), 2)
        canvas.text(value, q, label, 2, before=not canvas.room_after(value, label), dy=15)
    beyond = int(np.count_nonzero(ordered > high))
    texts = [
        f"{QUANTILE_NAMES[name]} {interval(sampled.estimates[name], sampled.unit)}"
        for name, _ in drawn
    ]
    return canvas.chart(
        "Distribution",
        f"Share of {len(ordered)} samples at or below each value. {'; '.join(texts)}.",
        Table(("share of samples", sampled.metric), _rows(ordered, sampled.unit)),
        f"{beyond} of {len(ordered)} samples lie to the right of the edge." if beyond else "",
    )


def _shares(points: int, highest: float) -> Array:
    """Return shares that are even on the axis."""
    low, high = np.log(0.005 / 0.995), np.log(highest / (1 - highest))
    shares: Array = 1 / (1 + np.exp(-np.linspace(low, high, points)))
    return shares


def _ends(sampled: Sampled, curves: list[Array]) -> tuple[float, float]:
    low = float(min(own[0] for own in curves))
    high = float(max(own[-1] for own in curves))
    bounds = [
        bound
        for estimate in sampled.estimates.values()
        for bound in (estimate.value, estimate.high)
        if bound is not None
    ]
    return low, max(high, min(max(bounds, default=high), low + _ROOM * (high - low)))


def _rows(ordered: Array, unit: str) -> list[tuple[str, str]]:
    names = {0.0: "lowest", 1.0: "highest"}
    values = np.quantile(ordered, _LISTED)
    return [
        (names.get(share, f"{100 * share:g} %"), quantity(float(value), unit))
        for share, value in zip(_LISTED, values, strict=True)
    ]
