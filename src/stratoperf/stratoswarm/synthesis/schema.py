"""The fields of the nodes of Python's syntax trees, and what each field holds.

The grammar of a node stands in the first line of its docstring, such as
``Call(expr func, expr* args, keyword* keywords)``: it is written by the tool that generates the
classes themselves, so nodes of later Python versions are known without a list kept here.
"""

from __future__ import annotations

import ast
import enum
import functools
import re
from typing import NamedTuple


class Role(enum.IntEnum):
    """What a field is in the table. The native encoder knows these numbers."""

    CHILD = 0
    """One child, or none where the field is optional."""
    CHILDREN = 1
    """A list of children."""
    SCALAR = 2
    """Part of the value of the node: a name, a constant, a number, or a list of names."""
    OPERATOR = 3
    """Part of the value too: the name of an operator, such as ``"Add"``."""
    OPERATORS = 4
    """A list of operators."""
    CONTEXT = 5
    """Load, Store or Del: follows from the place in the tree, so it is not stored."""


class Field(NamedTuple):
    """A field of a node."""

    name: str
    role: Role


class Kind(NamedTuple):
    """A type of nodes: its class and its fields in the order of the grammar."""

    name: str
    node_class: type[ast.AST]
    fields: tuple[Field, ...]

    @property
    def child_fields(self) -> tuple[Field, ...]:
        """The fields that hold children: what a layout has an entry for."""
        return tuple(field for field in self.fields if field.role <= Role.CHILDREN)

    @property
    def scalar_fields(self) -> tuple[Field, ...]:
        """The fields that make up the value."""
        return tuple(field for field in self.fields if Role.SCALAR <= field.role <= Role.OPERATORS)


_SCALARS = {"identifier", "string", "int", "constant"}
_OPERATORS = {"operator", "unaryop", "boolop", "cmpop"}
_NO_NODES = (ast.operator, ast.unaryop, ast.boolop, ast.cmpop, ast.expr_context)
_FIELD = re.compile(r"(\w+)([?*]*) (\w+)")


@functools.cache
def kinds() -> tuple[Kind, ...]:
    """Return the types of nodes, sorted by name; the position is the id in a table."""
    found = []
    for name, value in sorted(vars(ast).items()):
        if not (isinstance(value, type) and issubclass(value, ast.AST)):
            continue
        # The grammar has no classes for nodes that Python no longer makes (Num, Index).
        is_concrete = (value.__doc__ or "").startswith(f"{name}(") or (
            not value.__subclasses__() and value.__doc__ == name
        )
        if is_concrete and not issubclass(value, _NO_NODES):
            found.append(Kind(name, value, _fields(value)))
    return tuple(found)


@functools.cache
def kind_ids() -> dict[str, int]:
    """Return the id of each type of nodes by its name."""
    return {kind.name: number for number, kind in enumerate(kinds())}


def _fields(node_class: type[ast.AST]) -> tuple[Field, ...]:
    grammar = " ".join((node_class.__doc__ or "").split())
    return tuple(
        Field(name, _role(type_name, many="*" in quantifier))
        for type_name, quantifier, name in _FIELD.findall(grammar)
    )


def _role(type_name: str, *, many: bool) -> Role:
    if type_name == "expr_context":
        return Role.CONTEXT
    if type_name in _SCALARS:
        return Role.SCALAR
    if type_name in _OPERATORS:
        return Role.OPERATORS if many else Role.OPERATOR
    return Role.CHILDREN if many else Role.CHILD
