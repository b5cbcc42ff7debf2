"""Syntax trees as a structure of arrays."""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from stratoperf.arguments import shown, whole_number
from stratoperf.errors import InvalidParameter
from stratoperf.stratoswarm.synthesis.vocabulary import Vocabulary

if TYPE_CHECKING:
    from stratoperf._core import synthesis as native

NONE = 0xFFFF_FFFF
"""The parent of a root."""

COLUMNS = ("kind", "value", "count", "first_child", "parent", "layout")
MAX_NODES = 2**31


@dataclass(frozen=True, eq=False, repr=False)
class NodeTable:
    """Nodes, column by column, of one tree or of several.

    Operators and contexts (``Add``, ``Load``) are not separate nodes: the operator is the value
    of its expression, and the context follows from the place in the tree.

    Parameters
    ----------
    kind
        One-dimensional C-contiguous uint32 arrays, all of one length. The type of the node, an
        index into ``vocabulary.kinds``.
    value
        What the node says itself (a name, a constant, an operator): an index into
        ``vocabulary.values``; 0 for nothing.
    count
        How many children it has.
    first_child
        The children are the rows ``first_child`` to ``first_child + count - 1``, which come after
        their parent.
    parent
        The row of the parent; `NONE` for a root.
    layout
        How the children spread over the fields of the node: an index into
        ``vocabulary.layouts``. Says nothing new where a type has a fixed number of children.
    vocabulary
        What the numbers stand for.

    Raises
    ------
    InvalidParameter
        Naming the column that does not fit.
    """

    kind: npt.NDArray[np.uint32]
    value: npt.NDArray[np.uint32]
    count: npt.NDArray[np.uint32]
    first_child: npt.NDArray[np.uint32]
    parent: npt.NDArray[np.uint32]
    layout: npt.NDArray[np.uint32]
    vocabulary: Vocabulary

    @classmethod
    def of(cls, columns: Iterable[npt.NDArray[np.uint32]], vocabulary: Vocabulary) -> NodeTable:
        """Return the table with these six columns, in the order of the parameters."""
        return cls(**dict(zip(COLUMNS, columns, strict=True)), vocabulary=vocabulary)

    @classmethod
    def of_native(cls, columns: native.Columns, vocabulary: Vocabulary) -> NodeTable:
        """Return the table with the columns that native code made."""
        return cls.of([getattr(columns, name) for name in COLUMNS], vocabulary)

    def __post_init__(self) -> None:
        if not isinstance(self.vocabulary, Vocabulary):
            raise InvalidParameter(
                f"vocabulary: expected a Vocabulary, got {type(self.vocabulary).__name__}"
            )
        for name in COLUMNS:
            object.__setattr__(self, name, _checked(name, getattr(self, name)))
            length = len(getattr(self, name))
            if length != len(self.kind):
                raise InvalidParameter(
                    f"{name}: expected as many elements as kind ({len(self.kind)}), got {length}; "
                    "every node needs all columns"
                )
        if len(self) >= MAX_NODES:
            raise InvalidParameter(
                f"kind: expected fewer than 2^31 nodes, got {len(self)}; split the table"
            )
        self._check_trees()

    def _check_trees(self) -> None:
        """Refuse children outside the table: native loops follow them without looking."""
        rows = np.arange(len(self), dtype=np.int64)
        first = self.first_child.astype(np.int64)
        end = first + self.count
        wrong = (self.count > 0) & ((first <= rows) | (end > len(self)))
        if wrong.any():
            row = int(np.argmax(wrong))
            raise InvalidParameter(
                f"first_child: the {self.count[row]} children of row {row} from row {first[row]} "
                f"must lie after it and within {len(self)} rows"
            )
        # What the parent of each node must be, from the ranges of children.
        count = self.count.astype(np.int64)
        offsets = np.repeat(first - (np.cumsum(count) - count), count)
        expected = np.full(len(self), NONE, np.int64)
        expected[offsets + np.arange(len(offsets))] = np.repeat(rows, count)
        wrong = expected != self.parent
        if wrong.any() or np.count_nonzero(self.parent != NONE) != len(offsets):
            row = int(np.argmax(wrong))
            raise InvalidParameter(
                f"parent: row {row} is among the children of row {expected[row]}, and its parent "
                f"is {self.parent[row]}; every node but a root, which has {NONE}, is the child of "
                "one row"
            )
        for name, size in (
            ("kind", len(self.vocabulary.kinds)),
            ("value", len(self.vocabulary.values)),
            ("layout", self.vocabulary.encoder.layout_count),
        ):
            column = getattr(self, name)
            if len(column) and int(column.max()) >= size:
                raise InvalidParameter(
                    f"{name}: row {int(column.argmax())} has {int(column.max())}, but the "
                    f"vocabulary has {size}"
                )

    def __len__(self) -> int:
        return len(self.kind)

    @property
    def roots(self) -> npt.NDArray[np.uint32]:
        """The rows without a parent, one for each tree."""
        return np.flatnonzero(self.parent == NONE).astype(np.uint32)

    @property
    def nbytes(self) -> int:
        """Bytes of the three columns that a comparison reads."""
        return self.kind.nbytes + self.value.nbytes + self.count.nbytes

    def tree_ranges(self) -> list[range] | None:
        """Return the rows of each tree, if trees stand one after the other and in level order.

        So does what `stratoperf.synthesis.encode_all` returns; ``None`` for other tables.
        """
        is_root = self.parent == NONE
        before = np.cumsum(self.count, dtype=np.int64) - self.count
        expected = np.cumsum(is_root) + before
        if (self.first_child != expected)[self.count > 0].any():
            return None
        ends = [*self.roots.tolist(), len(self)]
        return [range(first, last) for first, last in itertools.pairwise(ends)]

    def children(self, row: int) -> range:
        """Return the rows of the children of a node.

        Raises
        ------
        InvalidParameter
            When the row does not exist.
        """
        row = self._row(row)
        first = int(self.first_child[row])
        return range(first, first + int(self.count[row]))

    def subtree(self, row: int) -> Iterator[int]:
        """Return the rows of a node and all below it, each node before its children.

        Raises
        ------
        InvalidParameter
            When the row does not exist.
        """
        return self._below(self._row(row))

    def _below(self, row: int) -> Iterator[int]:
        waiting = [row]
        while waiting:
            row = waiting.pop()
            yield row
            waiting += reversed(self.children(row))

    def describe(self, row: int) -> tuple[str, object]:
        """Return the name of a node's type, and its value.

        Raises
        ------
        InvalidParameter
            When the row does not exist.
        """
        row = self._row(row)
        vocabulary = self.vocabulary
        return vocabulary.kinds[self.kind[row]], vocabulary.values[int(self.value[row])]

    def _row(self, row: int) -> int:
        # The reference backend asks for every row: most are right.
        if type(row) is int and 0 <= row < len(self.kind):
            return row
        if len(self) == 0:
            raise InvalidParameter(f"row: the table has no rows, got {shown(row)}")
        return whole_number("row", row, 0, len(self) - 1)

    def digest(self) -> str:
        """Return the first 16 hexadecimal digits of the SHA-256 of all columns and values."""
        hashed = hashlib.sha256()
        for name in COLUMNS:
            hashed.update(getattr(self, name).astype("<u4").tobytes())
        for words in (self.vocabulary.kinds, self.vocabulary.values, self.vocabulary.layouts):
            hashed.update("\n".join(map(repr, words)).encode("utf-8", "surrogatepass"))
        return hashed.hexdigest()[:16]

    def difference(self, other: NodeTable) -> str | None:
        """Return what differs from another table in meaning; ``None`` when nothing does.

        The same trees from different vocabularies have different numbers; what these stand for is
        compared.
        """
        if len(self) != len(other):
            return f"{len(self)} rows against {len(other)}"
        alike = self.vocabulary is other.vocabulary
        for name in COLUMNS if alike else ("count", "first_child", "parent"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if not np.array_equal(mine, theirs):
                row = int(np.argmax(mine != theirs))
                return f"{name}[{row}]: {mine[row]} against {theirs[row]}"
        if alike:
            return None
        my_layouts, their_layouts = self.vocabulary.layouts, other.vocabulary.layouts
        for row in range(len(self)):
            mine_is, theirs_is = (
                (*table.describe(row), layouts[table.layout[row]])
                for table, layouts in ((self, my_layouts), (other, their_layouts))
            )
            if repr(mine_is) != repr(theirs_is):
                return f"row {row}: {mine_is} against {theirs_is}"
        return None

    def __repr__(self) -> str:
        trees = int(np.count_nonzero(self.parent == NONE))
        return f"<NodeTable: {len(self)} nodes in {trees} trees>"


def _checked(name: str, array: object) -> npt.NDArray[np.uint32]:
    problem = None
    if not isinstance(array, np.ndarray):
        problem = type(array).__name__
    elif array.ndim != 1:
        problem = f"{array.ndim} dimensions"
    elif array.dtype != np.dtype(np.uint32):
        problem = f"dtype {array.dtype}"
    elif not (array.flags.c_contiguous and array.flags.aligned):
        problem = "one that is not contiguous and aligned"
    if problem is not None or not isinstance(array, np.ndarray):
        raise InvalidParameter(
            f"{name}: expected a one-dimensional C-contiguous array of uint32, got {problem}; "
            f"convert it with np.ascontiguousarray({name}, dtype=np.uint32)"
        )
    frozen: npt.NDArray[np.uint32] = array.view(np.ndarray)
    frozen.flags.writeable = False
    return frozen
