"""A seeded corpus and seeded patterns: the same on every machine and every version of Python."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from stratoperf.arguments import whole_number
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.stratoswarm.synthesis.pattern import Pattern
from stratoperf.stratoswarm.synthesis.table import COLUMNS, MAX_NODES, NONE, NodeTable
from stratoperf.stratoswarm.synthesis.vocabulary import Vocabulary
from stratoperf.stratoswarm.synthesis.wildcards import ANY

KINDS = 64
"""Types of nodes; those from `LEAVES` on have no children."""
LEAVES = 28
VALUES = 1024

LEVELS = {"simple": 1, "medium": 2, "complex": 3}
"""Levels of complexity, and how deep their patterns go."""

PATTERNS = 64
NODES = 65_536

# One pattern in this many leaves the value of its first node open, as one with a placeholder for a
# name does.
OPEN_VALUE_EVERY = 4
# Of a node's children this many, at the most, have patterns below the first node.
MOST_CHILDREN = 2
# Number of nodes for each root, about the size of a small function.
NODES_PER_ROOT = 64


class _Draws:
    """Uniform numbers from the raw output of PCG64 (O'Neill 2014), which no version changes.

    NumPy keeps the raw streams of its bit generators stable, but not its distributions.
    """

    def __init__(self, seed: int) -> None:
        self._generator = np.random.PCG64(whole_number("seed", seed, 0, 2**63 - 1))

    def below(self, bound: int, size: int) -> npt.NDArray[np.int64]:
        """Return `size` integers of 0 to bound - 1, with a bias under bound / 2^32."""
        words = np.asarray(self._generator.random_raw(size), np.uint64) >> np.uint64(32)
        scaled: npt.NDArray[np.int64] = (words * np.uint64(bound) >> np.uint64(32)).astype(np.int64)
        return scaled


def corpus(nodes: int = NODES, seed: int = 0) -> NodeTable:
    """Return trees with `nodes` nodes together.

    A few types and values are common and most are rare, as in programs, and how many children a
    node has depends on its type.

    Parameters
    ----------
    nodes
        1 or more.
    seed
        The same arguments give the same table.

    Raises
    ------
    InvalidParameter
        For an argument out of range.
    """
    nodes = whole_number("nodes", nodes, 1, MAX_NODES - 1)
    draws = _Draws(seed)
    # The smaller of two draws: low numbers are common.
    kind = np.minimum(draws.below(KINDS, nodes), draws.below(KINDS, nodes))
    # Most nodes must be leaves, or the trees would never end.
    leaf = draws.below(100, nodes) < 52
    kind = np.where(leaf, LEAVES + kind % (KINDS - LEAVES), kind % LEAVES)
    value = np.minimum(draws.below(VALUES, nodes), draws.below(VALUES, nodes))
    wanted = np.where(leaf, 0, 1 + kind % 3 + (draws.below(8, nodes) == 0))
    count, first_child, parent = _grow(wanted, max(1, nodes // NODES_PER_ROOT))
    vocabulary = Vocabulary(f"kind{number}" for number in range(KINDS))
    for number in range(1, VALUES):
        vocabulary.value_id(number, add=True)
    layouts = [vocabulary.layout_id((size,), add=True) for size in range(int(count.max()) + 1)]
    columns = (kind, value, count, first_child, parent, np.array(layouts)[count])
    return NodeTable.of([column.astype(np.uint32) for column in columns], vocabulary)


def repeated(table: NodeTable, times: int) -> NodeTable:
    """Return a table that repeats the trees of another one.

    Large tables are made in seconds that way.

    Raises
    ------
    InvalidParameter
        When the result would be too large.
    """
    times = whole_number("times", times, 1, max(1, (MAX_NODES - 1) // max(1, len(table))))
    start = np.repeat(np.arange(times, dtype=np.uint32) * np.uint32(len(table)), len(table))
    columns = {name: np.tile(getattr(table, name), times) for name in COLUMNS}
    columns["first_child"] += start
    columns["parent"] += np.where(columns["parent"] == NONE, np.uint32(0), start)
    return NodeTable.of([columns[name] for name in COLUMNS], table.vocabulary)


def _grow(
    wanted: npt.NDArray[np.int64], roots: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return count, first_child and parent of trees in level order.

    A node for whose children there is no room gets none; where a level ends everything, new roots
    begin.
    """
    nodes = len(wanted)
    count = wanted.copy()
    first_child = np.zeros(nodes, np.int64)
    parent = np.full(nodes, NONE, np.int64)
    begin, end = 0, min(roots, nodes)
    while begin < nodes:
        offsets = end + np.cumsum(count[begin:end])
        count[begin:end][offsets > nodes] = 0
        first_child[begin:end] = end + np.cumsum(count[begin:end]) - count[begin:end]
        made = int(count[begin:end].sum())
        parent[end : end + made] = np.repeat(np.arange(begin, end), count[begin:end])
        new_roots = min(roots, nodes - end) if made == 0 else 0
        begin, end = end, end + made + new_roots
    return count, first_child, parent


def patterns(
    level: str, table: NodeTable, count: int = PATTERNS, seed: int = 0
) -> tuple[Pattern, ...]:
    """Return patterns drawn from the nodes of a table, so that each matches somewhere.

    Parameters
    ----------
    level
        ``"simple"``: one node by type, value and child count; in one of four the value is open.
        ``"medium"``: also up to two of its children. ``"complex"``: also up to two of each of
        theirs. Below the first node the value, the child count or both are open now and then.
    table
        With at least one node that has children.
    count
        How many, 1 or more.
    seed
        The same arguments give the same patterns.

    Raises
    ------
    InvalidParameter
        For an unknown level, or an argument out of range.
    """
    if level not in LEVELS:
        raise InvalidParameter(f"level: {level!r} is unknown; {did_you_mean(str(level), LEVELS)}")
    count = whole_number("count", count, 1, MAX_NODES)
    depth = LEVELS[level]
    inner = np.flatnonzero(table.count > 0) if depth > 1 else np.arange(len(table))
    if len(inner) == 0:
        raise InvalidParameter(f"table: level {level!r} needs a node with children, got none")
    draws = _Draws(seed)
    return tuple(
        _drawn(table, int(row), depth, draws, open_value=number % OPEN_VALUE_EVERY == 3, root=True)
        for number, row in enumerate(inner[draws.below(len(inner), count)])
    )


def _drawn(
    table: NodeTable, row: int, depth: int, draws: _Draws, *, open_value: bool, root: bool = False
) -> Pattern:
    kind, value = table.describe(row)
    open_count = not root and bool(draws.below(4, 1)[0] == 0)
    children: list[Pattern] = []
    if depth > 1:
        for child in table.children(row)[:MOST_CHILDREN]:
            draw = int(draws.below(2, 1)[0])
            children.append(_drawn(table, child, depth - 1, draws, open_value=draw == 0))
    return Pattern(
        kind=kind,
        value=ANY if open_value else value,
        count=None if open_count else int(table.count[row]),
        children=tuple(children),
    )
