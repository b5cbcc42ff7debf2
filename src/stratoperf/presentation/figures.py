"""Figures of a history, drawn with matplotlib (the extra ``plot``)."""

from __future__ import annotations

import importlib
import itertools
import math
from pathlib import Path
from typing import TYPE_CHECKING

from stratoperf import media
from stratoperf.analysis.history.model import History, Trend
from stratoperf.errors import InvalidParameter, PrerequisiteMissing
from stratoperf.paths import is_directory
from stratoperf.presentation.history_words import machine_text, ratio_text, scatter_text, trend_name
from stratoperf.results.files import atomic_file
from stratoperf.text.safety import figure_label
from stratoperf.text.units import scale_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FORMATS = (".png", ".svg", ".pdf")

_WIDTH, _PANEL = 9.0, 2.6  # inches
_LONGEST_COLUMN = 6  # panels; more stand in two columns
_DATES = 6
_RUN, _LEVEL, _SLOWER, _FASTER, _GAP = "#1b6ca8", "#444444", "#b3261e", "#2e7d32", "#999999"


@media.figure.shows(History)
def plot_history(history: History) -> Figure:
    """Draw a history for a notebook or a script; see `History.plot`."""
    _require_matplotlib("plot()")
    from matplotlib import pyplot

    trends = _drawable(history)
    return _draw(history, trends, pyplot.figure(figsize=_size(len(trends)), layout="constrained"))


def save_history(history: History, path: Path) -> None:
    """Draw a history into a file.

    Parameters
    ----------
    history
        What to draw; each trend that has a value gets a panel.
    path
        Ends with ``.png``, ``.svg`` or ``.pdf``.

    Raises
    ------
    PrerequisiteMissing
        Without matplotlib.
    InvalidParameter
        For another ending, a missing directory, or when no trend has a value.
    StratoperfError
        When the file cannot be written.
    """
    check_figure_path(path)
    _require_matplotlib("--figure")
    # Without pyplot, which would look for a display.
    from matplotlib.figure import Figure

    trends = _drawable(history)
    figure = _draw(history, trends, Figure(figsize=_size(len(trends)), layout="constrained"))
    with atomic_file(path) as file:
        figure.savefig(file, format=path.suffix[1:].lower())


def check_figure_path(path: Path) -> None:
    """Raise `InvalidParameter` unless a figure can be written under that name."""
    if path.suffix.lower() not in FORMATS:
        raise InvalidParameter(f"figure: {path} must end with {', '.join(FORMATS)}")
    if not is_directory(path.parent):
        raise InvalidParameter(f"figure: there is no directory {path.parent}; create it first")


def _require_matplotlib(what: str) -> None:
    try:
        importlib.import_module("matplotlib")
    except ImportError as error:
        raise PrerequisiteMissing(
            f"{what} needs matplotlib: pip install 'stratoperf[plot]'"
        ) from error


def _drawable(history: History) -> list[Trend]:
    trends = [trend for trend in history.trends if trend.values]
    if not trends:
        raise InvalidParameter("history: no trend has a value, so there is nothing to draw")
    return trends


def _size(panels: int) -> tuple[float, float]:
    columns, rows = _grid(panels)
    return _WIDTH * columns, _PANEL * rows + 0.6


def _grid(panels: int) -> tuple[int, int]:
    columns = 1 if panels <= _LONGEST_COLUMN else 2
    return columns, math.ceil(panels / columns)


def _draw(history: History, trends: list[Trend], figure: Figure) -> Figure:
    columns, rows = _grid(len(trends))
    several = len({trend.machine for trend in trends}) > 1
    title = f"{history.source}: {history.runs} runs, {history.statistic}"
    figure.suptitle(figure_label(title))
    for number, trend in enumerate(trends, start=1):
        _draw_trend(figure.add_subplot(rows, columns, number), trend, with_machine=several)
    return figure


def _draw_trend(axes: Axes, trend: Trend, *, with_machine: bool) -> None:
    scale, unit = scale_of(trend.values[-1], trend.unit)
    _draw_values(axes, trend, scale)
    _draw_levels(axes, trend, scale)
    about = [trend_name(trend), f"on {trend.backend}"]
    if with_machine:
        about.append(machine_text(trend))
    if trend.scatter is not None:
        about.append(f"scatter {scatter_text(trend.scatter)}")
    axes.set_title(figure_label(", ".join(about)), fontsize="medium", loc="left")
    axes.set_ylabel(figure_label(f"{trend.metric} {trend.statistic} [{unit}]"))
    _date(axes, trend)
    axes.grid(axis="y", color="#e5e5e5", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)


def _draw_values(axes: Axes, trend: Trend, scale: float) -> None:
    for place, moment in enumerate(trend.moments):
        estimate = moment.estimate
        if estimate is None:
            # In the coordinates of the axes: a gap has no value.
            axes.plot(
                place, 0.03, marker="x", color=_GAP, transform=axes.get_xaxis_transform(), zorder=3
            )
            continue
        low = estimate.value if estimate.low is None else estimate.low
        high = estimate.value if estimate.high is None else estimate.high
        axes.vlines(place, low / scale, high / scale, color=_RUN, alpha=0.5, linewidth=1.2)
        axes.plot(place, estimate.value / scale, marker="o", markersize=4, color=_RUN)


def _draw_levels(axes: Axes, trend: Trend, scale: float) -> None:
    changes = trend.change_points or ()
    if not changes:
        return
    edges = [0, *(change.index for change in changes), len(trend.moments)]
    levels = [changes[0].before, *(change.after for change in changes)]
    for (start, end), level in zip(itertools.pairwise(edges), levels, strict=True):
        axes.hlines(level / scale, start - 0.5, end - 0.5, color=_LEVEL, linewidth=1.2)
    for change in changes:
        color = _SLOWER if change.ratio >= 1 else _FASTER
        axes.axvline(change.index - 0.5, color=color, linestyle="--", linewidth=1.2)
        axes.annotate(
            f" {change.created[:10]}: {ratio_text(change.ratio)}",
            (change.index - 0.5, 1.0),
            xycoords=axes.get_xaxis_transform(),
            color=color,
            fontsize="small",
            verticalalignment="top",
        )


def _date(axes: Axes, trend: Trend) -> None:
    """Label some runs with their date; they stand evenly, as change points see them."""
    count = len(trend.moments)
    places = list(range(0, count, math.ceil(count / _DATES)))
    days = {moment.created[:10] for moment in trend.moments}
    texts = [trend.moments[place].created for place in places]
    one_day = len(days) == 1
    axes.set_xticks(places, [text[11:19] if one_day else text[:10] for text in texts])
    axes.set_xlim(-0.7, count - 0.3)
    if one_day:
        axes.set_xlabel(f"runs of {days.pop()}, UTC")
