"""Figures as SVG: of what stands in them, of edges, and of what cannot be drawn."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.errors import InvalidParameter
from stratoperf.presentation.charts.chart import HEIGHT, WIDTH
from stratoperf.presentation.charts.distribution import distribution_chart
from stratoperf.presentation.charts.samples import samples_of_measurement
from stratoperf.presentation.charts.scales import (
    nice_step,
    number_axis,
    share_axis,
    tick_text,
    value_axis,
)
from stratoperf.presentation.charts.timeline import _windows, timeline_chart
from wording import says

HOSTILE = "<script>alert(1)</script>\" onload='x' \u202e&amp;"
RANDOM = np.random.default_rng(1)


def measurement(samples: object = None, name: str = "work") -> sp.Measurement:
    taken = RANDOM.lognormal(7, 0.3, 5000) if samples is None else samples
    return sp.Measurement(name, np.asarray(taken, np.float64))


def drawn(svg: str) -> ElementTree.Element:
    """Parse a figure; an error for what is not closed or not escaped."""
    return ElementTree.fromstring(svg)


def dots(svg: str) -> list[tuple[float, float]]:
    """Return the places of all dots, which are lines without a length."""
    places = re.findall(r"M([0-9.]+) ?([0-9.]+)h0", svg)
    return [(float(x), float(y)) for x, y in places]


@pytest.mark.parametrize("kind", ["distribution", "samples"])
@pytest.mark.parametrize(
    "samples",
    [
        [5.0],
        [5.0] * 100,
        [0.0, 0.0, 1.0],
        [1e-9, 1e9],
        [-3.0, 2.0],
        RANDOM.lognormal(0, 3, 3000),
        [1e300, 1e308],
    ],
    ids=["single", "equal", "zero", "wide", "negative", "tail", "enormous"],
)
def test_a_figure_of_any_samples_has_finite_places_within_it(kind: str, samples: object) -> None:
    svg = sp.Measurement("work", np.array(samples)).picture(kind).svg
    drawn(svg)
    assert "nan" not in svg
    assert "inf" not in re.sub(r"<(title|desc|style)>.*?</\1>", "", svg)
    if kind == "distribution":
        assert dots(svg)
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in dots(svg))


def test_a_distribution_names_its_quantiles_with_their_values() -> None:
    own = measurement()
    picture = own.picture()
    texts = {text.text for text in drawn(picture.svg).iter() if text.tag.endswith("text")}
    assert {"p50", "p95", "p99", "p99.9"} <= texts
    assert "p99.9" in picture.description
    assert str(own.count) in picture.description


def test_a_quantile_beyond_few_samples_has_no_place() -> None:
    picture = measurement(np.arange(1.0, 501.0)).picture()
    texts = {text.text for text in drawn(picture.svg).iter() if text.tag.endswith("text")}
    assert "p99" in texts
    assert "p99.9" not in texts
    assert "p99.9" in picture.description


def test_the_curve_passes_through_the_median() -> None:
    chart = distribution_chart(samples_of_measurement(measurement(np.arange(1.0, 1001.0))))
    rows = {row[0]: row[1] for row in chart.table.rows}
    assert rows["lowest"] == "1.00 ns"
    assert rows["50 %"] == "500 ns" or rows["50 %"] == "501 ns"
    assert rows["highest"] == "1.00 µs"


def test_stray_samples_do_not_stretch_a_distribution() -> None:
    samples = np.linspace(100.0, 110.0, 10_000)
    samples[-3:] = 1e7
    own = measurement(np.random.default_rng(1).permutation(samples))
    chart = distribution_chart(samples_of_measurement(own))
    assert "3 of 10000" in chart.note
    ticks = [
        float(text.text)
        for text in drawn(chart.drawing.text).iter("text")
        if text.text and re.fullmatch(r"[0-9.]+", text.text)
    ]
    assert max(ticks) < 130


def test_samples_over_time_show_a_step() -> None:
    own = measurement([*[10.0] * 500, *[20.0] * 500])
    chart = timeline_chart(samples_of_measurement(own))
    assert chart.table.rows[0][2] == "10.0 ns"
    assert chart.table.rows[-1][2] == "20.0 ns"


@pytest.mark.parametrize("count", [1, 2, 99, 100, 101, 250, 999])
def test_windows_hold_all_samples_in_their_order(count: int) -> None:
    part = _windows(np.arange(count, dtype=np.float64), 7, 100)
    assert len(part.place) == min(count, 100)
    # Of numbers in their order, the median of a window is its middle.
    assert np.allclose(part.middle + 7.5, part.place)
    assert part.low[0] < 1
    assert part.high[-1] > count - 2


@pytest.mark.parametrize("count", [2, 8, 50])
def test_each_process_has_a_box(count: int) -> None:
    samples = RANDOM.lognormal(7, 0.1, 100 * count)
    parts = [
        sp.measurement.MeasuredProcess(str(n), slice(100 * n, 100 * n + 100)) for n in range(count)
    ]
    own = sp.Measurement("work", samples, processes=parts)
    picture = own.picture("processes")
    assert str(count) in picture.description
    assert len(dots(picture.svg)) == count


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: measurement().picture("pie"), says("kind:", "pie", "distribution")),
        (lambda: measurement([]).picture(), says("work", "no samples", "keep_samples=True")),
        (lambda: measurement().picture("processes"), says("kind:", "one process", "processes=8")),
        (lambda: measurement().picture().save("figure.png"), says("path:", "figure.png", ".svg")),
        (lambda: measurement().picture().save(""), says("path:")),
    ],
    ids=["kind", "no samples", "one process", "ending", "no path"],
)
def test_what_cannot_be_drawn_is_said(make: Callable[[], object], named: str) -> None:
    with pytest.raises(InvalidParameter, match=named):
        make()


def test_a_figure_is_saved_and_shown_alike(tmp_path: Path) -> None:
    picture = measurement(name=HOSTILE).picture()
    path = picture.save(tmp_path / "folder" / "figure.svg")
    assert path.read_text(encoding="utf-8") == picture._repr_svg_()
    root = drawn(picture.svg)
    assert not [child for child in root.iter() if child.tag.endswith("script")]
    assert all("onload" not in child.attrib for child in root.iter())
    assert [p.name for p in (tmp_path / "folder").iterdir()] == ["figure.svg"]


@pytest.mark.parametrize(
    ("axis", "expected"),
    [
        (number_axis("n", 0, 100), ["0", "20", "40", "60", "80", "100"]),
        (number_axis("n", 1, 10_000, log=True), ["1", "10", "100", "1000", "10\u202f000"]),
        (number_axis("n", 3, 9, log=True), ["5"]),
        (value_axis("t", "ns", 1000, 5000), ["1", "2", "3", "4", "5"]),
        (value_axis("t", "ns", 10, 1e7), None),
        (share_axis("s", 0.9995), ["1 %", "10 %", "50 %", "90 %", "99 %", "99.9 %"]),
        (number_axis("n", 7, 7), None),
    ],
)
def test_ticks_are_round_and_within_the_axis(axis: Any, expected: list[str] | None) -> None:
    ticks = axis.ticks
    texts = [tick.text for tick in ticks]
    if expected is not None and len(expected) > 1:
        assert texts == expected
    assert len(texts) >= 2
    assert all(-1e-9 <= tick.place <= 1 + 1e-9 for tick in ticks)
    assert [tick.place for tick in ticks] == sorted(tick.place for tick in ticks)


def test_an_axis_has_the_unit_that_reads_best() -> None:
    assert value_axis("latency", "ns", 2e6, 9e6).label == "latency [ms]"
    assert value_axis("rate", "votes/s", 1e6, 2e6).label == "rate [M votes/s]"
    assert value_axis("count", "", 1, 2).label == "count"


@pytest.mark.parametrize(
    ("value", "step", "text"),
    [
        (0, 1, "0"),
        (0.25, 0.05, "0.25"),
        (1234, 1, "1234"),
        (25_000, 5000, "25\u202f000"),
        (2e6, 1e6, "2e6"),
        (1e-5, 1e-5, "1e-5"),
        (-0.5, 0.5, "-0.5"),
    ],
)
def test_a_tick_has_the_decimals_of_its_step(value: float, step: float, text: str) -> None:
    assert tick_text(value, step) == text


@pytest.mark.parametrize(("least", "step"), [(0.9, 1), (1.1, 2), (3, 5), (7, 10), (0.012, 0.02)])
def test_a_step_is_round(least: float, step: float) -> None:
    assert nice_step(least) == pytest.approx(step)
