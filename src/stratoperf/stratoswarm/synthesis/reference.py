"""The reference backend: the definition of matching and rewriting in plain Python."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from stratoperf.stratoswarm.synthesis.pattern import Pattern
from stratoperf.stratoswarm.synthesis.table import NodeTable
from stratoperf.stratoswarm.synthesis.wildcards import ANY


def match(
    table: NodeTable, patterns: Sequence[Pattern], *, screened: bool = False
) -> tuple[list[list[int]], int]:
    """Return the rows where each pattern matches, and how many comparisons that took.

    Simple, correct and slow (about 1 us a comparison).

    Parameters
    ----------
    table, patterns
        What is compared.
    screened
        Let NumPy make the first comparison of each pattern with all nodes, to check large tables in
        seconds; all that follows a hit of it is still done here, node by node.
    """
    finder = _Finder(table)
    found = []
    for pattern in patterns:
        rows: Sequence[int] = range(len(table))
        if screened:
            rows = _first_hits(table, pattern)
            finder.comparisons += len(table) - len(rows)
        names = [node.name for node in pattern.nodes()]
        repeated = {name for name in names if name is not None and names.count(name) > 1} - {"_"}
        found.append([row for row in rows if finder.fits(pattern, row, repeated, {})])
    return found, finder.comparisons


def _first_hits(table: NodeTable, pattern: Pattern) -> list[int]:
    fits = np.ones(len(table), bool)
    vocabulary = table.vocabulary
    for column, wanted, number in (
        (table.kind, pattern.kind, vocabulary.kind_id(pattern.kind or "")),
        (table.value, None if pattern.value is ANY else ANY, vocabulary.value_id(pattern.value)),
        (table.count, pattern.count, pattern.count),
    ):
        if wanted is not None:
            fits &= column == (-1 if number is None else number)
    rows: list[int] = np.flatnonzero(fits).tolist()
    return rows


class _Finder:
    def __init__(self, table: NodeTable) -> None:
        self.table = table
        self.columns = [
            column.tolist() for column in (table.kind, table.value, table.count, table.layout)
        ]
        self.values = table.vocabulary.values
        self.layouts = table.vocabulary.layouts
        self.comparisons = 0

    def fits(
        self, pattern: Pattern, row: int, repeated: set[str], bound: dict[str, tuple[int, bool]]
    ) -> bool:
        """Whether a pattern matches at a row.

        Parameters
        ----------
        pattern, row
            What is compared.
        repeated
            The placeholders whose trees must be equal.
        bound
            The row that each of them stands for so far, and whether for its value; is added to.
        """
        self.comparisons += 1
        kind, value, count, layout = (column[row] for column in self.columns)
        vocabulary = self.table.vocabulary
        if pattern.kind is not None and vocabulary.kind_id(pattern.kind) != kind:
            return False
        if pattern.value is not ANY and vocabulary.value_id(pattern.value) != value:
            return False
        if pattern.count is not None and pattern.count != count:
            return False
        if not pattern.layout_fits(self.layouts[layout]):
            return False
        if pattern.name in repeated and pattern.name is not None:
            other, by_value = bound.setdefault(pattern.name, (row, pattern.by_value))
            if pattern.by_value or by_value:
                if self.columns[1][other] != value:
                    return False
            elif not self._equal(other, row):
                return False
        children = list(pattern.child_rows(self.table, row))
        exists = pattern.count is not None or pattern.layout is not None
        for child, below in children:
            # A pattern that fits any node needs no comparison.
            needless = exists and child.matches_any and child.name not in repeated
            if not needless and not self.fits(child, below, repeated, bound):
                return False
        return len(children) == len(pattern.children)

    def _equal(self, row: int, other: int) -> bool:
        """Whether two trees are equal, node by node."""
        waiting = [(row, other)]
        while waiting:
            row, other = waiting.pop()
            if any(column[row] != column[other] for column in self.columns):
                return False
            waiting += zip(self.table.children(row), self.table.children(other), strict=True)
        return True
