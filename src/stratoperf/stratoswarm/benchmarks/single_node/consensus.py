"""One Byzantine quorum round: how long until a batch of votes is decided."""

from __future__ import annotations

from stratoperf import benchmark
from stratoperf.arguments import number, whole_number
from stratoperf.operation import Operation
from stratoperf.stratoswarm.claims import CONSENSUS_LATENCY
from stratoperf.stratoswarm.consensus import Round, VoteBatch
from stratoperf.stratoswarm.consensus.cuda import BYTES_PER_VOTE, MODES, checked_mode
from stratoperf.stratoswarm.consensus.device_operations import fill_operation, resident_operation
from stratoperf.stratoswarm.consensus.rules import MAX_CELLS

NODES = 100

# One of every node for each proposal.
MOST_VOTES = MAX_CELLS // NODES * NODES

# Enough batches that neither the second-level cache nor a branch predictor learns one of them. Of
# small batches it takes more, so that together they have this many votes at least.
BATCHES = 16
VOTES = 2000

# Votes in device memory: more than the second-level cache of any device holds, unless that takes
# too many batches.
RESIDENT_BYTES = 256 << 20
RESIDENT_BATCHES = range(2, 257)

# Where it is not a parameter.
BYZANTINE = 0.33


def _check_votes(votes: int) -> None:
    whole_number("votes", votes, 1, MOST_VOTES)


def _check_round(votes: int, byzantine: float, mode: str | None = None) -> None:
    _check_votes(votes)
    number("byzantine", byzantine, at_least=0.0, below=1.0)
    checked_mode(mode, "cuda")


@benchmark(
    "consensus.round",
    # The batch that the published claim speaks of comes first.
    params={"votes": [10_000, 1000, 100, 10, 1], "byzantine": [0.33, 0.1, 0.0]},
    backends=("cpu", "cuda", "reference"),
    backend_params={"cuda": {"mode": MODES}},
    target=CONSENSUS_LATENCY,
    check=_check_round,
)
def consensus_round(
    votes: int, byzantine: float, backend: str, mode: str | None = None
) -> Operation:
    """Verify, tally and decide one batch of votes of 100 nodes, on one thread or one device.

    Rotates through at least 16 batches; every one's last outcome is compared with the reference.
    On a device it is measured from host to host, with the votes in page-locked memory.
    """
    round = round_for(votes, backend, mode)
    return round.operation(batches_of(votes, byzantine, max(BATCHES, VOTES // votes)))


@benchmark(
    "consensus.fill",
    params={"votes": [10_000, 1000, 100, 10, 1]},
    backends=("cuda",),
    check=_check_votes,
)
def consensus_fill(votes: int, backend: str) -> Operation:
    """Copy one batch of votes into the page-locked memory that a device reads.

    What `consensus.round` leaves out on a device.
    """
    round = round_for(votes, backend)
    return fill_operation(round, batches_of(votes, BYZANTINE, max(BATCHES, VOTES // votes)))


@benchmark(
    "consensus.resident",
    params={"votes": [10_000_000, 1_000_000, 100_000]},
    backends=("cuda",),
    check=_check_votes,
)
def consensus_resident(votes: int, backend: str) -> Operation:
    """Decide one batch of votes that lie in device memory, where the answer stays.

    Rotates through batches of 256 MiB together, more than the device's caches hold; every one's
    last outcome is compared with that of the backend cpu. A vote has 16 bytes.
    """
    round = round_for(votes, backend)
    wanted = -(-RESIDENT_BYTES // (BYTES_PER_VOTE * votes))
    count = min(max(wanted, RESIDENT_BATCHES[0]), RESIDENT_BATCHES[-1])
    return resident_operation(round, batches_of(votes, BYZANTINE, count))


def round_for(votes: int, backend: str, mode: str | None = None) -> Round:
    """Return the round for batches of this size: one vote of every node for each proposal."""
    proposals = -(-votes // NODES)  # rounded up, as the generator does by default
    return Round(nodes=NODES, proposals=proposals, backend=backend, capacity=votes, mode=mode)


def batches_of(votes: int, byzantine: float, count: int) -> list[VoteBatch]:
    """Return different batches of this number of votes."""
    return [
        VoteBatch.generate(votes, nodes=NODES, byzantine=byzantine, seed=seed)
        for seed in range(count)
    ]
