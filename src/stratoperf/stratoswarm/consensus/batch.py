"""A batch of votes as a structure of arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from stratoperf import arguments
from stratoperf.errors import InvalidParameter
from stratoperf.paths import user_path
from stratoperf.stratoswarm.consensus.vote_columns import COLUMNS

if TYPE_CHECKING:
    from os import PathLike


# Stands for as many zeros as there are votes.
_NO_TIMESTAMPS = np.zeros(0, np.uint64)


@dataclass(frozen=True, eq=False, repr=False)
class VoteBatch:
    """Votes, column by column.

    The arrays are taken as they are, as read-only views: what is measured is never a silent copy.
    Changing the memory behind them while a round reads it is undefined.

    Parameters
    ----------
    voter, proposal, value, round
        One-dimensional C-contiguous uint32 arrays of equal length; no votes at all is valid.
        These 16 bytes a vote are what a device gets.
    timestamp
        Likewise, uint64, nanoseconds; stays with the host. Zeros by default.

    Raises
    ------
    InvalidParameter
        Naming the array that does not fit and how to convert it.
    """

    voter: npt.NDArray[np.uint32]
    proposal: npt.NDArray[np.uint32]
    value: npt.NDArray[np.uint32]
    round: npt.NDArray[np.uint32]
    timestamp: npt.NDArray[np.uint64] = field(default_factory=lambda: _NO_TIMESTAMPS)

    def __post_init__(self) -> None:
        if self.timestamp is _NO_TIMESTAMPS:
            object.__setattr__(self, "timestamp", np.zeros(np.size(self.voter), np.uint64))
        for name, dtype in COLUMNS.items():
            object.__setattr__(self, name, _checked(name, getattr(self, name), dtype))
        for name in COLUMNS:
            length = len(getattr(self, name))
            if length != len(self.voter):
                raise InvalidParameter(
                    f"{name}: expected as many elements as voter ({len(self.voter)}), got {length};"
                    " every vote needs all columns"
                )

    @classmethod
    def generate(
        cls,
        votes: int,
        nodes: int = 100,
        byzantine: float = 0.0,
        proposals: int | None = None,
        values: int = 2,
        round: int = 1,
        seed: int = 0,
    ) -> VoteBatch:
        """Return a batch of exactly `votes` votes in random order, some of them from faulty nodes.

        Parameters
        ----------
        votes
            How many, 0 or more.
        nodes
            Every one votes on proposal after proposal; votes beyond nodes * proposals are
            delivered twice (duplicates).
        byzantine
            The share of the nodes that is faulty, in [0, 1); where a million nodes or more hardly
            vote, the probability that a voter is. Each vote of these shows one of five
            behaviors, drawn with equal probability: equivocation, an unauthorized voter, a stale
            round, a value out of range, a duplicate. (Equivocation and duplicates come in pairs of
            votes, and the former needs two values.) Honest nodes agree on nine of ten proposals
            and split at random on the tenth.
        proposals
            By default ceil(votes / nodes), at least 1.
        values, round
            Valid values are below `values`; current votes are for `round`.
        seed
            The same arguments give the same batch.

        Raises
        ------
        InvalidParameter
            For anything out of range.
        """
        from stratoperf.stratoswarm.consensus.generator import generate

        return cls(**generate(votes, nodes, byzantine, proposals, values, round, seed))

    @classmethod
    def load(cls, path: str | PathLike[str]) -> VoteBatch:
        """Read a recorded trace: ``.npz`` with one array a column, or ``.csv`` with a header.

        The columns are voter, proposal, value, round and, if it was recorded, timestamp.

        Raises
        ------
        InvalidParameter
            Naming the file and the line or column that does not fit.
        FileNotFoundError
            When the file does not exist.
        """
        from stratoperf.stratoswarm.consensus.trace import load

        return cls(**load(user_path("path", path)))

    def save(self, path: str | PathLike[str]) -> None:
        """Write a trace that `load` reads; the suffix chooses the format.

        Raises
        ------
        InvalidParameter
            For another suffix than ``.npz`` or ``.csv``.
        StratoperfError
            When the file cannot be written; an older file of that name is then untouched.
        """
        from stratoperf.stratoswarm.consensus.trace import save

        save(user_path("path", path), self.columns())

    def columns(self) -> dict[str, npt.NDArray[Any]]:
        """Return the five arrays by name."""
        return {name: getattr(self, name) for name in COLUMNS}

    def shuffled(self, seed: int = 0) -> VoteBatch:
        """Return the same votes in another order."""
        seed = arguments.whole_number("seed", seed, 0, 2**63 - 1)
        order = np.random.default_rng(seed).permutation(len(self))
        return VoteBatch(**{name: array[order] for name, array in self.columns().items()})

    def __len__(self) -> int:
        return len(self.voter)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, VoteBatch):
            return NotImplemented
        theirs = other.columns()
        return all(np.array_equal(array, theirs[name]) for name, array in self.columns().items())

    def __repr__(self) -> str:
        return f"<VoteBatch: {len(self)} votes>"


def _checked(name: str, array: object, dtype: type[np.unsignedinteger[Any]]) -> npt.NDArray[Any]:
    wanted = np.dtype(dtype).name
    problem = None
    if not isinstance(array, np.ndarray):
        problem = type(array).__name__
    elif array.ndim != 1:
        problem = f"{array.ndim} dimensions"
    elif array.dtype != np.dtype(dtype):
        problem = f"dtype {array.dtype}"
    elif not (array.flags.c_contiguous and array.flags.aligned):
        problem = "one that is not contiguous and aligned"
    if problem is not None or not isinstance(array, np.ndarray):
        raise InvalidParameter(
            f"{name}: expected a one-dimensional C-contiguous array of {wanted}, got {problem}; "
            f"convert it with np.ascontiguousarray({name}, dtype=np.{wanted})"
        )
    frozen = array.view(np.ndarray)
    frozen.flags.writeable = False
    return frozen
