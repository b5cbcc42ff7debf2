"""From Python source to a node table and back."""

from __future__ import annotations

import ast
import platform
from collections.abc import Iterable

from stratoperf.arguments import whole_number
from stratoperf.errors import InvalidParameter
from stratoperf.stratoswarm.synthesis.schema import Kind, Role, kinds
from stratoperf.stratoswarm.synthesis.table import NodeTable
from stratoperf.stratoswarm.synthesis.vocabulary import Vocabulary, layout_entries, scalars_of


def encode(source: str | bytes | ast.AST, vocabulary: Vocabulary | None = None) -> NodeTable:
    """Turn Python source, or a tree of `ast`, into a node table.

    Nothing of the tree is lost that `ast.dump` shows: `decode` gives back source that parses to an
    equal tree. Comments, line numbers and spelling are not in the tree, and the contexts (``Load``,
    ``Store``, ``Del``) follow from the places.

    Parameters
    ----------
    source
        The text of a module, or a tree.
    vocabulary
        Vocabulary to extend, for tables that are to be compared; by default a new one.

    Raises
    ------
    InvalidParameter
        When `source` does not parse, with the line, or is not source.
    """
    return encode_all([source], vocabulary)


def encode_all(
    sources: Iterable[str | bytes | ast.AST], vocabulary: Vocabulary | None = None
) -> NodeTable:
    """Turn several sources into one table with one tree each, in their order.

    Parameters
    ----------
    sources, vocabulary
        As for `encode`; at least one source.

    Raises
    ------
    InvalidParameter
        When one does not parse, or `sources` is empty.
    """
    vocabulary = Vocabulary() if vocabulary is None else vocabulary
    try:
        # One tree at a time: those of a large corpus together would take gigabytes.
        columns = vocabulary.encoder.encode(parse(source) for source in sources)
    except TypeError as error:
        raise InvalidParameter(f"source: the tree holds a value without a hash: {error}") from None
    table = NodeTable.of_native(columns, vocabulary)
    if len(table) == 0:
        raise InvalidParameter(
            "sources: expected at least one source, got none; an empty corpus has nothing to match"
        )
    return table


def parse(source: str | bytes | ast.AST) -> ast.AST:
    """Return the tree of a source; a tree is its own.

    Raises
    ------
    InvalidParameter
        When it does not parse.
    """
    if isinstance(source, ast.AST):
        return source
    if not isinstance(source, str | bytes):
        raise InvalidParameter(
            f"source: expected Python source or a tree of ast, got {type(source).__name__}"
        )
    try:
        return ast.parse(source)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f" in line {error.lineno}" if isinstance(error, SyntaxError) else ""
        message = error.msg if isinstance(error, SyntaxError) else str(error)
        raise InvalidParameter(
            f"source: does not parse{where}: {message}; Python {platform.python_version()} reads it"
        ) from None


def decode(table: NodeTable, row: int | None = None) -> str:
    """Return the source of a tree.

    Parameters
    ----------
    table
        Table of Python's nodes.
    row
        The root of what is wanted; by default the only tree of the table.

    Raises
    ------
    InvalidParameter
        When the table does not hold Python, the row does not exist, `row` is missing with several
        trees, or the tree has no source.
    """
    try:
        return ast.unparse(decode_tree(table, row))
    except InvalidParameter:
        raise
    except RecursionError:
        raise InvalidParameter(
            "table: the tree is nested deeper than Python writes source; choose a row further down"
        ) from None
    except Exception as error:
        # Whoever builds trees by hand can put anything anywhere, and Python checks nothing.
        raise InvalidParameter(
            f"table: Python's parser does not make such a tree ({type(error).__name__}: "
            f"{error}); encode what ast.parse returns"
        ) from error


def decode_tree(table: NodeTable, row: int | None = None) -> ast.AST:
    """Return a tree as nodes of `ast`; the arguments and errors are those of `decode`."""
    if not isinstance(table, NodeTable):
        raise InvalidParameter(f"table: expected a NodeTable, got {type(table).__name__}")
    if not table.vocabulary.is_python:
        raise InvalidParameter("table: its nodes are not Python's, so they have no source")
    if row is None:
        roots = table.roots
        if len(roots) != 1:
            raise InvalidParameter(f"row: there are {len(roots)} trees; choose one of table.roots")
        row = int(roots[0])
    row = whole_number("row", row, 0, len(table) - 1)
    layouts = table.vocabulary.layouts
    values = table.vocabulary.values
    made: dict[int, ast.AST] = {}
    for each in sorted(table.subtree(row), reverse=True):
        kind = kinds()[table.kind[each]]
        children = [made.pop(child) for child in table.children(each)]
        entries = layout_entries(layouts[table.layout[each]])
        made[each] = _node(kind, children, entries, scalars_of(values[int(table.value[each])]))
    _set_contexts(made[row])
    return made[row]


def _node(
    kind: Kind,
    children: list[ast.AST],
    entries: list[int | list[bool]],
    scalars: tuple[object, ...],
) -> ast.AST:
    fields: dict[str, object] = {}
    rest_children = iter(children)
    rest_entries = iter(entries)
    rest_scalars = iter(scalars)
    for field in kind.fields:
        if field.role == Role.CHILD:
            fields[field.name] = next(rest_children) if next(rest_entries) else None
        elif field.role == Role.CHILDREN:
            entry = next(rest_entries)
            present = [True] * entry if isinstance(entry, int) else entry
            fields[field.name] = [next(rest_children) if here else None for here in present]
        elif field.role == Role.OPERATOR:
            fields[field.name] = getattr(ast, str(next(rest_scalars)))()
        elif field.role == Role.OPERATORS:
            names = next(rest_scalars)
            assert isinstance(names, tuple)
            fields[field.name] = [getattr(ast, name)() for name in names]
        elif field.role == Role.SCALAR:
            fields[field.name] = _scalar(kind.name, field.name, next(rest_scalars, None))
        else:
            fields[field.name] = ast.Load()
    if issubclass(kind.node_class, ast.stmt):
        fields["lineno"] = 0  # ast.unparse looks for a comment there
    return kind.node_class(**fields)


# The fields that hold lists of names.
_NAME_LISTS = {("Global", "names"), ("Nonlocal", "names"), ("MatchClass", "kwd_attrs")}


def _scalar(kind: str, field: str, value: object) -> object:
    return list(value) if (kind, field) in _NAME_LISTS and isinstance(value, tuple) else value


# Where a name is bound or deleted: the fields of the parent.
_TARGETS: dict[str, tuple[str, type[ast.expr_context]]] = {
    "Assign": ("targets", ast.Store),
    "AugAssign": ("target", ast.Store),
    "AnnAssign": ("target", ast.Store),
    "NamedExpr": ("target", ast.Store),
    "For": ("target", ast.Store),
    "AsyncFor": ("target", ast.Store),
    "comprehension": ("target", ast.Store),
    "withitem": ("optional_vars", ast.Store),
    "TypeAlias": ("name", ast.Store),
    "Delete": ("targets", ast.Del),
}


def _set_contexts(root: ast.AST) -> None:
    """Set the contexts: Store in targets, Del in deleted ones; all others are Load already."""
    for node in ast.walk(root):
        place = _TARGETS.get(type(node).__name__)
        if place is not None:
            field, context = place
            targets = getattr(node, field)
            for target in targets if isinstance(targets, list) else [targets]:
                _set_context(target, context)


def _set_context(target: ast.AST | None, context: type[ast.expr_context]) -> None:
    if isinstance(target, ast.Name | ast.Attribute | ast.Subscript):
        target.ctx = context()
    elif isinstance(target, ast.Starred):
        target.ctx = context()
        _set_context(target.value, context)
    elif isinstance(target, ast.Tuple | ast.List):
        target.ctx = context()
        for element in target.elts:
            _set_context(element, context)
