"""Patterns: what a node and the nodes below it must look like."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from stratoperf._core import synthesis as native
from stratoperf.errors import InvalidParameter
from stratoperf.stratoswarm.synthesis.placeholders import (
    node_value,
    parse_template,
    standin,
    whole_parameters,
)
from stratoperf.stratoswarm.synthesis.schema import Kind, Role, kind_ids, kinds
from stratoperf.stratoswarm.synthesis.table import NodeTable
from stratoperf.stratoswarm.synthesis.vocabulary import layout_entries
from stratoperf.stratoswarm.synthesis.wildcards import ANY, AtLeast, Entry

MAX_NODES: int = native.most_pattern_nodes
"""Nodes that one pattern can have."""


Binding: TypeAlias = "range | int"
"""What a placeholder stands for: rows of a table that are neighbors, or a value id."""


@dataclass(frozen=True)
class Pattern:
    """A node that is looked for, and its children.

    A node fits when its type, value and child count are equal to those that are given, its children
    fit the children, and equal trees stand wherever a placeholder is repeated.

    Parameters
    ----------
    kind
        Name of the node's type, such as ``"Call"``; ``None`` for any.
    value
        Its value (see `stratoperf.synthesis.NodeTable`); `ANY` for any.
    count
        How many children it has; ``None`` for any number.
    children
        Patterns for its children, from the first on.
    rest
        Where children may follow that no pattern is given for: the first `rest` patterns are those
        of the first children, the others those of the last ones. ``None``: all children have one,
        or those without are at the end.
    layout
        One entry for each field of children; ``None`` for any layout.
    name
        The placeholder that stands for this node; the same name again asks for an equal tree.
    rest_name
        The placeholder that stands for the children without a pattern.
    by_value
        `name` stands for the value of the node only: an identifier.
    is_statement
        Whether `name` stands where statements do.
    source
        The text that it was parsed from.

    Raises
    ------
    InvalidParameter
        For more than 64 nodes, a child count that contradicts the children, and a
        placeholder for a rest that is repeated.
    """

    kind: str | None = None
    value: object = ANY
    count: int | None = None
    children: tuple[Pattern, ...] = ()
    rest: int | None = None
    layout: tuple[Entry, ...] | None = None
    name: str | None = None
    rest_name: str | None = None
    by_value: bool = False
    is_statement: bool = False
    source: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        for child in self.children:
            if not isinstance(child, Pattern):
                raise InvalidParameter(f"children: expected patterns, got {type(child).__name__}")
        size = sum(1 for _ in self.nodes())
        if size > MAX_NODES:
            raise InvalidParameter(
                f"pattern: at most {MAX_NODES} nodes fit, got {size}; use placeholders for the "
                "parts that do not matter"
            )
        if self.count is not None and self.count < len(self.children):
            raise InvalidParameter(
                f"count: {self.count} is below the {len(self.children)} children that have patterns"
            )
        if self.rest is not None and not 0 <= self.rest <= len(self.children):
            raise InvalidParameter(f"rest: expected 0 to {len(self.children)}, got {self.rest}")
        rests = [node.rest_name for node in self.nodes() if node.rest_name is not None]
        names = [node.name for node in self.nodes() if node.name is not None]
        for name in rests:
            if rests.count(name) > 1 or name in names:
                raise InvalidParameter(
                    f"pattern: '$...{name}' is repeated; give each list a name of its own"
                )

    @classmethod
    def parse(cls, text: str) -> Pattern:
        """Read a pattern written in Python with placeholders.

        The text is one expression or one statement. In it,

        - ``$x`` stands for any expression, for a whole statement where it stands alone on a line,
          and for an identifier where only a name can stand (``def $f(): ...``, ``$x.$attribute``);
          in ``import $x`` it may be ``a as b``;
        - ``$x`` again asks for an equal tree (or identifier): ``$x == $x``;
        - ``$_`` stands for anything, and again for anything else;
        - ``$...xs`` stands for any number of list elements: arguments, statements, elements. Each
          node has at most one, so a class has it in its bases or in its body. At the end of the
          arguments of a call it takes the keyword arguments too, and alone in a parameter list it
          takes all parameters.

        Everything else must be as written. Spelling does not matter (``'a'`` is ``"a"``,
        parentheses and comments are not seen), nor does whether a name is read, written or deleted.
        A ``$`` in a string is a dollar. An expression is found wherever it stands, as a statement
        of its own too.

        Raises
        ------
        InvalidParameter
            When the text does not parse, is more than one statement, or has a placeholder where
            none can stand.
        """
        return _pattern(parse_template("pattern", text), text, source=text)

    def nodes(self) -> Iterator[Pattern]:
        """Yield the pattern and all below it, parents before children."""
        yield self
        for child in self.children:
            yield from child.nodes()

    @property
    def names(self) -> frozenset[str]:
        """The placeholders that a match binds, without ``_``."""
        both = ((node.name, node.rest_name) for node in self.nodes())
        return frozenset(name for pair in both for name in pair if name not in (None, "_"))

    @property
    def matches_any(self) -> bool:
        """Whether every node fits, apart from equality with another one."""
        return (
            self.kind is None
            and self.value is ANY
            and self.count is None
            and self.layout is None
            and not self.children
        )

    def child_rows(self, table: NodeTable, row: int) -> Iterator[tuple[Pattern, int]]:
        """Yield each child pattern with the row of the child that it is compared with.

        Ends early where the child does not exist.
        """
        rows = table.children(row)
        before = len(self.children) if self.rest is None else self.rest
        for place, child in enumerate(self.children):
            at = place if place < before else len(rows) - len(self.children) + place
            if not 0 <= at < len(rows):
                return
            yield child, rows[at]

    def rest_rows(self, table: NodeTable, row: int) -> range:
        """Return the rows of the children that no pattern is given for."""
        rows = table.children(row)
        before = len(self.children) if self.rest is None else self.rest
        return rows[before : len(rows) - (len(self.children) - before)]

    def bind(self, table: NodeTable, row: int) -> dict[str, Binding]:
        """Return what each placeholder stands for in a match at `row`."""
        bound: dict[str, Binding] = {}
        if self.name is not None:
            bound[self.name] = int(table.value[row]) if self.by_value else range(row, row + 1)
        if self.rest_name is not None:
            bound[self.rest_name] = self.rest_rows(table, row)
        for child, at in self.child_rows(table, row):
            for name, binding in child.bind(table, at).items():
                bound.setdefault(name, binding)
        bound.pop("_", None)
        return bound

    def layout_fits(self, layout: tuple[int, ...]) -> bool:
        """Whether the children of a node spread over its fields as they should."""
        if self.layout is None:
            return True
        entries = layout_entries(layout)
        return len(entries) == len(self.layout) and all(
            isinstance(entry, int) and entry >= wanted.count
            if isinstance(wanted, AtLeast)
            else entry == (list(wanted) if isinstance(wanted, tuple) else wanted)
            for entry, wanted in zip(entries, self.layout, strict=True)
        )

    def __repr__(self) -> str:
        return f"<Pattern: {self.source or self._shape()}>"

    def _shape(self) -> str:
        value = "" if self.value is ANY else f" {self.value!r}"
        inside = ", ".join(child._shape() for child in self.children)
        count = "" if self.count is None else f"/{self.count}"
        return f"{self.kind or '*'}{value}{count}" + (f"({inside})" if inside else "")


def check_pattern(argument: str, pattern: object) -> Pattern:
    """Return a pattern; text is parsed.

    Raises
    ------
    InvalidParameter
        For anything else.
    """
    if isinstance(pattern, str):
        return Pattern.parse(pattern)
    if not isinstance(pattern, Pattern):
        raise InvalidParameter(
            f"{argument}: expected a Pattern or Python source with placeholders, "
            f"got {type(pattern).__name__}"
        )
    return pattern


def _pattern(node: ast.AST, text: str, source: str = "") -> Pattern:
    place = standin(node)
    if place is not None and not isinstance(node, ast.arg | ast.alias):
        if place.is_rest:
            raise InvalidParameter(
                f"pattern: '$...{place.name}' in {text!r} must be an element of a list "
                "(arguments, statements, elements)"
            )
        return Pattern(name=place.name, is_statement=isinstance(node, ast.Expr), source=source)
    if isinstance(node, ast.arguments) and (name_of_all := whole_parameters(node)) is not None:
        return Pattern(kind="arguments", name=name_of_all)
    kind = kinds()[kind_ids()[type(node).__name__]]
    value, name = node_value("pattern", kind, node, text)
    children: list[Pattern] = []
    layout: list[Entry] = []
    rest: int | None = None
    rest_name: str | None = None
    for child_field in kind.child_fields:
        content = getattr(node, child_field.name, None)
        elements = content if isinstance(content, list) else [content]
        standins = enumerate(map(standin, elements))
        rests = [(number, stand.name) for number, stand in standins if stand and stand.is_rest]
        if child_field.role == Role.CHILD or not rests:
            children += [_pattern(element, text) for element in elements if element is not None]
            layout.append(_entry(child_field.role, elements))
            continue
        if len(rests) > 1 or rest is not None:
            raise InvalidParameter(
                f"pattern: {text!r} has two '$...' in one {kind.name}; one is what can be decided"
            )
        ((place_of_rest, rest_name),) = rests
        rest = len(children) + place_of_rest
        children += [
            _pattern(element, text)
            for number, element in enumerate(elements)
            if number != place_of_rest
        ]
        layout.append(AtLeast(len(elements) - 1))
    if rest is not None:
        _let_rest_take_keywords(kind, node, layout)
    return Pattern(
        kind=kind.name,
        value=value,
        count=None if rest is not None else len(children),
        children=tuple(children),
        rest=rest,
        layout=tuple(layout),
        name=name,
        rest_name=rest_name,
        by_value=name is not None,
        source=source,
    )


def _entry(role: Role, elements: list[ast.AST | None]) -> Entry:
    present = tuple(element is not None for element in elements)
    if role == Role.CHILD:
        return int(present[0])
    return len(present) if all(present) else present


def _let_rest_take_keywords(kind: Kind, node: ast.AST, layout: list[Entry]) -> None:
    """Let a rest at the end of the positional arguments go on through the keyword arguments."""
    if isinstance(node, ast.Call | ast.ClassDef) and not node.keywords:
        arguments = node.args if isinstance(node, ast.Call) else node.bases
        place = standin(arguments[-1]) if arguments else None
        if place is not None and place.is_rest:
            names = [field.name for field in kind.child_fields]
            layout[names.index("keywords")] = AtLeast(0)


Bindings: TypeAlias = Mapping[str, Binding]
