"""Operations that decide one batch after another, and what their outcomes are held to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Protocol

import numpy as np

from stratoperf.errors import InvalidParameter, VerificationFailed
from stratoperf.operation import Capsule, Details, Operation
from stratoperf.stratoswarm.consensus.batch import VoteBatch
from stratoperf.stratoswarm.consensus.decision import Decision, RejectReason
from stratoperf.stratoswarm.consensus.rules import Rules

NativeOutcome = tuple[
    "np.ndarray[tuple[int], np.dtype[np.int64]]",
    "np.ndarray[tuple[int], np.dtype[np.uint32]]",
    "np.ndarray[tuple[int], np.dtype[np.uint32]]",
    int,
    list[int],
]
"""What a native round returns: decided, flat tallies, flat pairs, accepted, rejected."""


class Rotation(Protocol):
    """The last outcome for each batch of a native operation."""

    def outcome(self, index: int) -> Any:
        """Return a `NativeOutcome`, or ``None`` for a batch that had no turn."""
        ...


def decision_of(outcome: NativeOutcome, rules: Rules) -> Decision:
    """Return what a native round decided."""
    decided, tallies, equivocators, accepted, rejected = outcome
    return Decision(
        decided,
        tallies.reshape(rules.proposals, rules.values),
        equivocators.reshape(-1, 2),
        accepted,
        dict(zip(RejectReason, rejected, strict=True)),
    )


def checked_batch(batch: object) -> VoteBatch:
    """Return `batch`.

    Raises
    ------
    InvalidParameter
        When it is no `VoteBatch`.
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
        When there is no batch, no vote in any, or something else than batches.
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


def columns(batches: Sequence[VoteBatch]) -> list[tuple[Any, ...]]:
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
        decided = [index for index in range(len(batches)) if rotation.outcome(index) is not None]
        fresh = [index for index in decided if index not in expected]
        expected.update(zip(fresh, expect([batches[index] for index in fresh]), strict=True))
        for index in decided:
            outcome = rotation.outcome(index)
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
