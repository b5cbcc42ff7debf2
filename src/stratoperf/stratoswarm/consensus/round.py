"""A quorum round on a backend, for repeated use."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from stratoperf import backends
from stratoperf._core import consensus as native
from stratoperf.arguments import whole_number
from stratoperf.operation import Operation
from stratoperf.stratoswarm.consensus import reference
from stratoperf.stratoswarm.consensus.batch import VoteBatch
from stratoperf.stratoswarm.consensus.cuda import checked_mode, mode_details, open_round
from stratoperf.stratoswarm.consensus.decision import Decision
from stratoperf.stratoswarm.consensus.rotation import (
    DeviceRotation,
    NativeRound,
    checked_batch,
    checked_batches,
    columns,
    decision_of,
    rotating_operation,
    votes_each,
)
from stratoperf.stratoswarm.consensus.rules import MAX_CELLS, Rules

BACKENDS = ("cuda", "cpu", "reference")
MAX_THREADS = 1024


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
    mode
        How a CUDA device gets to know of a batch: ``"launch"`` (a kernel is launched for each),
        ``"graph"`` (a recorded graph is launched), ``"persistent"`` (a kernel that stays on the
        device sees it in mapped memory; small batches only), or ``"auto"``, the default: the
        fastest, found by trying when a size of batches first occurs.

    Raises
    ------
    InvalidParameter
        For an argument out of range, and for a mode where the backend is not ``"cuda"``.
    BackendUnavailable
        When the backend cannot run here, or memory for `capacity` votes does not suffice.
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
        mode: str | None = None,
        _instruction_set: str = "",
    ) -> None:
        self.rules = Rules.checked(nodes, proposals, values, round, quorum)
        self.backend = backends.resolve(backend, BACKENDS)
        self.threads = whole_number("threads", threads, 1, MAX_THREADS)
        capacity = whole_number("capacity", 0 if capacity is None else capacity, 0, MAX_CELLS - 1)
        self.mode = checked_mode(mode, self.backend)
        self._native: NativeRound | None = None
        if self.backend == "cuda":
            self._native = open_round(self.rules, capacity, self.mode)
        elif self.backend == "cpu":
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
            When `batch` is not a `VoteBatch`, or is too large for the mode ``"persistent"``.
        RuntimeError
            When another thread is deciding a batch with this Round.
        BackendUnavailable
            When a device has no memory for the batch (a smaller one may still be decided), and in
            a process that was forked from one that uses CUDA.
        StratoperfError
            When a device fails.
        """
        checked_batch(batch)
        if self._native is None:
            return reference.decide(batch, self.rules)
        return decision_of(
            self._native.decide(batch.voter, batch.proposal, batch.value, batch.round), self.rules
        )

    def operation(self, batches: Sequence[VoteBatch]) -> Operation:
        """Return the operation that decides one batch an iteration, in a circle.

        Give enough batches that neither caches nor branch predictors learn one of them (16 for
        batches of 10,000 votes). The operation works with buffers of its own. Its verification
        compares the last outcome that the timed loop produced for every batch with the reference.
        On a device the votes lie ready in page-locked memory; its details name the mode, and with
        ``"auto"`` the calibration.

        Raises
        ------
        InvalidParameter
            When there are no batches, no votes in them, or other objects than batches.
        """
        checked = checked_batches(batches)
        if self._native is None:
            return self._python_operation(checked)
        capsule, rotation = self._native.operation(columns(checked))
        return rotating_operation(
            capsule,
            rotation,
            checked,
            self.rules,
            lambda batches: reference.shared_decisions(batches, self.rules),
            details=mode_details(rotation) if isinstance(rotation, DeviceRotation) else None,
        )

    def _python_operation(self, batches: tuple[VoteBatch, ...]) -> Operation:
        """Return the operation of the reference itself; nothing is left to verify it against."""
        circle = itertools.cycle(batches)
        return Operation(
            lambda: reference.decide(next(circle), self.rules),
            name="consensus.round",
            items=votes_each(batches),
            item_unit="votes",
        )

    def __repr__(self) -> str:
        rules = self.rules
        return (
            f"<Round {rules.round}: {rules.nodes} nodes, {rules.proposals} proposals, "
            f"{rules.values} values, quorum {rules.quorum}, backend {self.backend}>"
        )
