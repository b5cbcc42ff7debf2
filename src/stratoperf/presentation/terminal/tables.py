"""Tables: as wide as the terminal allows, and aligned columns of plain text in a pipe.

A pipe gets the widest form, unless the user set ``COLUMNS``. What a terminal is too narrow for is
left out or rearranged, never cut: a number stays whole and beside its unit. In this order, until
the table fits:

1. the compact form, where there is one;
2. names are shortened, to 20 columns at least, with a ``…`` where something is missing;
3. columns are left out, those with the highest `Column.drop` first; a line below the table names
   them;
4. the table is split by its first column (`print_grouped`), whose cells become headings;
5. each row becomes a record: what tells it from the others, and below it the facts.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.text import Text

from stratoperf.presentation.terminal.fitting import MARK, filled, fitted_name, words_of
from stratoperf.presentation.terminal.screen import Screen
from stratoperf.text.units import NOTHING

GAP = "  "
LEAST_NAME = 20
"""Columns that a name keeps."""

WORTH_A_MARGIN = 40
"""Narrower terminals have no columns to spare for the margins of records."""

_NOTHINGS = ("", NOTHING)
_BEFORE_NUMBER = re.compile(r" (?=[-+±>\[?0-9])")


class Cell(NamedTuple):
    """A text and its color."""

    text: str
    style: str = ""


class Column(NamedTuple):
    """A column of a table.

    Attributes
    ----------
    title
        Its name.
    right
        Whether the cells stand at its right edge, as numbers do.
    key
        Whether it tells rows apart: it heads the record that a row becomes.
    name
        Whether the cells are names, which may be shortened.
    drop
        Where the terminal is narrow, the column with the highest number gives way first; one with
        0 stays.
    """

    title: str
    right: bool = False
    key: bool = False
    name: bool = False
    drop: int = 0


@dataclasses.dataclass(frozen=True)
class Table:
    """Columns, and rows with a cell for each of them."""

    columns: Sequence[Column]
    rows: Sequence[Sequence[Cell]]

    def without(self, left_out: Sequence[int]) -> Table:
        """Return the table without the columns of these numbers."""
        kept = [number for number in range(len(self.columns)) if number not in left_out]
        return Table(
            [self.columns[number] for number in kept],
            [[row[number] for number in kept] for row in self.rows],
        )

    def shown(self, screen: Screen) -> Table:
        """Return the table with its texts as the output can show them."""
        return Table(
            [column._replace(title=screen.shown(column.title)) for column in self.columns],
            [[cell._replace(text=screen.shown(cell.text)) for cell in row] for row in self.rows],
        )

    @property
    def empty_columns(self) -> list[int]:
        """The numbers of the columns without content."""
        return [
            number
            for number in range(len(self.columns))
            if self.rows and all(row[number].text in _NOTHINGS for row in self.rows)
        ]

    @property
    def widths(self) -> list[int]:
        """The width of each column."""
        cells = zip(*self.rows, strict=True) if self.rows else [()] * len(self.columns)
        return [
            max(cell_len(text) for text in (column.title, *(cell.text for cell in own)))
            for column, own in zip(self.columns, cells, strict=True)
        ]

    @property
    def width(self) -> int:
        """The width of a line."""
        return sum(self.widths) + len(GAP) * (len(self.columns) - 1)


def print_table(screen: Screen, *forms: Table) -> None:
    """Print a table; without limits the first form, and no cell is wrapped or cut.

    Parameters
    ----------
    screen
        Where to.
    forms
        The same table, from its widest form to its most compact. The first that fits is printed.
    """
    if not screen.is_narrow:
        _print_lines(screen, forms[0].shown(screen))
        return
    shown = _shown(screen, forms)
    for table in shown:
        if table.width <= screen.width:
            _print_lines(screen, table)
            return
    smaller = _fitting(screen, shown[-1])
    if smaller is None:
        _print_records(screen, shown[-1])
    else:
        left_out, table = smaller
        _print_lines(screen, table)
        _tell(screen, [shown[-1].columns[number].title for number in left_out])


def print_grouped(screen: Screen, *forms: Table) -> None:
    """Print a table, or one for each text of its first column where the terminal is narrow."""
    names = list(dict.fromkeys(row[0].text for row in forms[0].rows))
    shown = _shown(screen, forms)
    fits = any(table.width <= screen.width for table in shown) or _fitting(screen, shown[-1])
    if not screen.is_narrow or len(names) < 2 or fits:
        print_table(screen, *forms)
        return
    for name in names:
        screen.heading(name)
        parts = (
            Table(form.columns, [row for row in form.rows if row[0].text == name]) for form in forms
        )
        print_table(screen, *(part.without([0]) for part in parts))


def _shown(screen: Screen, forms: Sequence[Table]) -> list[Table]:
    """Return tables with the texts that the output can show, without columns that say nothing."""
    shown = (form.shown(screen) for form in forms)
    return [table.without(table.empty_columns) for table in shown]


def _fitting(screen: Screen, table: Table) -> tuple[list[int], Table] | None:
    """Return a table that fits, and the numbers of the columns that it lacks."""
    for left_out, smaller in _narrower(screen, table):
        if smaller.width <= screen.width:
            return left_out, smaller
    return None


def _narrower(screen: Screen, table: Table) -> Iterator[tuple[list[int], Table]]:
    """Yield what may fit instead of a table, and the numbers of the columns that are left out."""
    order = sorted(
        (number for number, column in enumerate(table.columns) if column.drop),
        key=lambda number: -table.columns[number].drop,
    )
    for count in range(len(order) + 1):
        left_out = sorted(order[:count])
        smaller = table.without(left_out)
        yield left_out, smaller
        yield left_out, _with_short_names(screen, smaller)


def _with_short_names(screen: Screen, table: Table) -> Table:
    """Return a table with names just short enough, unless two of them would look the same."""
    widths = table.widths
    names = {number for number, column in enumerate(table.columns) if column.name}
    room = screen.width - (table.width - sum(widths[number] for number in names))
    longest = max((widths[number] for number in names), default=0)
    limit = longest
    while limit > LEAST_NAME and sum(min(widths[number], limit) for number in names) > room:
        limit -= 1
    mark = screen.shown(MARK)
    rows = [
        [
            cell._replace(text=fitted_name(cell.text, limit, mark)) if number in names else cell
            for number, cell in enumerate(row)
        ]
        for row in table.rows
    ]
    for number in names:
        before, after = ({row[number].text for row in some} for some in (table.rows, rows))
        if len(after) < len(before):
            return table
    return Table(table.columns, rows)


def _print_lines(screen: Screen, table: Table) -> None:
    titles = [Cell(column.title, "bold") for column in table.columns]
    widths = table.widths
    for row in (titles, *table.rows):
        line = Text()
        for cell, width, column in zip(row, widths, table.columns, strict=True):
            space = " " * (width - cell_len(cell.text))
            line.append(space if column.right else "")
            line.append(cell.text, cell.style)
            line.append(GAP if column.right else f"{space}{GAP}")
        line.rstrip()
        screen.console.print(line if screen.fancy else Text(line.plain), soft_wrap=True)
        if row is titles and screen.fancy:
            screen.line("─" * table.width, "dim")


def _tell(screen: Screen, titles: Sequence[str]) -> None:
    if titles:
        room = screen.width - len("  ;")
        names = ", ".join(fitted_name(title, room, screen.shown(MARK)) for title in titles)
        wider = "a wider terminal, a pipe" if screen.fancy else "a larger COLUMNS"
        text = f"left out: {names}; use {wider} or --json to see all"
        screen.paragraph(text, "dim", indent="  ")


def _print_records(screen: Screen, table: Table) -> None:
    margin = _margin(screen)
    for number, row in enumerate(table.rows):
        if number and not margin:
            screen.line()
        cells = [
            (column, cell)
            for column, cell in zip(table.columns, row, strict=True)
            if cell.text not in _NOTHINGS
        ]
        heads = [_words(screen, column, cell) for column, cell in cells if column.key]
        for line in _lines(screen, heads, "", margin):
            screen.console.print(Text(line, "bold"), soft_wrap=True)
        facts = [_words(screen, column, cell) for column, cell in cells if not column.key]
        for line in _lines(screen, facts, margin, 2 * margin):
            text = Text(line)
            for column, cell in cells:
                if cell.style and not column.key:
                    text.highlight_regex(re.escape(cell.text), cell.style)
            screen.console.print(text, soft_wrap=True)


def _margin(screen: Screen) -> str:
    return "" if screen.width < WORTH_A_MARGIN else "  "


def _words(screen: Screen, column: Column, cell: Cell) -> list[str]:
    """Return a title and a text in pieces that stay whole: names are shortened, numbers are not.

    What tells rows apart and is not a number needs no title, as the name of a benchmark.
    """
    mark = screen.shown(MARK)
    room = screen.width - 2 * len(_margin(screen)) - len(",")
    title = [fitted_name(word, room, mark) for word in column.title.split()]
    if column.key and not column.right:
        title = []
    if column.right and not column.name:
        return [*title, *_BEFORE_NUMBER.split(cell.text)]
    return [*title, *(fitted_name(word, room, mark) for word in words_of(cell.text))]


def _lines(screen: Screen, facts: Sequence[list[str]], margin: str, indent: str) -> list[str]:
    """Return facts with commas between them, on as few lines as their words allow."""
    parts: list[str] = []
    for words in (*([*words[:-1], f"{words[-1]},"] for words in facts[:-1]), *facts[-1:]):
        fact = " ".join(words)
        parts += [fact] if cell_len(indent + fact) <= screen.width else words
    return filled(parts, screen.width, margin, indent)
