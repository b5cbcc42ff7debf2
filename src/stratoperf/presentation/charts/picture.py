"""A chart that stands alone: in a notebook, or in a file."""

from __future__ import annotations

import functools
import os
from importlib.resources import files
from pathlib import Path

from stratoperf.errors import InvalidParameter
from stratoperf.paths import user_path
from stratoperf.presentation.charts.chart import WIDTH, Chart, cut
from stratoperf.presentation.elements import Markup, element
from stratoperf.results.files import atomic_file, check_directory

_SUFFIX = ".svg"
_HEAD = 26.0
_SCALE = 1.4
"""A chart alone is larger than one of many on a page."""


class Picture:
    """A figure that shows itself as SVG in a notebook.

    Attributes
    ----------
    title
        What it shows, in one line.
    description
        The same for a reader who cannot see it.
    svg
        A whole SVG document.
    """

    def __init__(self, chart: Chart, title: str) -> None:
        self.title = title
        self.description = chart.description
        self.svg = _document(chart, title)

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the figure as SVG, which browsers, editors and most other programs read.

        Parameters
        ----------
        path
            Ends with ``.svg``; its directory is created if necessary.

        Returns
        -------
        pathlib.Path
            `path`.

        Raises
        ------
        InvalidParameter
            For another ending, or a directory that cannot be written to.
        StratoperfError
            When the file cannot be written.
        """
        path = user_path("path", path)
        if path.suffix.lower() != _SUFFIX:
            raise InvalidParameter(f"path: {path} must end with {_SUFFIX}")
        check_directory(path.parent, "path")
        with atomic_file(path) as file:
            file.write(self.svg.encode())
        return path

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Picture {self.title!r}: {self.description}>"


@functools.cache
def chart_css() -> str:
    """Return the looks of all charts."""
    return (files("stratoperf.presentation.charts") / "chart.css").read_text(encoding="utf-8")


def _document(chart: Chart, title: str) -> str:
    """Return a document with the title above the chart, and the note below it."""
    total = chart.height + _HEAD
    return element(
        "svg",
        element("title", title),
        element("desc", f"{chart.description} {chart.note}".strip()),
        # This program's own file, which has no `<` in it.
        element("style", Markup(chart_css())),
        element("rect", class_="k", width=WIDTH, height=total),
        element("text", cut(title, 0.85 * WIDTH), class_="T", x=12, y=18),
        element("g", chart.inner, transform=f"translate(0 {_HEAD:g})"),
        xmlns="http://www.w3.org/2000/svg",
        class_="sp-chart",
        viewBox=f"0 0 {WIDTH:g} {total:g}",
        width=_SCALE * WIDTH,
        height=_SCALE * total,
        role="img",
    ).text
