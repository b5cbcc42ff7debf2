"""The reference backend: the definition of a round in plain Python, vote by vote."""

from __future__ import annotations

import itertools
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import astuple
from typing import Any

import numpy as np
import numpy.typing as npt

from stratoperf import artifact
from stratoperf.stratoswarm.consensus.batch import VoteBatch
from stratoperf.stratoswarm.consensus.decision import Decision, RejectReason
from stratoperf.stratoswarm.consensus.rules import Rules


def decide(batch: VoteBatch, rules: Rules) -> Decision:
    """Return the outcome of a round, obviously right and slow (about 1 us a vote)."""
    rejected: Counter[RejectReason] = Counter()
    valid: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    votes = zip(
        batch.voter.tolist(),
        batch.proposal.tolist(),
        batch.value.tolist(),
        batch.round.tolist(),
        strict=True,
    )
    for voter, proposal, value, round_of_vote in votes:
        if voter >= rules.nodes:
            rejected[RejectReason.UNAUTHORIZED_VOTER] += 1
        elif round_of_vote != rules.round:
            rejected[RejectReason.STALE_ROUND] += 1
        elif proposal >= rules.proposals:
            rejected[RejectReason.PROPOSAL_OUT_OF_RANGE] += 1
        elif value >= rules.values:
            rejected[RejectReason.VALUE_OUT_OF_RANGE] += 1
        else:
            valid[proposal, voter].append(value)

    tallies = np.zeros((rules.proposals, rules.values), np.uint32)
    equivocators: list[tuple[int, int]] = []
    for (proposal, voter), cast in sorted(valid.items()):
        if len(set(cast)) > 1:
            equivocators.append((proposal, voter))
            rejected[RejectReason.EQUIVOCATION] += len(cast)
        else:
            tallies[proposal, cast[0]] += 1
            rejected[RejectReason.DUPLICATE] += len(cast) - 1

    decided = np.full(rules.proposals, -1, np.int64)
    for proposal, value in np.argwhere(tallies >= rules.quorum).tolist():
        decided[proposal] = value
    return Decision(
        decided,
        tallies,
        np.array(equivocators, np.uint32).reshape(-1, 2),
        accepted=int(tallies.sum()),
        rejected={reason: rejected[reason] for reason in RejectReason},
    )


def shared_decisions(batches: Sequence[VoteBatch], rules: Rules) -> list[Decision]:
    """Return the outcome for each batch, decided once for all processes that measure these votes.

    What they are held to is the same for all; each compares its own outcomes with it.
    """
    if not batches:
        return []
    votes = [[batch.voter, batch.proposal, batch.value, batch.round] for batch in batches]
    together = artifact(
        "consensus decisions",
        astuple(rules),
        votes,
        build=lambda: _together([decide(batch, rules) for batch in batches]),
    )
    # A part for each batch of all but the pairs, of which each has its own number.
    ends = np.cumsum(together["pairs"]).tolist()
    return [
        Decision(
            together["decided"][number],
            together["tallies"][number],
            together["equivocators"][begin:end],
            int(together["accepted"][number]),
            dict(zip(RejectReason, together["rejected"][number].tolist(), strict=True)),
        )
        for number, (begin, end) in enumerate(itertools.pairwise([0, *ends]))
    ]


def _together(decisions: Sequence[Decision]) -> dict[str, npt.NDArray[Any]]:
    """Return decisions as few arrays."""
    return {
        "decided": np.stack([decision.decided for decision in decisions]),
        "tallies": np.stack([decision.tallies for decision in decisions]),
        "equivocators": np.concatenate([decision.equivocators for decision in decisions]),
        "pairs": np.array([len(decision.equivocators) for decision in decisions]),
        "accepted": np.array([decision.accepted for decision in decisions]),
        "rejected": np.array(
            [[decision.rejected[reason] for reason in RejectReason] for decision in decisions]
        ),
    }
