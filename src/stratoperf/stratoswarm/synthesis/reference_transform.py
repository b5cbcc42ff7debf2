"""The reference for rewriting: trees of Python objects, node by node."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stratoperf.stratoswarm.synthesis import reference
from stratoperf.stratoswarm.synthesis.pattern import Binding, Pattern
from stratoperf.stratoswarm.synthesis.places import is_free
from stratoperf.stratoswarm.synthesis.replacement import filled_layout, is_statement
from stratoperf.stratoswarm.synthesis.table import COLUMNS, NONE, NodeTable
from stratoperf.stratoswarm.synthesis.vocabulary import layout_entries, layout_of
from stratoperf.stratoswarm.synthesis.wildcards import AtLeast


@dataclass
class Tree:
    """A node with the nodes below it."""

    kind: str
    value: object
    entries: list[int | list[bool]]
    children: list[Tree]


def transform(table: NodeTable, pattern: Pattern, template: Pattern) -> NodeTable:
    """Return a table with what `pattern` matches replaced; see `Transformer`."""
    (rows,), _ = reference.match(table, [pattern], screened=True)
    replaced = {row for row in rows if is_free(table, row)}
    rewriter = _Rewriter(table, pattern, template, replaced)
    ranges = table.tree_ranges()
    writer = _Writer(table)
    for number, root in enumerate(table.roots.tolist()):
        if ranges is not None and replaced.isdisjoint(ranges[number]):
            writer.copy(ranges[number])
        else:
            writer.write(rewriter.tree(root))
    return writer.table()


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
            entries = filled_layout(node.layout or (), len(binding) - keywords, keywords)
            children[node.rest : node.rest] = [self.tree(row) for row in binding]
        return Tree(node.kind or "Name", value, entries, children)


class _Writer:
    """Writes trees one after the other, level by level."""

    def __init__(self, old: NodeTable) -> None:
        self.old = old
        self.parts: list[npt.NDArray[np.uint32]] = []
        self.size = 0

    def copy(self, rows: range) -> None:
        """Append a tree of the old table."""
        part = np.stack([getattr(self.old, name)[rows.start : rows.stop] for name in COLUMNS])
        shift = self.size - rows.start
        part[3] = (part[3].astype(np.int64) + shift).astype(np.uint32)
        part[4, 1:] = (part[4, 1:].astype(np.int64) + shift).astype(np.uint32)
        self._append(part)

    def write(self, root: Tree) -> None:
        """Append a new tree."""
        vocabulary = self.old.vocabulary
        queue = [(root, NONE)]
        rows: list[list[int]] = []
        for number, (tree, parent) in enumerate(queue):
            first_child = self.size + len(queue)
            queue += [(child, self.size + number) for child in tree.children]
            kind = vocabulary.kind_id(tree.kind)
            value = vocabulary.value_id(tree.value, add=True)
            layout = vocabulary.layout_id(layout_of(tree.entries), add=True)
            assert kind is not None
            assert value is not None
            assert layout is not None
            rows.append([kind, value, len(tree.children), first_child, parent, layout])
        self._append(np.array(rows, np.uint32).T)

    def _append(self, part: npt.NDArray[np.uint32]) -> None:
        self.parts.append(part)
        self.size += part.shape[1]

    def table(self) -> NodeTable:
        """Return all that was appended."""
        columns = np.concatenate(self.parts, axis=1)
        return NodeTable.of(map(np.ascontiguousarray, columns), self.old.vocabulary)
