"""The reference backend: the definition of a round in plain Python, vote by vote."""

from __future__ import annotations

from collections import Counter, defaultdict

import numpy as np

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
