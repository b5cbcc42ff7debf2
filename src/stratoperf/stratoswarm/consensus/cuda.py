"""How rounds reach a CUDA device: its modes, and the native round of the CUDA module."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stratoperf import backends
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.stratoswarm.consensus.rotation import DeviceRotation
from stratoperf.stratoswarm.consensus.rules import Rules

if TYPE_CHECKING:
    from stratoperf._cuda import consensus as native

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
