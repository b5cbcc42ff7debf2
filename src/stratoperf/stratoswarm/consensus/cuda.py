"""Rounds on a CUDA device."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from stratoperf import backends
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.operation import Operation
from stratoperf.stratoswarm.consensus.batch import VoteBatch
from stratoperf.stratoswarm.consensus.rotation import (
    DeviceRotation,
    checked_batches,
    columns,
    rotating_operation,
    votes_each,
)
from stratoperf.stratoswarm.consensus.rules import Rules

if TYPE_CHECKING:
    from stratoperf._cuda import consensus as native
    from stratoperf.stratoswarm.consensus.round import Round

MODES = ("auto", "launch", "graph", "persistent")
"""How the device gets to know of a batch."""

BYTES_PER_VOTE = 16
"""What a device reads of each: voter, proposal, value and round."""


def checked_mode(mode: object, backend: str) -> str:
    """Return the mode of a round on `backend`; ``None`` stands for ``"auto"``.

    Raises
    ------
    InvalidParameter
        For an unknown mode, or for one that `backend` does not have.
    """
    if mode is None:
        return "auto"
    if mode not in MODES:
        raise InvalidParameter(f"mode: {mode!r} is unknown; {did_you_mean(str(mode), MODES)}")
    if backend != "cuda" and mode != "auto":
        raise InvalidParameter(
            f"mode: {mode!r} is a mode of the backend 'cuda', got backend {backend!r}; "
            "leave it out, or ask for backend='cuda'"
        )
    return str(mode)


def open_round(rules: Rules, capacity: int, mode: str) -> native.Round:
    """Return the native round of the CUDA module.

    Raises
    ------
    BackendUnavailable
        When there is no device, or not enough memory for `capacity` votes.
    """
    backends.cuda_module()  # says so where this build has none
    from stratoperf._cuda import consensus as native

    return native.Round(
        nodes=rules.nodes,
        proposals=rules.proposals,
        values=rules.values,
        round=rules.round,
        quorum=rules.quorum,
        capacity=capacity,
        mode=mode,
    )


def mode_details(rotation: DeviceRotation) -> dict[str, str | dict[str, float]]:
    """Return the mode of an operation, and the calibration that chose it: median us of a round."""
    details: dict[str, str | dict[str, float]] = {"mode": rotation.mode}
    if rotation.calibration:
        details["calibration_us"] = rotation.calibration
    return details


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
    from stratoperf.stratoswarm.consensus.round import Round

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
