"""The result of matching."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stratoperf.arguments import whole_number
from stratoperf.errors import InvalidParameter
from stratoperf.stratoswarm.synthesis.encoding import decode
from stratoperf.stratoswarm.synthesis.pattern import Pattern
from stratoperf.stratoswarm.synthesis.table import NodeTable


@dataclass(frozen=True, eq=False, repr=False)
class Matches:
    """All hits of some patterns in a table, and the work it took. The arrays are read-only.

    Attributes
    ----------
    table, patterns
        What was compared.
    begin
        uint64, one element a pattern and one more: the hits of pattern p are those from
        ``begin[p]`` to ``begin[p + 1]``.
    node
        uint32: the row of each hit, ascending for each pattern.
    comparisons
        Comparisons of a pattern's node with a node that were evaluated: operations. Type, value and
        child count of the two are one comparison; what fits any node takes none.
    avoided
        Comparisons of a pattern's first node that an index of the types made needless.
    """

    table: NodeTable
    patterns: tuple[Pattern, ...]
    begin: npt.NDArray[np.uint64]
    node: npt.NDArray[np.uint32]
    comparisons: int
    avoided: int

    @property
    def pattern(self) -> npt.NDArray[np.uint32]:
        """The pattern of each hit (uint32), ascending."""
        counts = np.diff(self.begin).astype(np.int64)
        return np.repeat(np.arange(len(self.patterns), dtype=np.uint32), counts)

    def __len__(self) -> int:
        return len(self.node)

    def of(self, pattern: int) -> npt.NDArray[np.uint32]:
        """Return the rows where a pattern matches (uint32)."""
        pattern = whole_number("pattern", pattern, 0, len(self.patterns) - 1)
        return self.node[int(self.begin[pattern]) : int(self.begin[pattern + 1])]

    def bindings(self, hit: int) -> dict[str, str | list[str]]:
        """Return the source that each placeholder stands for in a hit, by name.

        A ``$...name`` stands for a list. `expand` takes these.

        Raises
        ------
        InvalidParameter
            When the hit does not exist.
        """
        hit = whole_number("hit", hit, 0, len(self) - 1) if len(self) else _no_hit(hit)
        number = int(np.searchsorted(self.begin, hit, side="right")) - 1
        pattern = self.patterns[number]
        bound = pattern.bind(self.table, int(self.node[hit]))
        rests = {node.rest_name for node in pattern.nodes()}
        kinds = {node.name: node.kind for node in pattern.nodes() if node.by_value}
        sources: dict[str, str | list[str]] = {}
        for name, binding in bound.items():
            if isinstance(binding, int):
                sources[name] = _written(kinds[name], self.table.vocabulary.values[binding])
            elif name in rests:
                sources[name] = [decode(self.table, row) for row in binding]
            else:
                sources[name] = decode(self.table, binding[0])
        return sources

    def sources(self) -> Iterator[str]:
        """Yield the source of each hit."""
        for row in self.node.tolist():
            yield decode(self.table, row)

    def difference(self, other: Matches) -> str | None:
        """Return what differs from other matches, in words; ``None`` when nothing does."""
        for name in ("begin", "node"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine.shape != theirs.shape:
                return f"{name}: {len(mine)} elements against {len(theirs)}"
            if not np.array_equal(mine, theirs):
                at = int(np.argmax(mine != theirs))
                return f"{name}[{at}]: {mine[at]} against {theirs[at]}"
        if self.comparisons != other.comparisons:
            return f"comparisons: {self.comparisons} against {other.comparisons}"
        return None

    def __repr__(self) -> str:
        return (
            f"<Matches: {len(self)} hits of {len(self.patterns)} patterns in {len(self.table)} "
            f"nodes; {self.comparisons} comparisons>"
        )


def _written(kind: str | None, value: object) -> str:
    """Return how an identifier is written: an alias with both names, others by their name alone."""
    if not isinstance(value, tuple):
        return str(value)
    return " as ".join(value) if kind == "alias" else str(value[0])


def _no_hit(hit: object) -> int:
    raise InvalidParameter(f"hit: there are no hits, got {hit!r}")
