"""The check of the timed work's outcome, outside the timed region."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from stratoperf import _core, arguments
from stratoperf.errors import Interrupted, VerificationFailed
from stratoperf.operation import Operation

if TYPE_CHECKING:
    from stratoperf.measurement import Measurement


class Verification(NamedTuple):
    """How many outcomes of the timed work were checked, and whether all were right."""

    checked: int
    passed: bool


def verify(operation: Operation, measurement: Measurement) -> Verification | None:
    """Check what the timed loop produced.

    Parameters
    ----------
    operation
        As it was measured; its ``verify`` is called, or else the check of its native structure.
    measurement
        Travels with the errors.

    Returns
    -------
    Verification
        ``None`` when the operation has no check.

    Raises
    ------
    VerificationFailed
        When an outcome is wrong.
    Interrupted
        On Ctrl-C: a check can take longer than the sampling, and its samples are complete.
    """
    try:
        return _outcome(operation, measurement)
    except KeyboardInterrupt as interrupt:
        interrupted = Interrupted(
            f"{measurement.name}: interrupted while {measurement.count} samples were verified"
        )
        interrupted.measurement = measurement
        raise interrupted from interrupt


def _outcome(operation: Operation, measurement: Measurement) -> Verification | None:
    if operation.verify is not None:
        try:
            checked = operation.verify()
        except VerificationFailed as failure:
            measurement.verification = Verification(0, False)
            # A subclass may have no room for it.
            with contextlib.suppress(AttributeError):
                failure.measurement = measurement
            raise
        return Verification(
            arguments.whole_number(
                "verify: the number of outcomes that were checked", checked, 0, 2**63 - 1
            ),
            True,
        )
    outcome = _core.sampler.verify(operation.work) if operation.is_native else None
    if outcome is None:
        return None
    checked, passed, message = outcome
    verification = Verification(checked, passed)
    if not passed:
        measurement.verification = verification
        failed = VerificationFailed(f"{measurement.name}: the timed work is wrong: {message}")
        failed.measurement = measurement
        raise failed
    return verification
