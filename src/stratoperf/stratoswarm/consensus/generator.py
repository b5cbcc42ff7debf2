"""Random vote batches with faulty nodes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from stratoperf import arguments
from stratoperf.arguments import whole_number
from stratoperf.authoring import check_room
from stratoperf.stratoswarm.consensus.rules import MAX_CELLS

# One proposal in this many divides the honest nodes, so that undecided ones occur too.
SPLIT_EVERY = 10

# Mean time between two votes and the time of the first, in ns: plausible, and fixed so that the
# same seed gives the same trace.
MEAN_GAP_NS = 1000.0
EPOCH_NS = 1_700_000_000_000_000_000

# How far beyond its bound a wrong voter or value may lie.
OVERSHOOT = 8

# Up to so many, or so many times the votes, all nodes are drawn, exactly the given share of them
# faulty. Of more, only those that vote are drawn, each faulty with that probability: the time goes
# with the votes.
FEW = 1_000_000
SHARE = 64

# Of the columns, and of what they are made from.
BYTES_PER_VOTE = 160

EQUIVOCATION, UNAUTHORIZED, STALE, OUT_OF_RANGE, DUPLICATE = range(5)


def generate(
    votes: int,
    nodes: int,
    byzantine: float,
    proposals: int | None,
    values: int,
    round: int,
    seed: int,
) -> dict[str, npt.NDArray[Any]]:
    """Return the columns of `VoteBatch.generate`, which documents the arguments."""
    votes = whole_number("votes", votes, 0, MAX_CELLS - 1)
    nodes = whole_number("nodes", nodes, 1, MAX_CELLS)
    values = whole_number("values", values, 1, MAX_CELLS)
    round = whole_number("round", round, 0, 2**32 - 1)
    seed = whole_number("seed", seed, 0, 2**63 - 1)
    if proposals is None:
        proposals = max(1, -(-votes // nodes))
    proposals = whole_number("proposals", proposals, 1, MAX_CELLS)
    byzantine = arguments.number("byzantine", byzantine, at_least=0.0, below=1.0)

    check_room("votes", votes, votes * BYTES_PER_VOTE)
    rng = np.random.default_rng(seed)
    # Slot k is a node's vote on a proposal; the slots go proposal by proposal through the nodes.
    slot = np.arange(votes) % (nodes * proposals)
    proposal = slot // nodes
    # Only this number of nodes and proposals come to a vote.
    voting = min(nodes, votes)
    if nodes > max(FEW, SHARE * votes):
        node_order = rng.choice(nodes, voting, replace=False)
        is_faulty = rng.random(voting) < byzantine
        faulty = node_order[is_faulty]
    else:
        node_order = rng.permutation(nodes)
        faulty = None
    drawn = proposals
    if proposals > max(FEW, SHARE * votes):
        drawn = min(proposals, -(-votes // nodes))
    voter = node_order[slot % nodes]
    value = rng.integers(values, size=drawn)[proposal]
    split = (rng.integers(SPLIT_EVERY, size=drawn) == 0)[proposal]
    opinion = rng.integers(values, size=min(votes, nodes * proposals))[slot]
    value[split] = opinion[split]
    rounds = np.full(votes, round)

    if faulty is None:
        faulty = rng.permutation(nodes)[: int(byzantine * nodes + 0.5)]
    of_faulty = rng.permutation(np.flatnonzero(np.isin(voter, faulty)))
    behavior = rng.integers(EQUIVOCATION if values > 1 else UNAUTHORIZED, 5, size=len(of_faulty))
    for kind in (EQUIVOCATION, DUPLICATE):
        first, second = _pairs(of_faulty, behavior, kind)
        voter[second], proposal[second] = voter[first], proposal[first]
        value[second] = value[first]
        if kind == EQUIVOCATION:
            others = rng.integers(1, max(values, 2), size=len(first))
            value[second] = (value[first] + others) % values
    single = {kind: of_faulty[behavior == kind] for kind in (UNAUTHORIZED, STALE, OUT_OF_RANGE)}
    for kind, array, bound in (
        (UNAUTHORIZED, voter, nodes),
        (OUT_OF_RANGE, value, values),
    ):
        array[single[kind]] = bound + rng.integers(OVERSHOOT, size=len(single[kind]))
    late = rng.integers(1, OVERSHOOT, size=len(single[STALE]))
    rounds[single[STALE]] = (round - late) % 2**32  # before round 0 comes the last one

    order = rng.permutation(votes)
    gaps = rng.exponential(MEAN_GAP_NS, size=votes).astype(np.uint64)
    return {
        "voter": voter[order].astype(np.uint32),
        "proposal": proposal[order].astype(np.uint32),
        "value": value[order].astype(np.uint32),
        "round": rounds[order].astype(np.uint32),
        "timestamp": np.uint64(EPOCH_NS) + np.cumsum(gaps, dtype=np.uint64),
    }


def _pairs(
    slots: npt.NDArray[np.int64], behavior: npt.NDArray[np.int64], kind: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Pair up the slots that show `kind`; one left over becomes a stale vote in `behavior`."""
    chosen = np.flatnonzero(behavior == kind)
    if len(chosen) % 2:
        behavior[chosen[-1]] = STALE
    half = len(chosen) // 2
    return slots[chosen[:half]], slots[chosen[half : 2 * half]]
