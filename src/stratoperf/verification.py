"""The check of the timed work's outcome, outside the timed region."""

from __future__ import annotations

import contextlib
from typing import NamedTuple, Protocol

from stratoperf import _core, arguments
from stratoperf.errors import Interrupted, PartialMeasurement, VerificationFailed
from stratoperf.operation import Operation


class Verification(NamedTuple):
    """How many outcomes of the timed work were checked, and whether all were right."""

    checked: int
    passed: bool


class Verified(PartialMeasurement, Protocol):
    """A measurement, as far as its verification needs to know it."""

    verification: Verification | None


def verify(operation: Operation, measurement: Verified) -> Verification | None:
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
        verification, failure = outcome(operation, measurement.name)
    except KeyboardInterrupt as interrupt:
        interrupted = Interrupted(
            f"{measurement.name}: interrupted while {measurement.count} samples were verified"
        )
        interrupted.measurement = measurement
        raise interrupted from interrupt
    if failure is None:
        return verification
    measurement.verification = verification
    # A subclass may have no room for it.
    with contextlib.suppress(AttributeError):
        failure.measurement = measurement
    raise failure


def outcome(
    operation: Operation, name: str
) -> tuple[Verification | None, VerificationFailed | None]:
    """Return what the check of an operation finds, and what is wrong.

    Parameters
    ----------
    operation
        As for `verify`.
    name
        Name of what was measured, for the message.

    Raises
    ------
    InvalidParameter
        When its ``verify`` returns no number of outcomes.
    Exception
        Whatever its ``verify`` raises that is not `VerificationFailed`.
    """
    if operation.verify is not None:
        try:
            number = operation.verify()
        except VerificationFailed as failure:
            return Verification(0, False), failure
        what = "verify: the number of outcomes that were checked"
        return Verification(arguments.whole_number(what, number, 0, 2**63 - 1), True), None
    native = _core.sampler.verify(operation.work) if operation.is_native else None
    if native is None:
        return None, None
    failed = None
    if not native.passed:
        failed = VerificationFailed(f"{name}: the timed work is wrong: {native.message}")
    return Verification(native.checked, native.passed), failed
