"""The exceptions of the package, and the nearest-name hints that their messages carry."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from stratoperf.analysis.comparison import Comparison
    from stratoperf.measurement import Measurement
    from stratoperf.results import Run


class StratoperfError(Exception):
    """Base of every error that stratoperf raises on purpose."""


class BackendUnavailable(StratoperfError):
    """The requested backend cannot run here; the message says why, and how to fix it."""


class PrerequisiteMissing(StratoperfError):
    """Something that the measurement needs (a device, a permission, an extra) is missing."""


class SchemaError(StratoperfError):
    """A run file does not follow the schema; the message names the key path."""


class InvalidParameter(StratoperfError, ValueError):
    """An argument is wrong; the message names it, its value and the fix."""


class VerificationFailed(StratoperfError):
    """The outcome of the timed work differs from the reference.

    Attributes
    ----------
    measurement
        The measurement, or ``None``. It timed work with wrong results: never report it as speed.
    """

    measurement: Measurement | None = None


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a measurement or a run, with the samples so far.

    It is a ``KeyboardInterrupt``, so that a script stops as its user expects; catch this class to
    keep the partial result.

    Attributes
    ----------
    measurement
        The partial measurement, or ``None`` when no sample was taken.
    run
        The partial run, when a run was interrupted.
    comparison
        The verdicts so far, when a live comparison was interrupted.
    """

    measurement: Measurement | None = None
    run: Run | None = None
    comparison: Comparison | None = None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown name: the nearest known one, or the list of all.

    Parameters
    ----------
    name
        What the user wrote.
    known
        The valid names.
    """
    known = sorted(known)
    close = difflib.get_close_matches(name, known, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    return f"known: {', '.join(known)}" if known else "no names are known"
