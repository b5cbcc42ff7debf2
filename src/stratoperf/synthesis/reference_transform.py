"""The reference for rewriting: trees of Python objects, node by node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from stratoperf.synthesis import reference
from stratoperf.synthesis.pattern import AtLeast, Binding, Pattern
from stratoperf.synthesis.places import is_free
from stratoperf.synthesis.replacement import filled_layout, is_statement
from stratoperf.synthesis.table import NONE, NodeTable
from stratoperf.synthesis.vocabulary import layout_entries, layout_of


@dataclass
class Tree:
    """A node with the nodes below it."""

    kind: str
    value: object
    entries: list[int | list[bool]]
    children: list[Tree]


def transform(table: NodeTable, pattern: Pattern, template: Pattern) -> NodeTable:
    """Return a table with what `pattern` matches replaced; see `Transformer`."""
    (rows,), _ = reference.match(table, [pattern])
    rewriter = _Rewriter(table, pattern, template, {row for row in rows if is_free(table, row)})
    return _table([rewriter.tree(row) for row in table.roots.tolist()], table)


class _Rewriter:
    def __init__(
        self, table: NodeTable, pattern: Pattern, template: Pattern, rows: set[int]
    ) -> None:
        self.table = table
        self.pattern = pattern
        self.template = template
        self.rows = rows
        self.layouts = table.vocabulary.layouts
        self.statements = {node.name for node in pattern.nodes() if node.is_statement}

    def tree(self, row: int) -> Tree:
        """Return what stands for a row in the result."""
        if row in self.rows:
            bound = self.pattern.bind(self.table, row)
            return self._filled(self.template, bound, as_statement=is_statement(self.pattern))
        kind, value = self.table.describe(row)
        entries = layout_entries(self.layouts[self.table.layout[row]])
        return Tree(kind, value, entries, [self.tree(child) for child in self.table.children(row)])

    def _filled(
        self, node: Pattern, bound: dict[str, Binding], *, as_statement: bool = False
    ) -> Tree:
        if as_statement and not (is_statement(node) or node.name in self.statements):
            return Tree("Expr", None, [1], [self._filled(node, bound)])
        if node.name is not None and not node.by_value:
            binding = bound[node.name]
            if isinstance(binding, int):
                return Tree("Name", self.table.vocabulary.values[binding], [], [])
            return self.tree(binding[0])
        value = node.value
        if node.name is not None:
            binding = bound[node.name]
            assert isinstance(binding, int)
            value = self.table.vocabulary.values[binding]
        children = [
            self._filled(child, bound, as_statement=child.is_statement) for child in node.children
        ]
        entries = [
            list(entry) if isinstance(entry, tuple) else entry
            for entry in node.layout or ()
            if not isinstance(entry, AtLeast)
        ]
        if node.rest is not None and node.rest_name is not None:
            binding = bound[node.rest_name]
            assert isinstance(binding, range)
            # What a node in the list is, counts before it is replaced: a keyword stays one.
            keywords = sum(self.table.describe(row)[0] == "keyword" for row in binding)
            filled = filled_layout(node.layout or (), len(binding) - keywords, keywords)
            assert filled is not None, "the arguments were checked when the template was compiled"
            entries = filled
            children[node.rest : node.rest] = [self.tree(row) for row in binding]
        return Tree(node.kind or "Name", value, entries, children)


def _table(roots: list[Tree], old: NodeTable) -> NodeTable:
    vocabulary = old.vocabulary
    rows: list[list[int]] = []
    for root in roots:
        queue = [(root, NONE)]
        base = len(rows)
        for number, (tree, parent) in enumerate(queue):
            first_child = base + len(queue)
            queue += [(child, base + number) for child in tree.children]
            kind = vocabulary.kind_id(tree.kind)
            value = vocabulary.value_id(tree.value, add=True)
            layout = vocabulary.layout_id(layout_of(tree.entries), add=True)
            assert kind is not None
            assert value is not None
            assert layout is not None
            rows.append([kind, value, len(tree.children), first_child, parent, layout])
    columns = np.array(rows, np.uint32).reshape(-1, 6).T
    return NodeTable(*(np.ascontiguousarray(column) for column in columns), vocabulary)
