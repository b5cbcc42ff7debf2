"""Check that the source of a rewritten tree parses to the same tree."""

from __future__ import annotations

import ast

import numpy as np

from stratoperf.errors import InvalidParameter
from stratoperf.stratoswarm.synthesis.encoding import decode_tree, encode
from stratoperf.stratoswarm.synthesis.schema import kind_ids
from stratoperf.stratoswarm.synthesis.table import NodeTable

# What a table says beyond where its rows lie, which follows from these.
_MEANING = ("kind", "value", "count", "layout")


def check_reparses(
    table: NodeTable, rows: range, template: str, before: tuple[NodeTable, range] | None
) -> None:
    """Reject a tree whose source does not parse, or parses to another tree.

    A template can make trees that no source has: what ``ast.unparse`` writes for a starred
    expression as an operand, or for a tuple after ``with``, parses, but to something else.

    Parameters
    ----------
    table
        Table of Python's nodes.
    rows
        One of ``table.tree_ranges()``.
    template
        What the error names.
    before
        The table and the rows that it was made of, if known. Where these have no such source
        either, as a tree made by hand may not, it is they that the error names.

    Raises
    ------
    InvalidParameter
        With the line that would be read otherwise.
    """
    difference = _why_another(table, rows)
    if difference is None:
        return
    had_none = None if before is None else _why_another(*before)
    if before is not None and had_none is not None:
        raise InvalidParameter(
            f"table: the tree at row {before[1].start} has no source that means it, not before it "
            f"is rewritten either: {had_none}; encode source, or what ast.parse makes of it"
        )
    raise InvalidParameter(
        f"template: with {template!r} the tree at row {rows.start} has no source that means it: "
        f"{difference}; write a template that can stand wherever the pattern matches"
    )


def _why_another(table: NodeTable, rows: range) -> str | None:
    """Return why a tree is not the one that its source parses to, or ``None``."""
    try:
        tree = decode_tree(table, rows.start)
        source = ast.unparse(tree)
        parsed = _parsed_like(tree, source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        return f"it does not parse: {error}"
    return _difference(table, rows, parsed, source)


def _parsed_like(tree: ast.AST, source: str) -> ast.AST:
    """Return what a source parses to, from the node on that the tree begins with."""
    # A tree may have comments of types; where it has none, its source has no comments at all.
    if isinstance(tree, ast.Expression):
        return ast.parse(source, mode="eval", type_comments=True)
    module = ast.parse(source, type_comments=True)
    if isinstance(tree, ast.Module):
        # These belong to lines, which a table does not have.
        module.type_ignores = tree.type_ignores
        return module
    if isinstance(tree, ast.Interactive):
        return ast.Interactive(body=module.body)
    if len(module.body) == 1:
        (only,) = module.body
        return only.value if isinstance(only, ast.Expr) and isinstance(tree, ast.expr) else only
    return module


def _difference(table: NodeTable, rows: range, parsed: ast.AST, source: str) -> str | None:
    """Return how the tree of the source differs from the rows; ``None`` when it does not."""
    read = encode(parsed, table.vocabulary)
    size = min(len(rows), len(read))
    pairs = [
        (getattr(table, name)[rows.start : rows.start + size], getattr(read, name)[:size])
        for name in _MEANING
    ]
    unequal = [mine != theirs for mine, theirs in pairs]
    if len(rows) == len(read) and not np.any(unequal):
        return None
    # A node of another type says more than a parent with another number of children.
    telling = unequal[0] if unequal[0].any() else np.any(unequal, axis=0)
    row = int(np.argmax(telling))
    (kind, value), (read_kind, read_value) = table.describe(rows[row]), read.describe(row)
    mine, theirs = (
        (kind, read_kind) if kind != read_kind else (f"{kind} {value!r}", f"{kind} {read_value!r}")
    )
    nodes = [node for node in ast.walk(parsed) if type(node).__name__ in kind_ids()]
    line = source.splitlines()[getattr(nodes[row], "lineno", 1) - 1].strip()
    return f"{line!r} is read as {theirs} where the tree has {mine}"
