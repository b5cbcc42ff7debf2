"""Tables: framed by rich in a terminal, aligned columns of plain text in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich import box
from rich.cells import cell_len
from rich.table import Table
from rich.text import Text

from stratoperf.cli.screen import Screen

GAP = "  "


class Cell(NamedTuple):
    """A text and how it looks in color."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A title, whether the cells stand at its right edge, and whether they are never wrapped."""

    title: str
    right: bool = False
    whole: bool = False


def fits(screen: Screen, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> bool:
    """Tell whether a framed table is no wider than the terminal."""
    return sum(_widths(screen, columns, rows)) + len(GAP) * len(columns) <= screen.width


def print_table(screen: Screen, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    """Print a table; in a pipe no cell is wrapped or cut."""
    if screen.fancy:
        _print_fancy(screen, columns, rows)
    else:
        _print_plain(screen, columns, rows)


def _print_fancy(screen: Screen, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    table = Table(
        box=box.SIMPLE_HEAD,
        padding=(0, 1),
        collapse_padding=True,
        pad_edge=False,
        header_style="bold",
    )
    for column in columns:
        table.add_column(
            Text(screen.shown(column.title)),
            justify="right" if column.right else "left",
            overflow="fold",
            no_wrap=column.whole,
        )
    for row in rows:
        table.add_row(*(Text(screen.shown(cell.text), style=cell.style) for cell in row))
    screen.console.print(table)


def _print_plain(screen: Screen, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> None:
    widths = _widths(screen, columns, rows)
    titles = [column.title for column in columns]
    for texts in [titles, *([cell.text for cell in row] for row in rows)]:
        padded = [
            _padded(screen.shown(text), width, column.right)
            for text, width, column in zip(texts, widths, columns, strict=True)
        ]
        screen.line(GAP.join(padded).rstrip())


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(text))
    return space + text if right else text + space


def _widths(screen: Screen, columns: Sequence[Column], rows: Sequence[Sequence[Cell]]) -> list[int]:
    return [
        max(
            [
                cell_len(screen.shown(column.title)),
                *(cell_len(screen.shown(row[number].text)) for row in rows),
            ]
        )
        for number, column in enumerate(columns)
    ]
