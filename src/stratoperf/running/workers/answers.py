"""The answers of workers, as the driving process reads them."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from stratoperf.door import MOST_NUMBERS
from stratoperf.results.ranges import LARGEST, LONGEST_NAME
from stratoperf.results.schema import Count, Nanoseconds, Positive, Warmup
from stratoperf.running.trees import Identity

LONGEST_NS = 1e18
"""Nanoseconds that anything takes at most: thirty years."""


class Hello(msgspec.Struct, frozen=True):
    """The first word of a worker: its version of stratoperf."""

    version: Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)] = "unknown"


class Failure(msgspec.Struct, frozen=True):
    """What went wrong, in words."""

    message: str = "it does not say what went wrong"


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
    has_built
        Whether the set-up built an artifact.
    """

    batch: Positive
    iteration_ns: Annotated[float, msgspec.Meta(ge=0.0, le=LONGEST_NS)]
    items: Annotated[float, msgspec.Meta(ge=0.0, le=LARGEST)]
    item_unit: Annotated[str, msgspec.Meta(max_length=LONGEST_NAME)]
    warmup: dict[str, Any]
    left: Count | None = None
    has_built: bool = False

    def __post_init__(self) -> None:
        # The run file gets it as it is.
        msgspec.convert(self.warmup, Warmup)


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
        When `latency` is empty, not doubles, or not times.
    """

    started_ns: Nanoseconds
    latency: bytes

    def __post_init__(self) -> None:
        if not self.latency or len(self.latency) % 8:
            raise ValueError(f"latency: expected doubles, got {len(self.latency)} bytes")
        values = self.values
        # NaN fails every comparison.
        if not ((values >= 0) & (values <= LONGEST_NS)).all():
            raise ValueError(f"latency: expected times from 0 to {LONGEST_NS:g} ns")

    @property
    def values(self) -> NDArray[np.float64]:
        """The samples, in the order taken."""
        return np.frombuffer(self.latency, dtype="<f8").astype(np.float64)


class Loaded(msgspec.Struct, frozen=True):
    """The worker has the benchmark that it was asked for."""


class Measured(msgspec.Struct, frozen=True):
    """A case that was measured, or that could not be.

    Attributes
    ----------
    result
        As for a run file, with the lengths of the columns in their place.
    is_set_up
        Whether the set-up had ended.
    has_built
        Whether the set-up built an artifact; the first time the case is not measured then.

    Raises
    ------
    ValueError
        When the columns are more than fit into memory.
    """

    result: dict[str, Any]
    is_set_up: bool
    has_built: bool = False

    def __post_init__(self) -> None:
        lengths = [length for series in self.series for length in series.columns.values()]
        if sum(lengths) > MOST_NUMBERS:
            raise ValueError(f"result.series: {sum(lengths)} numbers, at most {MOST_NUMBERS}")

    @property
    def series(self) -> list[Lengths]:
        """The lengths of the columns, by series."""
        return msgspec.convert(self.result.get("series", []), list[Lengths])


class Lengths(msgspec.Struct, frozen=True):
    """The lengths of the columns of a series."""

    columns: dict[str, Count] = {}


class Piece(msgspec.Struct, frozen=True):
    """A part of a column, as little-endian doubles.

    Raises
    ------
    ValueError
        When `values` is not doubles.
    """

    values: bytes

    def __post_init__(self) -> None:
        if not self.values or len(self.values) % 8:
            raise ValueError(f"values: expected doubles, got {len(self.values)} bytes")


class Verified(msgspec.Struct, frozen=True):
    """How many outcomes were checked, or ``None`` where none can be."""

    checked: Count | None


class KnownCase(Identity, frozen=True, kw_only=True):
    """A case that one side can run, or why it cannot."""

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
