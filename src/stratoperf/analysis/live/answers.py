"""What workers answer, as the process that drives them reads it."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray


class Ready(msgspec.Struct, frozen=True):
    """The operation is set up and warm.

    Attributes
    ----------
    batch
        Iterations that a sample needs there so that reading the clock does not count.
    iteration_ns
        What one took at last.
    items, item_unit
        Work items in one iteration, and their plural name.
    warmup
        Seconds and iterations so far.
    left
        Iterations that it may still do in this process, where that is limited.
    """

    batch: int
    iteration_ns: float
    items: float
    item_unit: str
    warmup: dict[str, Any]
    left: int | None = None


class Samples(msgspec.Struct, frozen=True):
    """One slice.

    Attributes
    ----------
    started_ns
        When it began.
    latency
        Nanoseconds an iteration, as little-endian doubles.

    Raises
    ------
    ValueError
        When `latency` is empty or no doubles.
    """

    started_ns: int
    latency: bytes

    def __post_init__(self) -> None:
        if not self.latency or len(self.latency) % 8:
            raise ValueError(f"latency: expected doubles, got {len(self.latency)} bytes")

    @property
    def values(self) -> NDArray[np.float64]:
        """The samples, in the order taken."""
        return np.frombuffer(self.latency, dtype="<f8").astype(np.float64)


class Verified(msgspec.Struct, frozen=True):
    """How many outcomes were checked, or ``None`` where none can be."""

    checked: int | None


class KnownCase(msgspec.Struct, frozen=True, kw_only=True):
    """A case that one side can run."""

    key: str
    benchmark: str
    version: int
    category: str
    backend: str
    params: dict[str, bool | int | float | str]
    skip_reason: str | None = None


class Planned(msgspec.Struct, frozen=True):
    """What a selection means on one side.

    Attributes
    ----------
    cases
        All that it selects there.
    unknown
        The reason for every word that selects nothing there.
    warnings
        In words.
    """

    cases: list[KnownCase]
    unknown: dict[str, str]
    warnings: list[str]
