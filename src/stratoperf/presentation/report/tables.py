"""Tables of the page, and small parts that several sections have."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from stratoperf.presentation.charts.chart import Chart, Table
from stratoperf.presentation.elements import Child, Markup, element, joined
from stratoperf.statistics import Estimate
from stratoperf.text.units import NOTHING, Scale, interval, scale_of

BAD = frozenset({"slower", "failed", "missed", "interrupted"})
GOOD = frozenset({"faster", "met"})
UNSURE = frozenset({"inconclusive"})


class Cell(NamedTuple):
    """A cell of a table: its content, and the number that it is sorted by, if it has one."""

    content: Child
    number: float | None = None


class Row(NamedTuple):
    """A row: its cells, and the class and the text that switches and the filter see."""

    cells: Sequence[Cell]
    class_: str = ""
    filtered: str | None = None


def sortable(
    caption: str, head: Sequence[str], numeric: Sequence[bool], rows: Sequence[Row]
) -> Markup:
    """Return a table whose columns the script makes sortable.

    Parameters
    ----------
    caption
        What it holds.
    head
        The titles.
    numeric
        Which columns have numbers, at the right edge.
    rows
        The first cell of each is its title.
    """
    titles = [
        element("th", title, scope="col", class_="n" if is_number else None)
        for title, is_number in zip(head, numeric, strict=True)
    ]
    body = [
        element(
            "tr",
            [_cell(n, cell, numeric[n]) for n, cell in enumerate(row.cells)],
            class_=row.class_ or None,
            data_f=row.filtered,
        )
        for row in rows
    ]
    return element(
        "div",
        element(
            "table",
            element("caption", caption),
            element("thead", element("tr", titles)),
            element("tbody", body),
            class_="sort",
        ),
        class_="wide",
        tabindex=0,
        role="region",
        aria_label=caption,
    )


def _cell(place: int, cell: Cell, is_number: bool) -> Markup:
    value = None if cell.number is None else f"{cell.number:.6g}"
    if place == 0:
        return element("th", cell.content, scope="row", data_v=value)
    return element("td", cell.content, class_="n" if is_number else None, data_v=value)


def plain_table(table: Table) -> Markup:
    """Return a table that is only read."""
    head = [element("th", title) for title in table.head]
    rows = [element("tr", [element("td", cell) for cell in row]) for row in table.rows]
    return element("table", element("tr", head), rows)


def figure(chart: Chart) -> Markup:
    """Return a chart with its title, its note and the table behind it."""
    return element(
        "figure",
        element("figcaption", chart.title),
        chart.drawing,
        element("p", chart.note, class_="note") if chart.note else None,
        element("details", element("summary", "data"), plain_table(chart.table), class_="data"),
    )


def chip(text: str) -> Markup:
    """Return a verdict or a status, colored by what it means."""
    kind = "bad" if text in BAD else "good" if text in GOOD else "unsure" if text in UNSURE else ""
    return element("span", text, class_=f"chip {kind}".strip())


def facts(pairs: Sequence[tuple[str, Child]]) -> Markup:
    """Return names with their values."""
    return element(
        "dl", [joined([element("dt", name), element("dd", value)]) for name, value in pairs]
    )


def items(texts: Sequence[str], class_: str | None = None) -> Markup | None:
    """Return a list of sentences; ``None`` for none."""
    return element("ul", [element("li", text) for text in texts], class_=class_) if texts else None


def common_scale(estimates: Sequence[Estimate | None], unit: str) -> Scale:
    """Return one scale for all rows of a column: that of the middle value."""
    values = sorted(estimate.value for estimate in estimates if estimate is not None)
    return scale_of(values[len(values) // 2], unit) if values else Scale(1.0, unit)


def in_scale(estimate: Estimate | None, scale: Scale) -> Cell:
    """Return an estimate with its interval, in the unit that its column has."""
    if estimate is None:
        return Cell(NOTHING)
    text = interval(estimate.scaled(1 / scale.divisor), "")
    value, _, bounds = text.partition(" ")
    return Cell([value, " ", element("small", bounds)], estimate.value)


def titled(name: str, scale: Scale) -> str:
    """Return the title of a column with its unit."""
    return f"{name} [{scale.unit}]" if scale.unit else name
