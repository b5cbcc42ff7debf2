"""Where an expression can be replaced by any other, so that the file still parses."""

from __future__ import annotations

from stratoperf.stratoswarm.synthesis.schema import kind_ids, kinds
from stratoperf.stratoswarm.synthesis.table import NONE, NodeTable
from stratoperf.stratoswarm.synthesis.vocabulary import layout_entries

# The fields where only a target can stand: a name, an attribute, a subscript, or lists of them.
_TARGET_FIELDS = {
    ("Assign", "targets"),
    ("AugAssign", "target"),
    ("AnnAssign", "target"),
    ("NamedExpr", "target"),
    ("For", "target"),
    ("AsyncFor", "target"),
    ("comprehension", "target"),
    ("withitem", "optional_vars"),
    ("Delete", "targets"),
    ("TypeAlias", "name"),
}
_PARENTS_OF_TARGETS = {kind for kind, _ in _TARGET_FIELDS}

# A target spreads over the elements of these.
_SPREADING = {"Tuple", "List", "Starred"}

# Nothing below these is free: literal text, and patterns of a match statement.
_CLOSED = {
    "JoinedStr",
    "TemplateStr",
    "MatchValue",
    "MatchMapping",
    "MatchClass",
}


def is_free(table: NodeTable, row: int) -> bool:
    """Whether the node at a row may become any other node of its sort.

    Not where a value is bound or deleted (assignment targets and the like), not inside f-strings
    (whose quotes would have to change), and not in the patterns of a match statement.
    """
    names = table.vocabulary.kinds
    in_target_chain = True
    while (parent := int(table.parent[row])) != NONE:
        kind = names[table.kind[parent]]
        if kind in _CLOSED:
            return False
        if (
            in_target_chain
            and kind in _PARENTS_OF_TARGETS
            and ((kind, _field(table, parent, row)) in _TARGET_FIELDS)
        ):
            return False
        in_target_chain = in_target_chain and kind in _SPREADING
        row = parent
    return True


def _field(table: NodeTable, parent: int, row: int) -> str:
    """Return the field of the parent that a node stands in."""
    position = row - int(table.first_child[parent])
    kind = kinds()[kind_ids()[table.vocabulary.kinds[table.kind[parent]]]]
    entries = layout_entries(table.vocabulary.layouts[table.layout[parent]])
    for field, entry in zip(kind.child_fields, entries, strict=True):
        position -= entry if isinstance(entry, int) else sum(entry)
        if position < 0:
            return field.name
    raise AssertionError("a child that is in no field of its parent")
