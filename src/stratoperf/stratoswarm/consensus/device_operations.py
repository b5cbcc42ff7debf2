"""Parts of a round on a CUDA device, as operations of their own."""

from __future__ import annotations

from collections.abc import Sequence

from stratoperf.operation import Operation
from stratoperf.stratoswarm.consensus.batch import VoteBatch
from stratoperf.stratoswarm.consensus.cuda import BYTES_PER_VOTE, mode_details, open_round
from stratoperf.stratoswarm.consensus.rotation import (
    checked_batches,
    columns,
    rotating_operation,
    votes_each,
)
from stratoperf.stratoswarm.consensus.round import Round


def resident_operation(round: Round, batches: Sequence[VoteBatch]) -> Operation:
    """Return the operation that decides batches which lie in device memory.

    As `Round.operation`, but neither votes nor answers cross the bus: what remains is the work of
    the device, beside how it gets to know of it. The votes are copied to the device now. The
    verification copies the answers back and holds them to the backend ``cpu``, which decides ten
    million votes in the time that the reference takes for some thousands.

    Raises
    ------
    InvalidParameter
        As `Round.operation`.
    BackendUnavailable
        When device memory does not suffice.
    """
    checked = checked_batches(batches)
    rules = round.rules
    capsule, rotation = open_round(rules, 0, round.mode).operation(columns(checked), resident=True)
    on_cpu = Round(
        rules.nodes, rules.proposals, rules.values, rules.round, rules.quorum, backend="cpu"
    )
    return rotating_operation(
        capsule,
        rotation,
        checked,
        rules,
        lambda batches: map(on_cpu.decide, batches),
        name="consensus.resident",
        details={"bytes_per_vote": BYTES_PER_VOTE, **mode_details(rotation)},
    )


def fill_operation(round: Round, batches: Sequence[VoteBatch]) -> Operation:
    """Return the operation that copies one batch an iteration to where the device reads it.

    This is what `Round.decide` does before the round itself, and what `Round.operation` leaves out:
    16 bytes a vote from ordinary into page-locked memory.

    Raises
    ------
    InvalidParameter
        As `Round.operation`.
    BackendUnavailable
        When page-locked memory does not suffice.
    """
    checked = checked_batches(batches)
    return Operation(
        open_round(round.rules, 0, round.mode).fill_operation(columns(checked)),
        name="consensus.fill",
        items=votes_each(checked),
        item_unit="votes",
        details={"bytes_per_vote": BYTES_PER_VOTE},
    )
