"""Random tables and patterns over few types and values, so that much matches; some statements."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf.stratoswarm.synthesis import ANY, NodeTable, Pattern, Vocabulary
from stratoperf.stratoswarm.synthesis.table import NONE
from stratoperf.stratoswarm.synthesis.wildcards import AtLeast

KINDS = [f"kind{number}" for number in range(4)]
VALUES = 4
NAMES = [None, None, "a", "b", "_"]

# Places for `f(...)`, and what a placeholder in it can stand for besides an expression.
STATEMENTS = [
    "g(f(a))", "h = f(a)", "b[f(a)]", "b[1, f(a)]", "with f(a): pass", "with f(a) as b, f(c): pass",
    "for i in f(a): pass", "f(a)", "f(*a)", "f(a) + f(b)", "f(a).b", "f(f(a))", "f(a)(b)",
    "class A(f(a), k=f(b)): pass", "g(f(a), k=f(b), **f(c))", "[f(a) for b in f(c) if f(d)]",
    "(f(a) for b in c)", "g(f(a) for b in c)", "lambda: f(a)", "@f(a)\ndef g(b=f(c)): pass",
    "def g() -> f(a): return f(b)", "def g():\n  yield f(a)\n  yield from f(b)",
    "assert f(a), f(b)",
    "try: a\nexcept f(b): c", "{**f(a), f(b): f(c)}", "{f(a)}", "b: f(a) = f(c)", "b += f(a)",
    "raise f(a) from f(b)", "while f(a): pass", "(b := f(a))", "f(a) if f(b) else f(c)",
    "-f(a) ** f(b)",
    "not f(a) < f(b)", "print(*f(a))", "b[f(a):f(c)]", "a[b:c]", "f'{f(a)}'", "del f(a).b, c[f(d)]",
    "async def g(): await f(a)", "match f(a):\n case b if f(c): pass", "import a", "import a as b",
    "def f(a): pass", "if f(a): f(b)", "f(a and b)", "f((a, b))", "f((yield))", "f(lambda: a)",
]  # fmt: skip


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
