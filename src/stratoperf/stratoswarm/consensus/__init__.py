"""Byzantine quorum rounds over batches of votes.

A vote says that a node (the voter) wants a value for a proposal in a round. A `Round` rejects the
votes that do not count, tallies the others and decides every proposal that a quorum agrees on:

1. A vote is rejected for the first reason that applies, in the order of `RejectReason`. Any round
   other than the current one is stale, a later one too: it is not evidence for this round.
2. A voter with two values for one proposal equivocates: all its votes for that proposal that no
   earlier reason rejects are lost, and it is named. Rejected votes are not evidence of this.
3. Of several equal votes of one voter for one proposal one counts; the others are duplicates.
4. With n nodes, f = floor((n - 1) / 3) may be faulty. A value with floor((n + f) / 2) + 1 votes
   (2f + 1 when n = 3f + 1) is decided. A proposal that no value wins stays undecided.

The outcome depends on which votes are in the batch, not on their order.

Authenticating votes is not part of the round: a batch holds votes whose senders are known already.
Checking 10,000 signatures takes hundreds of milliseconds on one core and would dominate, so a
latency measured here is that of counting authenticated votes. It supports a claim about a whole
protocol only if that authenticates elsewhere (say, with message authentication codes on the
connections). A check would be one more reason, ahead of all others, in `RejectReason`.

Timestamps stay with the host and do not influence the outcome.
"""

from stratoperf.stratoswarm.consensus.batch import VoteBatch
from stratoperf.stratoswarm.consensus.decision import Decision, RejectReason
from stratoperf.stratoswarm.consensus.round import Round
from stratoperf.stratoswarm.consensus.rules import Rules, default_quorum, tolerated_faults

__all__ = [
    "Decision",
    "RejectReason",
    "Round",
    "Rules",
    "VoteBatch",
    "default_quorum",
    "tolerated_faults",
]
