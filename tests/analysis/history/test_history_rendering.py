"""A history as JSON, as HTML and as a figure."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

import stratoperf as sp
from stratoperf.analysis.history.compute import CHOICES
from stratoperf.cli.history_command import STATISTICS

MakeRun = Callable[..., sp.Run]


def test_a_history_is_plain_json(stepped: list[sp.Run]) -> None:
    tree = sp.history(stepped).to_dict()
    assert tree["schema"] == "stratoperf.history/1"
    assert tree["trends"][0]["moments"][0]["estimate"]["value"] > 0
    assert json.loads(json.dumps(tree, allow_nan=False))["runs"] == 30


def test_a_history_renders_itself_in_a_notebook(dated: MakeRun) -> None:
    found = sp.history([dated(day, model="<b>") for day in range(3)])
    html = found._repr_html_()
    assert "kv.put size=64" in html
    assert "&lt;b&gt;" in html
    assert "<History of 3 runs: 3 runs" in repr(found)


def test_the_figure_has_a_panel_for_each_trend_with_levels_and_change_points(
    stepped: list[sp.Run], dated: MakeRun
) -> None:
    matplotlib = pytest.importorskip("matplotlib")
    pytest.importorskip("ruptures")
    matplotlib.use("Agg")
    gap = dated(40, status="failed", metrics={}, series=[])
    other = dated(41, {"kv.get": 1.0})
    figure = sp.history([*stepped, gap, other]).plot()
    first, second = figure.axes
    assert first.get_title(loc="left").startswith("kv.put size=64")
    assert [text.get_text().strip() for text in first.texts] == ["2026-11-16: 20 % slower"]
    assert len(second.texts) == 0


def test_a_figure_of_nothing_is_refused(dated: MakeRun) -> None:
    pytest.importorskip("matplotlib")
    gap = dated(0, status="failed", metrics={}, series=[])
    with pytest.raises(sp.InvalidParameter, match="nothing to draw"):
        sp.history(gap).plot()


def test_the_command_offers_what_the_analysis_can_show() -> None:
    assert set(STATISTICS) == set(CHOICES)
