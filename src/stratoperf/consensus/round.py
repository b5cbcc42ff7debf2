"""A quorum round on a backend, for repeated use."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from stratoperf import backends
from stratoperf._core import consensus as native
from stratoperf.consensus import reference
from stratoperf.consensus.batch import VoteBatch
from stratoperf.consensus.decision import Decision, RejectReason
from stratoperf.consensus.rules import MAX_CELLS, Rules, whole_number
from stratoperf.errors import InvalidParameter, VerificationFailed
from stratoperf.operation import Operation

BACKENDS = ("cuda", "cpu", "reference")
MAX_THREADS = 1024

NativeOutcome = tuple[
    "np.ndarray[tuple[int], np.dtype[np.int64]]",
    "np.ndarray[tuple[int], np.dtype[np.uint32]]",
    "np.ndarray[tuple[int], np.dtype[np.uint32]]",
    int,
    list[int],
]


class Round:
    """Verifies, tallies and decides batches of votes; the module describes the rules.

    Keeps its buffers from batch to batch, so that only the first batch of a size pays for them.
    A Round belongs to one thread at a time; the GIL is released while it works.

    Parameters
    ----------
    nodes, proposals, values, round, quorum
        See `Rules`; the quorum is `default_quorum` by default.
    backend
        ``"cpu"``, ``"cuda"``, ``"reference"`` (plain Python), or ``"auto"``: the best here.
    threads
        The most that a batch is spread over; one thread is used for each 32,768 votes. Threads
        are started at the first batch large enough and sleep between batches.
    capacity
        Votes in the largest batch, to allocate memory for it now; larger ones still work.

    Raises
    ------
    InvalidParameter
        For an argument out of range.
    BackendUnavailable
        When the backend cannot run here.
    """

    def __init__(
        self,
        nodes: int = 100,
        proposals: int = 100,
        values: int = 2,
        round: int = 1,
        quorum: int | None = None,
        backend: str = "auto",
        threads: int = 1,
        capacity: int | None = None,
        *,
        _instruction_set: str = "",
    ) -> None:
        self.rules = Rules.checked(nodes, proposals, values, round, quorum)
        self.backend = backends.resolve(backend, BACKENDS)
        self.threads = whole_number("threads", threads, 1, MAX_THREADS)
        capacity = whole_number("capacity", 0 if capacity is None else capacity, 0, MAX_CELLS - 1)
        self._native = None
        if self.backend == "cpu":
            self._native = native.Round(
                nodes=self.rules.nodes,
                proposals=self.rules.proposals,
                values=self.rules.values,
                round=self.rules.round,
                quorum=self.rules.quorum,
                threads=self.threads,
                capacity=capacity,
                instruction_set=_instruction_set,
            )

    def decide(self, batch: VoteBatch) -> Decision:
        """Return the outcome for a batch.

        Raises
        ------
        InvalidParameter
            When `batch` is no `VoteBatch`.
        RuntimeError
            When another thread is deciding a batch with this Round.
        """
        _check_batch(batch)
        if self._native is None:
            return reference.decide(batch, self.rules)
        return self._decision(
            self._native.decide(batch.voter, batch.proposal, batch.value, batch.round)
        )

    def operation(self, batches: Sequence[VoteBatch]) -> Operation:
        """Return the operation that decides one batch an iteration, in a circle.

        Give enough batches that neither caches nor branch predictors learn one of them (16 for
        batches of 10,000 votes). The operation works with buffers of its own. Its verification
        compares the last outcome that the timed loop produced for every batch with the reference.

        Raises
        ------
        InvalidParameter
            When there is no batch, no vote in any, or something else than batches.
        """
        batches = tuple(batches)
        for batch in batches:
            _check_batch(batch)
        votes = sum(len(batch) for batch in batches)
        if votes == 0:
            raise InvalidParameter(
                f"batches: expected at least one vote to count, got {len(batches)} batches without"
            )
        items = votes / len(batches)
        if self._native is None:
            return self._python_operation(batches, items)
        capsule, rotation = self._native.operation(
            [(batch.voter, batch.proposal, batch.value, batch.round) for batch in batches]
        )
        expected: dict[int, Decision] = {}

        def verify() -> int:
            checked = 0
            for index, batch in enumerate(batches):
                outcome = rotation.outcome(index)
                if outcome is None:
                    continue
                if index not in expected:
                    expected[index] = reference.decide(batch, self.rules)
                difference = self._decision(outcome).difference(expected[index])
                if difference is not None:
                    raise VerificationFailed(
                        f"batch {index}: the timed round differs from the reference: {difference}"
                    )
                checked += 1
            return checked

        return Operation(
            capsule, name="consensus.round", items=items, item_unit="votes", verify=verify
        )

    def _python_operation(self, batches: tuple[VoteBatch, ...], items: float) -> Operation:
        """Return the operation of the reference itself; nothing is left to verify it against."""
        circle = itertools.cycle(batches)
        return Operation(
            lambda: reference.decide(next(circle), self.rules),
            name="consensus.round",
            items=items,
            item_unit="votes",
        )

    def _decision(self, outcome: NativeOutcome) -> Decision:
        decided, tallies, equivocators, accepted, rejected = outcome
        return Decision(
            decided,
            tallies.reshape(self.rules.proposals, self.rules.values),
            equivocators.reshape(-1, 2),
            accepted,
            dict(zip(RejectReason, rejected, strict=True)),
        )

    def __repr__(self) -> str:
        rules = self.rules
        return (
            f"<Round {rules.round}: {rules.nodes} nodes, {rules.proposals} proposals, "
            f"{rules.values} values, quorum {rules.quorum}, backend {self.backend}>"
        )


def _check_batch(batch: object) -> None:
    if not isinstance(batch, VoteBatch):
        raise InvalidParameter(
            f"batch: expected a VoteBatch, got {type(batch).__name__}; "
            "build one with VoteBatch(voter, proposal, value, round)"
        )
