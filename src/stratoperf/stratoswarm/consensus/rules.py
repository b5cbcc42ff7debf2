"""The parameters of a round, checked once for all backends."""

from __future__ import annotations

from dataclasses import dataclass

from stratoperf.arguments import whole_number
from stratoperf.errors import InvalidParameter

MAX_CELLS = 2**31
"""Cells (nodes times proposals) and tallies (proposals times values) of one round."""


def tolerated_faults(nodes: int) -> int:
    """Return f = floor((n - 1) / 3): how many of `nodes` may be faulty."""
    return (whole_number("nodes", nodes, 1, MAX_CELLS) - 1) // 3


def default_quorum(nodes: int) -> int:
    """Return floor((n + f) / 2) + 1, the fewest votes that decide safely for any n.

    Two quorums of this size share more than f voters, so at least one honest one. A plain 2f + 1
    has this property only when n = 3f + 1.
    """
    return (nodes + tolerated_faults(nodes)) // 2 + 1


@dataclass(frozen=True)
class Rules:
    """What a round checks votes against.

    Parameters
    ----------
    nodes
        Voters 0 to nodes - 1 are authorized.
    proposals, values
        Proposals and values count from 0 too; at most 2^31 (nodes * proposals) and
        (proposals * values).
    round
        The current round, a 32-bit number.
    quorum
        Votes that decide; by default `default_quorum`. More than half of the nodes, so that at
        most one value can have it.

    Raises
    ------
    InvalidParameter
        For anything outside these bounds.
    """

    nodes: int
    proposals: int
    values: int
    round: int
    quorum: int

    @classmethod
    def checked(
        cls, nodes: int, proposals: int, values: int, round: int, quorum: int | None
    ) -> Rules:
        """Return the rules with every argument checked and the default quorum filled in."""
        nodes = whole_number("nodes", nodes, 1, MAX_CELLS)
        proposals = whole_number("proposals", proposals, 1, MAX_CELLS)
        values = whole_number("values", values, 1, MAX_CELLS)
        round = whole_number("round", round, 0, 2**32 - 1)
        if nodes * proposals > MAX_CELLS:
            raise InvalidParameter(
                f"proposals: {nodes} nodes * {proposals} proposals is over 2^31; "
                "split the proposals over several rounds"
            )
        if proposals * values > MAX_CELLS:
            raise InvalidParameter(
                f"values: {proposals} proposals * {values} values is over 2^31; "
                "split the proposals over several rounds"
            )
        if quorum is None:
            quorum = default_quorum(nodes)
        quorum = whole_number("quorum", quorum, 1, 2**32 - 1)
        if not nodes < 2 * quorum <= 2 * nodes:
            raise InvalidParameter(
                f"quorum: expected {nodes // 2 + 1} to {nodes} of {nodes} nodes (more than half, "
                f"so that two values cannot both be decided), got {quorum}; "
                f"the default is {default_quorum(nodes)}"
            )
        return cls(nodes, proposals, values, round, quorum)
