"""Variation within and between the processes of a case."""

from __future__ import annotations

import numpy as np

from stratoperf.presentation.charts.chart import Canvas, Chart, Legend, Table
from stratoperf.presentation.charts.samples import Sampled
from stratoperf.presentation.charts.scales import names_axis, value_axis
from stratoperf.text.units import interval, percent, quantity

_WITHIN = (0.05, 0.25, 0.5, 0.75, 0.95)
_MOST_NAMED = 20


def processes_chart(sampled: Sampled) -> Chart:
    """Draw the samples of each process as a box, beside the median of all with its interval.

    Parameters
    ----------
    sampled
        Of two processes or more.
    """
    boxes = np.array([np.quantile(own, _WITHIN) for own in sampled.processes])
    count = len(boxes)
    every = -(-count // _MOST_NAMED)
    names = [str(n + 1) if n % every == 0 else "" for n in range(count)]
    estimate = sampled.estimates.get("p50")
    ends = [
        bound
        for bound in ((estimate.low, estimate.value, estimate.high) if estimate else ())
        if bound is not None
    ]
    canvas = Canvas(
        names_axis("process, in the order measured", names),
        value_axis(
            sampled.metric,
            sampled.unit,
            float(min([boxes.min(), *ends])),
            float(max([boxes.max(), *ends])),
        ),
        legend=[
            Legend("median", 1),
            Legend("middle half; 5 % to 95 %", 8),
            *([Legend("p50 of all, with interval", 2)] if estimate else []),
        ],
    )
    if estimate is not None:
        if estimate.low is not None and estimate.high is not None:
            canvas.span(estimate.low, estimate.high, 2, vertical=False)
        canvas.rule(estimate.value, 2, vertical=False)
    # All of one kind after each other are one element.
    for place, box in enumerate(boxes):
        canvas.interval(place, box[0], box[4], 8, vertical=True, kind="w")
    for place, box in enumerate(boxes):
        canvas.interval(place, box[1], box[3], 8, vertical=True)
    medians = boxes[:, 2]
    canvas.points(np.arange(count, dtype=np.float64), medians, 1)
    spread = percent(float(medians.max() / medians.min() - 1), 2) if medians.min() > 0 else ""
    about = f"; the highest lies {spread} above the lowest" if spread else ""
    text = f" p50 of all: {interval(estimate, sampled.unit)}." if estimate else ""
    return canvas.chart(
        "Within and between processes",
        f"Medians of {count} processes{about}.{text}",
        Table(
            ("process", "5 %", "median", "95 %"),
            [
                (str(n), *(quantity(float(value), sampled.unit) for value in box[::2]))
                for n, box in enumerate(boxes, start=1)
            ],
        ),
    )
