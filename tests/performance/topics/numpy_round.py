"""A quorum round in NumPy, the way an expert would vectorize it."""

from __future__ import annotations

import numpy as np

from stratoperf.stratoswarm.consensus import Decision, RejectReason, Rules, VoteBatch


def decide(batch: VoteBatch, rules: Rules) -> Decision:
    """Return the same outcome as the backends.

    One pass for each check; then one bincount over (value, proposal, voter), whose planes are
    small and contiguous, and everything else on those planes as bytes.
    """
    nodes, proposals, values = rules.nodes, rules.proposals, rules.values
    ok = batch.voter < nodes
    passed = [np.count_nonzero(ok)]
    for check in (
        batch.round == rules.round,
        batch.proposal < proposals,
        batch.value < values,
    ):
        ok &= check
        passed.append(np.count_nonzero(ok))

    # 32-bit arithmetic suffices for the key, and bincount wants a signed index.
    key = (batch.value * np.uint32(proposals) + batch.proposal) * np.uint32(nodes) + batch.voter
    counts = np.bincount(key[ok].astype(np.intp), minlength=values * proposals * nodes)
    planes = counts.reshape(values, proposals, nodes)
    present = planes != 0
    distinct = np.add.reduce(present, axis=0, dtype=np.uint8)
    equivocal = distinct > 1
    present &= distinct == 1

    # A product with ones in single precision: exact up to 2^24 nodes, faster than summing bytes.
    ones = np.ones(nodes, np.float32)
    tallies = (present.astype(np.float32) @ ones).astype(np.uint32).T
    decided = np.where(
        (reached := tallies >= rules.quorum).any(axis=1), reached.argmax(axis=1), np.int64(-1)
    )
    pairs = np.argwhere(equivocal)
    equivocal_votes = int(planes[:, pairs[:, 0], pairs[:, 1]].sum())
    accepted = int(tallies.sum())
    rejected = [
        *(int(step) for step in -np.diff([len(batch), *passed])),
        equivocal_votes,
        passed[-1] - accepted - equivocal_votes,
    ]
    return Decision(
        decided,
        np.ascontiguousarray(tallies),
        pairs.astype(np.uint32),
        accepted,
        dict(zip(RejectReason, rejected, strict=True)),
    )
