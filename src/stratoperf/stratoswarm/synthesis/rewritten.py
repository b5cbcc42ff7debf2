"""The result of a rewriting, and the outcome of each hit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stratoperf.stratoswarm.synthesis.pattern import Pattern
from stratoperf.stratoswarm.synthesis.places import is_free
from stratoperf.stratoswarm.synthesis.table import COLUMNS, NONE, NodeTable

Rows = npt.NDArray[np.uint32]


@dataclass(frozen=True, eq=False, repr=False)
class RewrittenTable(NodeTable):
    """The table that a rewriting makes, and the outcome of each match.

    Every match is in one of the three arrays, by its row in the table that was rewritten
    (one-dimensional, uint32, ascending).

    Attributes
    ----------
    replaced
        The template stands in their place.
    left_alone
        They still stand: where not every expression can stand, as in targets, in f-strings, and in
        the patterns of a match statement. The result can be rewritten in other ways there.
    dropped
        They went with a match around them: they stood in a part that the template does not keep.
    """

    replaced: Rows
    left_alone: Rows
    dropped: Rows

    def __repr__(self) -> str:
        table = super().__repr__().removeprefix("<NodeTable: ").removesuffix(">")
        counts = f"{len(self.replaced)} matches replaced, {len(self.left_alone)} left alone"
        return f"<RewrittenTable: {table}; {counts}, {len(self.dropped)} dropped>"

    @classmethod
    def with_hits(cls, table: NodeTable, hits: Hits) -> RewrittenTable:
        """Return a table with the outcomes of the hits."""
        columns = {name: getattr(table, name) for name in COLUMNS}
        return cls(**columns, vocabulary=table.vocabulary, **hits._asdict())


class Hits(NamedTuple):
    """The rows of all hits; see `RewrittenTable`."""

    replaced: Rows
    left_alone: Rows
    dropped: Rows


def free_rows(table: NodeTable, hits: Rows) -> Rows:
    """Return those of the hits that can be replaced."""
    free: Rows = hits[np.array([is_free(table, row) for row in hits.tolist()], bool)]
    return free


def sort_hits(
    table: NodeTable, pattern: Pattern, template: Pattern, hits: Rows, free: Rows
) -> Hits:
    """Return the outcome of each hit of a pattern.

    Parameters
    ----------
    table
        That is rewritten.
    pattern, template
        What is matched, and what takes its place.
    hits, free
        The rows of all hits, ascending, and of those that can be replaced.
    """
    replaceable = set(free.tolist())
    dropped: set[int] = set()
    # Parents come before their children, so what becomes of a hit around another is known.
    for row in hits.tolist():
        path = [row]
        while (parent := int(table.parent[path[-1]])) != NONE and parent not in replaceable:
            path.append(parent)
        if parent != NONE and (
            parent in dropped or not _keeps(table, pattern, template, parent, path)
        ):
            dropped.add(row)
    gone = np.isin(hits, np.array(sorted(dropped), np.uint32))
    can_be_replaced = np.isin(hits, free)
    return Hits(
        replaced=hits[can_be_replaced & ~gone],
        left_alone=hits[~can_be_replaced & ~gone],
        dropped=hits[gone],
    )


def _keeps(
    table: NodeTable, pattern: Pattern, template: Pattern, hit: int, below: list[int]
) -> bool:
    """Whether what takes the place of a hit has one of the rows below it, with all below that."""
    bound = pattern.bind(table, hit)
    kept = [bound[name] for name in template.names]
    return any(isinstance(rows, range) and row in rows for rows in kept for row in below)
