"""Patterns in the form that the native loops and devices read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from stratoperf.stratoswarm.synthesis.pattern import Pattern
from stratoperf.stratoswarm.synthesis.vocabulary import Vocabulary, layout_of
from stratoperf.stratoswarm.synthesis.wildcards import ANY, AtLeast, Entry

if TYPE_CHECKING:
    from stratoperf.stratoswarm.synthesis.table import NodeTable

# As in cpp/stratoswarm/synthesis/rules.hpp.
ANY_ID = 0xFFFF_FFFF
ABSENT = 0xFFFF_FFFE
NO_NODE = 0xFFFF_FFFF
FROM_END = 0x8000_0000
LAYOUT_SET = 0x8000_0000
SAME_VALUE = 0x8000_0000

_Column: TypeAlias = npt.NDArray[np.uint32]


class CompiledPatterns(NamedTuple):
    """Patterns as arrays of uint32.

    Attributes
    ----------
    nodes
        Flat rows of seven: type, value and child count (`ANY_ID` for any, `ABSENT` for what no
        node has), parent within the pattern, child of it (`FROM_END`: counted from the last),
        layout (`LAYOUT_SET`: a row of `layout_sets`), and the node whose tree must be equal
        (`SAME_VALUE`: whose value must be).
    begin
        The nodes of pattern p are those from ``begin[p]`` to ``begin[p + 1]``.
    layout_sets
        Flat rows of `layout_words`: a bit for each layout.
    layout_words
        Words in a row of `layout_sets`.
    needs_subtrees
        Whether whole trees are compared.
    places
        For each pattern, the place of each of its nodes, numbered in the order of
        `Pattern.nodes`; those that fit anything are not kept and have none.
    """

    nodes: npt.NDArray[np.uint32]
    begin: npt.NDArray[np.uint32]
    layout_sets: npt.NDArray[np.uint32]
    layout_words: int
    needs_subtrees: bool
    places: tuple[dict[int, int], ...]


def compile_patterns(patterns: Sequence[Pattern], vocabulary: Vocabulary) -> CompiledPatterns:
    """Turn patterns into numbers of a vocabulary."""
    compiler = _Compiler(vocabulary)
    begin = [0]
    places = []
    for pattern in patterns:
        places.append(compiler.add(pattern))
        begin.append(len(compiler.nodes))
    words = -(-max(vocabulary.encoder.layout_count, 1) // 32)
    layout_sets = np.zeros((len(compiler.layout_rows), words), np.uint32)
    for number, fitting in enumerate(compiler.layout_rows.values()):
        for layout in fitting:
            layout_sets[number, layout // 32] |= np.uint32(1 << layout % 32)
    nodes = np.array(compiler.nodes, np.uint32).reshape(-1)
    return CompiledPatterns(
        nodes,
        np.array(begin, np.uint32),
        layout_sets.reshape(-1),
        words,
        compiler.needs_subtrees,
        tuple(places),
    )


def matched_columns(table: NodeTable) -> tuple[_Column, _Column, _Column, _Column, _Column]:
    """Return the columns of a table that native matching reads, in its order."""
    return table.kind, table.value, table.count, table.first_child, table.layout


class _Compiler:
    def __init__(self, vocabulary: Vocabulary) -> None:
        self.vocabulary = vocabulary
        self.nodes: list[tuple[int, ...]] = []
        self.layout_rows: dict[tuple[Entry, ...], list[int]] = {}
        self.needs_subtrees = False

    def add(self, pattern: Pattern) -> dict[int, int]:
        """Append a pattern; return the place of each of its nodes that is kept."""
        names = [node.name for node in pattern.nodes()]
        repeated = {name for name in names if name is not None and names.count(name) > 1} - {"_"}
        first_of: dict[str, tuple[int, bool]] = {}
        places: dict[int, int] = {}
        start = len(self.nodes)

        def visit(node: Pattern, number: int, parent: int, child: int) -> None:
            place = len(self.nodes) - start
            places[number] = place
            same = NO_NODE
            if node.name in repeated and node.name is not None:
                if node.name in first_of:
                    same, other_by_value = first_of[node.name]
                    if node.by_value or other_by_value:
                        same |= SAME_VALUE
                    else:
                        self.needs_subtrees = True
                else:
                    first_of[node.name] = place, node.by_value
            self.nodes.append((*self._fields(node), parent, child, self._layout(node), same))
            before = len(node.children) if node.rest is None else node.rest
            exists = node.count is not None or node.layout is not None
            number += 1
            for position, below in enumerate(node.children):
                # Of one that is there, and of which anything fits, nothing is kept.
                if not (exists and below.matches_any and below.name not in repeated):
                    last = len(node.children) - 1 - position
                    from_start = position < before
                    visit(below, number, place, position if from_start else FROM_END | last)
                number += sum(1 for _ in below.nodes())

        visit(pattern, 0, NO_NODE, 0)
        return places

    def _fields(self, node: Pattern) -> tuple[int, int, int]:
        kind = ANY_ID if node.kind is None else self._known(self.vocabulary.kind_id(node.kind))
        value = ANY_ID if node.value is ANY else self._known(self.vocabulary.value_id(node.value))
        return kind, value, ANY_ID if node.count is None else node.count

    def _layout(self, node: Pattern) -> int:
        entries = node.layout
        if entries is None:
            return ANY_ID
        if not any(isinstance(entry, AtLeast) for entry in entries):
            plain = [list(entry) if isinstance(entry, tuple) else entry for entry in entries]
            exact = [entry for entry in plain if not isinstance(entry, AtLeast)]
            return self._known(self.vocabulary.layout_id(layout_of(exact)))
        if entries not in self.layout_rows:
            self.layout_rows[entries] = [
                number
                for number, layout in enumerate(self.vocabulary.layouts)
                if node.layout_fits(layout)
            ]
        return LAYOUT_SET | list(self.layout_rows).index(entries)

    @staticmethod
    def _known(number: int | None) -> int:
        return ABSENT if number is None else number
