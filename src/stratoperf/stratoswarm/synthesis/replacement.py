"""A template in the form that the native rewriting reads, and where its placeholders are found."""

from __future__ import annotations

import ast
import dataclasses
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.stratoswarm.synthesis.compiled import CompiledPatterns
from stratoperf.stratoswarm.synthesis.pattern import Pattern
from stratoperf.stratoswarm.synthesis.schema import kind_ids, kinds
from stratoperf.stratoswarm.synthesis.vocabulary import Vocabulary, layout_of
from stratoperf.stratoswarm.synthesis.wildcards import AtLeast

# As in cpp/stratoswarm/synthesis/transform.hpp.
SLOT = 0x8000_0000
NO_SLOT = 0xFFFF_FFFF
VALUE, SELF, CHILD, CHILD_FROM_END, REST = range(5)


class Capture(NamedTuple):
    """Where a placeholder is found: see ``struct Capture``."""

    node: int
    place: int
    first: int
    last: int


def find_captures(pattern: Pattern, compiled: CompiledPatterns) -> dict[str, Capture]:
    """Return where each placeholder of the only compiled pattern is found, by name."""
    places = compiled.places[0]
    found: dict[str, Capture] = {}

    def visit(node: Pattern, number: int) -> None:
        here = places[number]
        before = len(node.children) if node.rest is None else node.rest
        if node.name is not None:
            found.setdefault(node.name, Capture(here, VALUE if node.by_value else SELF, 0, 0))
        if node.rest_name is not None:
            found.setdefault(
                node.rest_name, Capture(here, REST, before, len(node.children) - before)
            )
        number += 1
        for position, child in enumerate(node.children):
            last = len(node.children) - 1 - position
            if number in places:
                visit(child, number)
            elif child.name is not None:
                from_start = position < before
                found.setdefault(
                    child.name,
                    Capture(here, CHILD if from_start else CHILD_FROM_END, position, last),
                )
            number += sum(1 for _ in child.nodes())

    visit(pattern, 0)
    found.pop("_", None)
    return found


class OpenLayout(NamedTuple):
    """A node of the template whose layout depends on how many nodes a ``$...name`` stands for."""

    slot: int
    layout: tuple[int | AtLeast | tuple[bool, ...], ...]


class Replacement(NamedTuple):
    """A template as arrays of uint32; see ``struct Template``."""

    nodes: npt.NDArray[np.uint32]
    children: npt.NDArray[np.uint32]
    root: int
    slots: tuple[str, ...]
    open_layouts: tuple[OpenLayout, ...]


def compile_replacement(
    template: Pattern, pattern: Pattern, captures: dict[str, Capture], vocabulary: Vocabulary
) -> Replacement:
    """Turn a template, read like a pattern, into numbers of a vocabulary.

    An expression becomes a statement where the pattern is one.

    Raises
    ------
    InvalidParameter
        For a placeholder that the pattern does not bind, or binds to something else.
    """
    statements = frozenset(node.name for node in pattern.nodes() if node.is_statement)
    compiler = _Compiler(captures, statements, vocabulary)
    root = compiler.add(template, as_statement=is_statement(pattern))
    return Replacement(
        np.array(compiler.nodes, np.uint32).reshape(-1),
        np.array(compiler.children, np.uint32),
        root,
        tuple(captures),
        tuple(compiler.open_layouts),
    )


class _Compiler:
    def __init__(
        self,
        captures: dict[str, Capture],
        statements: frozenset[str | None],
        vocabulary: Vocabulary,
    ) -> None:
        self.captures = captures
        self.statements = statements
        self.slots = {name: number for number, name in enumerate(captures)}
        self.vocabulary = vocabulary
        self.nodes: list[tuple[int, ...]] = []
        self.children: list[int] = []
        self.open_layouts: list[OpenLayout] = []

    def add(self, node: Pattern, *, as_statement: bool = False) -> int:
        """Append a node; return it as a child."""
        is_placeholder = node.name is not None and not node.by_value
        if as_statement and not (is_statement(node) or node.name in self.statements):
            inside = dataclasses.replace(node, is_statement=False)
            node = Pattern(kind="Expr", value=None, count=1, children=(inside,), layout=(1,))
        elif is_placeholder and node.name in self.statements and not as_statement:
            raise InvalidParameter(
                f"template: ${node.name} stands for a statement in the pattern, but for an "
                "expression in the template"
            )
        if node.name is not None and not node.by_value:
            return self._placeholder(node.name)
        value_slot = NO_SLOT
        value = 0
        if node.by_value and node.name is not None:
            if self._captured(node.name).place != VALUE:
                raise InvalidParameter(
                    f"template: ${node.name} stands for an expression in the pattern, but for an "
                    "identifier in the template"
                )
            value_slot = self.slots[node.name]
        else:
            value = self.vocabulary.value_id(node.value, add=True) or 0
        return self._append(node, value, value_slot)

    def _append(self, node: Pattern, value: int, value_slot: int) -> int:
        children = [self.add(child, as_statement=child.is_statement) for child in node.children]
        entries = node.layout or ()
        layout = 0
        open_layout = NO_SLOT
        if node.rest is not None and node.rest_name is not None:
            if self._captured(node.rest_name).place != REST:
                raise InvalidParameter(
                    f"template: '$...{node.rest_name}' stands for a list, but not in the pattern"
                )
            slot = self.slots[node.rest_name]
            children.insert(node.rest, SLOT | slot)
            open_layout = len(self.open_layouts)
            self.open_layouts.append(OpenLayout(slot, entries))
        else:
            exact = [
                list(entry) if isinstance(entry, tuple) else entry
                for entry in entries
                if not isinstance(entry, AtLeast)
            ]
            layout = self.vocabulary.layout_id(layout_of(exact), add=True) or 0
        kind = kind_ids()[node.kind or "Name"]
        first = len(self.children)
        self.children += children
        self.nodes.append((kind, value, layout, value_slot, open_layout, first, len(children)))
        return len(self.nodes) - 1

    def _placeholder(self, name: str) -> int:
        place = self._captured(name).place
        if place == REST:
            raise InvalidParameter(
                f"template: ${name} stands for a list in the pattern; write $...{name} in a list"
            )
        if place == VALUE:
            # An identifier, where an expression is wanted: the name.
            return self._append(Pattern(kind="Name", layout=()), 0, self.slots[name])
        return SLOT | self.slots[name]

    def _captured(self, name: str) -> Capture:
        if name not in self.captures:
            raise InvalidParameter(
                f"template: ${name} is unbound: the pattern does not have it; "
                f"{did_you_mean(name, self.captures)}"
            )
        return self.captures[name]


def is_statement(pattern: Pattern) -> bool:
    """Return whether a pattern matches statements."""
    if pattern.kind is None:
        return False
    return issubclass(kinds()[kind_ids()[pattern.kind]].node_class, ast.stmt)


def filled_layout(
    layout: tuple[int | AtLeast | tuple[bool, ...], ...], positional: int, keywords: int
) -> list[int | list[bool]]:
    """Return the entries of a layout with more nodes in the open fields.

    Parameters
    ----------
    layout
        With one open entry, or two: then the second takes the keyword arguments.
    positional, keywords
        Nodes that a ``$...name`` stands for: others, and keyword arguments.

    Raises
    ------
    InvalidParameter
        When there are keyword arguments and no place for them.
    """
    room = [positional, keywords]
    if sum(isinstance(entry, AtLeast) for entry in layout) == 1 and keywords:
        raise InvalidParameter(
            "template: a '$...' stands for keyword arguments in some match; put it at the end of "
            "the arguments of a call without other keyword arguments"
        )
    entries: list[int | list[bool]] = []
    for entry in layout:
        if isinstance(entry, AtLeast):
            entries.append(entry.count + room.pop(0))
        else:
            entries.append(list(entry) if isinstance(entry, tuple) else entry)
    return entries
