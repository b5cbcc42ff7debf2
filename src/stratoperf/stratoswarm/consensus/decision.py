"""What a round decides."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


class RejectReason(enum.Enum):
    """Why a vote does not count, in the order of precedence.

    A reason for votes that fail authentication would come first; rounds do not check that today.
    """

    UNAUTHORIZED_VOTER = "unauthorized voter"
    STALE_ROUND = "stale round"
    PROPOSAL_OUT_OF_RANGE = "proposal out of range"
    VALUE_OUT_OF_RANGE = "value out of range"
    EQUIVOCATION = "equivocation"
    DUPLICATE = "duplicate"


@dataclass(frozen=True, eq=False, repr=False)
class Decision:
    """The outcome of a round over one batch. All arrays are read-only.

    Attributes
    ----------
    decided
        int64, one element a proposal: the value that has a quorum, -1 where none has.
    tallies
        uint32, proposals x values: accepted votes.
    equivocators
        uint32, k x 2: the (proposal, voter) pairs with several values, sorted.
    accepted
        Votes that the tallies count.
    rejected
        How many votes were rejected, for every reason.
    """

    decided: npt.NDArray[np.int64]
    tallies: npt.NDArray[np.uint32]
    equivocators: npt.NDArray[np.uint32]
    accepted: int
    rejected: Mapping[RejectReason, int]

    def __post_init__(self) -> None:
        for array in (self.decided, self.tallies, self.equivocators):
            array.flags.writeable = False

    @property
    def equivocating_voters(self) -> npt.NDArray[np.uint32]:
        """The voters that equivocated on any proposal, sorted (uint32)."""
        return np.unique(self.equivocators[:, 1])

    @property
    def votes(self) -> int:
        """How many votes the batch had: accepted and rejected ones."""
        return self.accepted + sum(self.rejected.values())

    def difference(self, other: Decision) -> str | None:
        """Return what differs from another decision, in words; ``None`` when nothing does."""
        for name in ("decided", "tallies", "equivocators"):
            mine, theirs = getattr(self, name), getattr(other, name)
            if mine.shape != theirs.shape:
                return f"{name}: shape {mine.shape} against {theirs.shape}"
            if not np.array_equal(mine, theirs):
                at = tuple(int(i) for i in np.argwhere(mine != theirs)[0])
                return f"{name}{list(at)}: {mine[at]} against {theirs[at]}"
        if self.accepted != other.accepted:
            return f"accepted: {self.accepted} against {other.accepted}"
        for reason in RejectReason:
            if self.rejected[reason] != other.rejected[reason]:
                return (
                    f"rejected[{reason.value}]: {self.rejected[reason]} "
                    f"against {other.rejected[reason]}"
                )
        return None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Decision):
            return NotImplemented
        return self.difference(other) is None

    def __repr__(self) -> str:
        facts = "; ".join(f"{count} {name}" for name, count in self._facts())
        return f"<Decision: {facts}>"

    def _repr_html_(self) -> str:
        from stratoperf.authoring import html_facts

        return html_facts(self._facts(), "Decision")

    def _facts(self) -> list[tuple[str, int]]:
        decided = int(np.count_nonzero(self.decided >= 0))
        return [
            ("decided", decided),
            ("undecided", len(self.decided) - decided),
            ("votes accepted", self.accepted),
            *((reason.value, self.rejected[reason]) for reason in RejectReason),
            ("equivocating voters", len(self.equivocating_voters)),
        ]
