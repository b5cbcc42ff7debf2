"""One Byzantine quorum round: how long until a batch of votes is decided."""

from __future__ import annotations

from stratoperf.consensus import Round, VoteBatch
from stratoperf.consensus.rules import MAX_CELLS, whole_number
from stratoperf.operation import Operation
from stratoperf.suite.registry import benchmark
from stratoperf.suite.targets import Target

NODES = 100

# Enough batches that neither the second-level cache nor a branch predictor learns one of them. Of
# small batches it takes more, so that together they have this many votes at least.
BATCHES = 16
VOTES = 2000


@benchmark(
    "consensus.round",
    # The batch that the published claim speaks of comes first.
    params={"votes": [10_000, 1000, 100, 10, 1], "byzantine": [0.33, 0.1, 0.0]},
    backends=("cpu", "cuda", "reference"),
    target=Target("latency.p95", "<", 100, "us", where={"backend": "cuda", "votes": 10_000}),
)
def consensus_round(votes: int, byzantine: float, backend: str) -> Operation:
    """Verify, tally and decide one batch of votes of 100 nodes, on one thread.

    Rotates through at least 16 batches; every one's last outcome is compared with the reference.
    """
    whole_number("votes", votes, 1, MAX_CELLS - 1)
    batches = [
        VoteBatch.generate(votes, nodes=NODES, byzantine=byzantine, seed=seed)
        for seed in range(max(BATCHES, VOTES // votes))
    ]
    proposals = -(-votes // NODES)  # rounded up, as the generator does by default
    return Round(nodes=NODES, proposals=proposals, backend=backend, capacity=votes).operation(
        batches
    )
