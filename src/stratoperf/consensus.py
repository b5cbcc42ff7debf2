"""Byzantine quorum rounds over batches of votes.

A short name for `stratoperf.stratoswarm.consensus`, which has the details.
"""

from stratoperf.stratoswarm.consensus import (
    Decision,
    RejectReason,
    Round,
    Rules,
    VoteBatch,
    default_quorum,
    tolerated_faults,
)

__all__ = [
    "Decision",
    "RejectReason",
    "Round",
    "Rules",
    "VoteBatch",
    "default_quorum",
    "tolerated_faults",
]
