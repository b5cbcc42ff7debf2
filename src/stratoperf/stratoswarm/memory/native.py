"""What the tiers and stores of both extension modules have; those of the two do not mix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
import numpy.typing as npt

from stratoperf.operation import Capsule


class NativeTuning(Protocol):
    """How bytes move between two tiers; see `Tuning`."""

    @property
    def threads(self) -> int:
        """Each with one read, write or copy under way."""
        ...

    @property
    def chunk_bytes(self) -> int:
        """Bytes in each of these."""
        ...

    @property
    def method(self) -> str:
        """How a thread moves them."""
        ...


class NativeTrial(Protocol):
    """A tuning that was tried."""

    @property
    def tuning(self) -> NativeTuning:
        """The tuning."""
        ...

    @property
    def bytes_per_second(self) -> float:
        """The rate of its fastest run."""
        ...


class NativeCalibration(Protocol):
    """How a tuning was found."""

    @property
    def best(self) -> NativeTuning:
        """The fastest."""
        ...

    @property
    def trials(self) -> Sequence[NativeTrial]:
        """All, the fastest first."""
        ...


class NativeTier(Protocol):
    """Room for blocks in one kind of memory."""

    @property
    def name(self) -> str:
        """The name of the tier."""
        ...

    @property
    def capacity(self) -> int:
        """Bytes that blocks may take."""
        ...

    @property
    def used(self) -> int:
        """Bytes that they take."""
        ...


@runtime_checkable
class NativeFileTier(NativeTier, Protocol):
    """Room for blocks in a file."""

    @property
    def fallback(self) -> str:
        """Why the page cache is not bypassed; empty when it is."""
        ...


class NativeStore(Protocol):
    """Blocks in tiers, by number; work that takes long runs without the GIL."""

    @property
    def written(self) -> int:
        """Bytes of the budget that are used up."""
        ...

    def allocate(self, size: int, tier: int, *, main_thread: bool) -> int:
        """Make a block of zeros."""
        ...

    def store(self, content: npt.NDArray[np.uint8], tier: int, *, main_thread: bool) -> int:
        """Make a block with a content."""
        ...

    def read(self, block: int, *, main_thread: bool) -> npt.NDArray[np.uint8]:
        """Return the content of a block."""
        ...

    def write(self, block: int, content: npt.NDArray[np.uint8]) -> None:
        """Replace the content of a block."""
        ...

    def verify(self, block: int, *, main_thread: bool) -> None:
        """Compare a block with its checksum."""
        ...

    def free(self, block: int) -> None:
        """Give up a block."""
        ...

    def trim(self) -> None:
        """Give the room that no block takes back to the system."""
        ...

    def tier_of(self, block: int) -> int:
        """Return the number of the tier that a block is in."""
        ...

    def migrate(self, blocks: Sequence[int], tier: int, *, main_thread: bool) -> None:
        """Move blocks to a tier."""
        ...

    def calibrate(
        self, source: int, target: int, size: int, *, main_thread: bool
    ) -> NativeCalibration:
        """Find how bytes move fastest between two tiers."""
        ...

    def tuning(self, source: int, target: int, size: int) -> NativeTuning:
        """Return how bytes move between two tiers."""
        ...

    def migrate_operation(
        self, groups: Sequence[Sequence[int]], source: int, target: int
    ) -> Capsule:
        """Return the operation that migrates one group of blocks after the other."""
        ...

    def bandwidth_operation(
        self, access: str, source: int, target: int, size: int, *, main_thread: bool
    ) -> Capsule:
        """Return the operation that reads, writes or copies bytes."""
        ...

    def allocate_operation(self, tier: int, size: int, count: int, fresh: bool) -> Capsule:
        """Return the operation that allocates and frees blocks."""
        ...
