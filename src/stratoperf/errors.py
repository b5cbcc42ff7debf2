"""The exceptions of the package, and the nearest-name hints that their messages carry."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray


# What errors carry is of types above this module: ``isinstance`` tells a type checker more.


class PartialMeasurement(Protocol):
    """The partial measurement that an error carries: a `stratoperf.Measurement`."""

    name: str
    samples_ns: NDArray[np.float64]
    stopped_because: str

    @property
    def count(self) -> int:
        """The number of samples."""

    @property
    def scope(self) -> str:
        """What the intervals speak of."""


class PartialRun(Protocol):
    """The partial run that an error carries: a `stratoperf.Run`."""

    path: Path | None

    def save(self, path: str | Path) -> Path:
        """Write the run file."""


class PartialComparison(Protocol):
    """The partial comparison that an error carries: a `stratoperf.Comparison`."""

    @property
    def verdict(self) -> str:
        """The most serious verdict."""

    @property
    def run_path(self) -> str | None:
        """The run file with the raw samples, where it was saved."""


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

    measurement: PartialMeasurement | None = None


class Interrupted(KeyboardInterrupt):
    """Ctrl-C during a measurement or a run, with the samples so far.

    It is a ``KeyboardInterrupt``, so that a script stops as its user expects; catch this class to
    keep the partial result. To a type checker the attributes are the protocols above;
    ``isinstance(error.run, stratoperf.Run)`` tells it the whole type.

    Attributes
    ----------
    measurement
        The partial measurement, or ``None`` when no sample was taken.
    run
        The partial run, when a run was interrupted.
    comparison
        The verdicts so far, when a live comparison was interrupted.
    """

    measurement: PartialMeasurement | None = None
    run: PartialRun | None = None
    comparison: PartialComparison | None = None


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
