"""Samples in the order taken: drift, warm-up and throttling are visible."""

from __future__ import annotations

import itertools
from typing import NamedTuple

import numpy as np

from stratoperf.presentation.charts.chart import Canvas, Chart, Legend, Table
from stratoperf.presentation.charts.samples import Sampled
from stratoperf.presentation.charts.scales import Array, number_axis, value_axis
from stratoperf.text.units import quantity

MOST_WINDOWS = 100
_LISTED = 8
_MOST_APART = 12
_WITHIN = (0.05, 0.5, 0.95)


class _Windows(NamedTuple):
    """Neighboring samples: their middle place, and three of their quantiles."""

    place: Array
    low: Array
    middle: Array
    high: Array


def timeline_chart(sampled: Sampled, windows: int = MOST_WINDOWS) -> Chart:
    """Draw the median of neighboring samples over their number, within 5 % and 95 %.

    Parameters
    ----------
    sampled
        With at least one sample.
    windows
        Largest number of windows over all processes.
    """
    count = sampled.size
    processes = len(sampled.processes)
    # Of many processes, as in a live comparison, each would be a speck.
    apart = sampled.processes if processes <= _MOST_APART else (_all(sampled),)
    most = max(1, windows // len(apart))
    parts = []
    start = 0
    for own in apart:
        parts.append(_windows(own, start, most))
        start += len(own)
    ordered = sampled.sorted()
    # A stray sample must not squeeze all others.
    low = min(float(part.low.min()) for part in parts)
    high = max(float(part.high.max()) for part in parts)
    canvas = Canvas(
        number_axis("sample, in the order taken", 0, count),
        value_axis(sampled.metric, sampled.unit, low, high),
        legend=[Legend("median of neighbors", 1), Legend("5 % to 95 % of them", 8)],
    )
    # All of one kind after each other are one element.
    for part in parts:
        canvas.band(part.place, part.low, part.high, 8)
    for part in parts:
        canvas.line(part.place, part.middle, 1)
    for part in parts:
        if len(part.place) == 1:
            canvas.points(part.place, part.middle, 1)
    edges = np.cumsum([len(own) for own in apart])[:-1]
    for edge in edges:
        canvas.rule(float(edge), 0)
    above = int(np.count_nonzero(ordered > high))
    notes = [f"{above} of {count} samples lie above the edge."] if above else []
    if len(apart) > 1:
        notes.append("Dashed lines part the processes.")
    return canvas.chart(
        "Samples over time",
        f"{count} samples of {processes} {'process' if processes == 1 else 'processes'} in the "
        f"order taken; the highest is {quantity(float(ordered[-1]), sampled.unit)}.",
        _table(sampled),
        " ".join(notes),
    )


def _all(sampled: Sampled) -> Array:
    return np.concatenate(sampled.processes)


def _windows(samples: Array, start: int, most: int) -> _Windows:
    count = min(most, len(samples))
    size, larger = divmod(len(samples), count)
    # The first ones have a sample more; those of one size are one array, which is much faster.
    split = larger * (size + 1)
    parts = [samples[:split].reshape(larger, size + 1), samples[split:].reshape(-1, size)]
    quantiles = [np.quantile(part, _WITHIN, axis=1) for part in parts if len(part)]
    low, middle, high = np.concatenate(quantiles, axis=1)
    sizes = np.array([size + 1] * larger + [size] * (count - larger), np.float64)
    return _Windows(start + np.cumsum(sizes) - sizes / 2, low, middle, high)


def _table(sampled: Sampled) -> Table:
    """Return a row for each of some parts of all samples."""
    samples = _all(sampled)
    edges = np.linspace(0, len(samples), min(_LISTED, len(samples)) + 1).astype(int)
    rows = [
        (
            f"{begin + 1} to {end}",
            *(
                quantity(float(value), sampled.unit)
                for value in np.quantile(samples[begin:end], (0, 0.5, 1))
            ),
        )
        for begin, end in itertools.pairwise(edges)
    ]
    return Table(("samples", "lowest", "median", "highest"), rows)
