"""Operations that decide one batch after another, and what their outcomes are held to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeAlias, runtime_checkable

import numpy as np
import numpy.typing as npt

from stratoperf.errors import InvalidParameter, VerificationFailed
from stratoperf.operation import Capsule, Details, Operation
from stratoperf.stratoswarm.consensus.batch import VoteBatch
from stratoperf.stratoswarm.consensus.decision import Decision, RejectReason
from stratoperf.stratoswarm.consensus.rules import Rules

Column: TypeAlias = npt.NDArray[np.uint32]
Columns: TypeAlias = tuple[Column, Column, Column, Column]
"""Voter, proposal, value and round of each vote."""


class NativeOutcome(Protocol):
    """What a native round decided, on whatever backend; see `Decision`."""

    @property
    def decided(self) -> npt.NDArray[np.int64]:
        """The value of each proposal, -1 for none."""
        ...

    @property
    def tallies(self) -> Column:
        """Flat: the votes for each value of each proposal."""
        ...

    @property
    def equivocators(self) -> Column:
        """Flat: pairs of proposal and voter."""
        ...

    @property
    def accepted(self) -> int:
        """The number of votes that the tallies count."""
        ...

    @property
    def rejected(self) -> list[int]:
        """The number of votes for each `RejectReason`."""
        ...


class Rotation(Protocol):
    """The last outcome for each batch of a native operation."""

    def outcome(self, index: int) -> NativeOutcome | None:
        """Return the outcome of a batch, ``None`` for one that had no turn."""
        ...


@runtime_checkable
class DeviceRotation(Rotation, Protocol):
    """The last outcome for each batch of an operation on a device."""

    @property
    def mode(self) -> str:
        """The mode that batches are decided in."""
        ...

    @property
    def calibration(self) -> dict[str, float]:
        """Microseconds of a round in each mode that was tried."""
        ...


class NativeRound(Protocol):
    """A round that keeps its memory, on whatever backend."""

    def decide(
        self, voter: Column, proposal: Column, value: Column, round: Column
    ) -> NativeOutcome:
        """Return the outcome for a batch."""
        ...

    def operation(self, batches: list[Columns]) -> tuple[Capsule, Rotation]:
        """Return the operation that decides one batch after another, and what it decided."""
        ...


def decision_of(outcome: NativeOutcome, rules: Rules) -> Decision:
    """Return what a native round decided."""
    return Decision(
        outcome.decided,
        outcome.tallies.reshape(rules.proposals, rules.values),
        outcome.equivocators.reshape(-1, 2),
        outcome.accepted,
        dict(zip(RejectReason, outcome.rejected, strict=True)),
    )


def checked_batch(batch: object) -> VoteBatch:
    """Return `batch`.

    Raises
    ------
    InvalidParameter
        When it is not a `VoteBatch`.
    """
    if not isinstance(batch, VoteBatch):
        raise InvalidParameter(
            f"batch: expected a VoteBatch, got {type(batch).__name__}; "
            "build one with VoteBatch(voter, proposal, value, round)"
        )
    return batch


def checked_batches(batches: Sequence[VoteBatch]) -> tuple[VoteBatch, ...]:
    """Return the batches of an operation.

    Raises
    ------
    InvalidParameter
        When there are no batches, no votes in them, or other objects than batches.
    """
    checked = tuple(checked_batch(batch) for batch in batches)
    if not any(len(batch) for batch in checked):
        raise InvalidParameter(
            f"batches: expected at least one vote to count, got {len(checked)} batches without"
        )
    return checked


def votes_each(batches: Sequence[VoteBatch]) -> float:
    """Return how many votes one iteration has, on average."""
    return sum(len(batch) for batch in batches) / len(batches)


def columns(batches: Sequence[VoteBatch]) -> list[Columns]:
    """Return the batches as native code takes them."""
    return [(batch.voter, batch.proposal, batch.value, batch.round) for batch in batches]


def rotating_operation(
    capsule: Capsule,
    rotation: Rotation,
    batches: tuple[VoteBatch, ...],
    rules: Rules,
    expect: Callable[[Sequence[VoteBatch]], Iterable[Decision]],
    name: str = "consensus.round",
    details: Details | None = None,
) -> Operation:
    """Return the operation of a native capsule; its verification holds outcomes to `expect`."""
    expected: dict[int, Decision] = {}

    def verify() -> int:
        outcomes = {index: rotation.outcome(index) for index in range(len(batches))}
        decided = {index: outcome for index, outcome in outcomes.items() if outcome is not None}
        fresh = [index for index in decided if index not in expected]
        expected.update(zip(fresh, expect([batches[index] for index in fresh]), strict=True))
        for index, outcome in decided.items():
            difference = decision_of(outcome, rules).difference(expected[index])
            if difference is not None:
                raise VerificationFailed(
                    f"batch {index}: the timed round differs from the reference: {difference}"
                )
        return len(decided)

    return Operation(
        capsule,
        name=name,
        items=votes_each(batches),
        item_unit="votes",
        verify=verify,
        details=details,
    )
