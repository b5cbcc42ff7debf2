"""Random tables and patterns over few types and values, so that much matches."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf.synthesis import ANY, NodeTable, Pattern, Vocabulary
from stratoperf.synthesis.pattern import AtLeast
from stratoperf.synthesis.table import NONE

KINDS = [f"kind{number}" for number in range(4)]
VALUES = 4
NAMES = [None, None, "a", "b", "_"]


def table_of(nodes: list[tuple[int, int, int, int]], roots: int = 1) -> NodeTable:
    """Build trees level by level from (type, value, child count, variant of the layout)."""
    vocabulary = Vocabulary(KINDS)
    for value in range(1, VALUES):
        vocabulary.value_id(value, add=True)
    size = len(nodes)
    rows: list[list[int]] = []
    parents = [NONE] * min(roots, size)
    for row, (kind, value, wanted, variant) in enumerate(nodes):
        if row == len(parents):
            parents.append(NONE)
        count = min(wanted, size - len(parents))
        layout = vocabulary.layout_id([(count,), (0, count)][variant], add=True)
        assert layout is not None
        rows.append([kind, value, count, len(parents), parents[row], layout])
        parents += [row] * count
    columns = np.array(rows, np.uint32).reshape(-1, 6).T
    return NodeTable.of(map(np.ascontiguousarray, columns), vocabulary)


def tables(max_size: int = 150) -> st.SearchStrategy[NodeTable]:
    """Return a strategy for tables with at least one node."""
    node = st.tuples(
        st.integers(0, 3), st.integers(0, VALUES - 1), st.integers(0, 3), st.integers(0, 1)
    )
    return st.builds(table_of, st.lists(node, min_size=1, max_size=max_size), st.integers(1, 5))


@st.composite
def patterns(draw: st.DrawFn, depth: int = 3) -> Pattern:
    """Draw a pattern with nested ones, wildcards, repeated placeholders and names of nothing."""
    children = draw(st.lists(patterns(depth - 1), max_size=3)) if depth > 1 else []
    count = draw(st.none() | st.integers(len(children), 3))
    layouts: list[Any] = [None, (3,), (0, 2), (AtLeast(1),), (0, AtLeast(0)), ((True, False),)]
    fields: dict[str, Any] = {
        "kind": draw(st.sampled_from([None, *KINDS, "missing"])),
        "value": draw(st.sampled_from([ANY, ANY, None, 1, 2, 3, "missing"])),
        "count": count,
        "children": tuple(children),
        "rest": draw(st.none() | st.integers(0, len(children))) if count is None else None,
        "layout": draw(st.sampled_from(layouts)) if not children else None,
        "name": draw(st.sampled_from(NAMES)),
        "by_value": draw(st.booleans()),
    }
    try:
        return Pattern(**fields)
    except sp.InvalidParameter:
        assume(False)
        raise
