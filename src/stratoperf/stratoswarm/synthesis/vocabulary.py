"""The names that the numbers of a node table stand for."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from stratoperf._core import synthesis as native
from stratoperf.stratoswarm.synthesis.schema import kind_ids, kinds

if TYPE_CHECKING:
    from stratoperf._core.synthesis import Encoder

Layout: TypeAlias = tuple[int, ...]
"""How the children of a node spread over its fields: see `layout_entries`."""

WITH_GAPS = 0x8000_0000
"""Marks a list that holds ``None`` here and there, as the keys of ``{**a, 'b': 1}`` do."""


class Vocabulary:
    """Types, values and layouts by number; tables that share one can be compared and matched.

    Encoding adds the values and layouts that it meets. Value 0 is ``None``: a node without a name,
    constant or operator.

    Parameters
    ----------
    kinds
        Names of the types of nodes, by id; by default those of the running Python.
    """

    def __init__(self, kind_names: Iterable[str] | None = None) -> None:
        self.is_python = kind_names is None
        self.kinds: tuple[str, ...] = (
            tuple(kind.name for kind in kinds()) if kind_names is None else tuple(kind_names)
        )
        self._kind_ids = kind_ids() if self.is_python else {k: i for i, k in enumerate(self.kinds)}
        specification = [
            (kind.node_class, [(field.name, int(field.role)) for field in kind.fields])
            for kind in (kinds() if self.is_python else ())
        ]
        self.encoder: Encoder = native.Encoder(specification)
        self._layouts: list[Layout] = []

    @property
    def values(self) -> Sequence[object]:
        """The value of each value id: a name, a constant, an operator, or a tuple of several."""
        return self.encoder.values

    @property
    def layouts(self) -> Sequence[Layout]:
        """The layout of each layout id."""
        if len(self._layouts) < self.encoder.layout_count:
            self._layouts = self.encoder.layouts()
        return self._layouts

    def kind_id(self, name: str) -> int | None:
        """Return the id of a type of nodes, ``None`` when there is no such type."""
        return self._kind_ids.get(name)

    def value_id(self, value: object, *, add: bool = False) -> int | None:
        """Return the id of a value; ``None`` when no node has it, unless `add` makes one."""
        return self.encoder.value_id(value, add)

    def layout_id(self, layout: Layout, *, add: bool = False) -> int | None:
        """Return the id of a layout; ``None`` when no node has it, unless `add` makes one."""
        return self.encoder.layout_id(layout, add)

    def __repr__(self) -> str:
        return (
            f"<Vocabulary: {len(self.kinds)} types, {len(self.values)} values, "
            f"{self.encoder.layout_count} layouts>"
        )


def layout_entries(layout: Layout) -> list[int | list[bool]]:
    """Return one entry for each field of children.

    An entry is the number of children (0 or 1 for a single field), or, for a list that holds
    ``None`` here and there, which of its elements are children.
    """
    entries: list[int | list[bool]] = []
    at = 0
    while at < len(layout):
        count = layout[at]
        at += 1
        if count & WITH_GAPS:
            length = count & ~WITH_GAPS
            entries.append([bool(present) for present in layout[at : at + length]])
            at += length
        else:
            entries.append(count)
    return entries


def layout_of(entries: Iterable[int | list[bool]]) -> Layout:
    """Return the layout with these entries: the inverse of `layout_entries`."""
    layout: list[int] = []
    for entry in entries:
        if isinstance(entry, int):
            layout.append(entry)
        elif all(entry):
            layout.append(len(entry))
        else:
            layout += [WITH_GAPS | len(entry), *map(int, entry)]
    return tuple(layout)


def value_of(scalars: Iterable[object]) -> object:
    """Return the value that stands for the scalar fields of a node, as the encoder builds it.

    Trailing ``None`` fall away; a single scalar that is not a tuple stands for itself.
    """
    items = [tuple(item) if isinstance(item, list) else item for item in scalars]
    while items and items[-1] is None:
        items.pop()
    if not items:
        return None
    return items[0] if len(items) == 1 and not isinstance(items[0], tuple) else tuple(items)


def scalars_of(value: object) -> tuple[object, ...]:
    """Return the scalar fields behind a value; those that fell away are ``None``."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else (value,)
