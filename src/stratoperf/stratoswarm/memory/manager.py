"""Blocks of memory that move between tiers."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from stratoperf import arguments
from stratoperf.errors import InvalidParameter, StratoperfError
from stratoperf.stratoswarm.memory.assignments import Directories
from stratoperf.stratoswarm.memory.block import Block
from stratoperf.stratoswarm.memory.choosing import choose, find
from stratoperf.stratoswarm.memory.content import checked_content
from stratoperf.stratoswarm.memory.discovery import tiers
from stratoperf.stratoswarm.memory.native import NativeStore, NativeTier
from stratoperf.stratoswarm.memory.opening import SHARE, OpenTiers, on_main_thread
from stratoperf.stratoswarm.memory.tier import Tier
from stratoperf.stratoswarm.memory.tuning import Calibration, Tuning

BUDGET_BYTES = 16 << 30
"""Default limit of the bytes that a manager writes to disks, because disks wear."""


class TierManager:
    """Allocates blocks in tiers, and migrates them.

    A migration is complete when the bytes are durable in the target (on a disk after
    ``fdatasync``) and their room in the source is free. A migration that fails leaves every block
    where it was. `read` and `verify` check every block against its checksum.

    A tier keeps the room of a freed block for the next block, which saves page faults and
    allocations of the file system; `trim` gives the room back to the system. With a GPU, the CPU
    memory of blocks is page-locked, so that the device copies by itself; there and on the device
    `trim` gives back only the room behind the last block. Between a GPU and a disk every thread has
    one page-locked buffer, and the threads overlap. On a disk all blocks share one file without a
    name, which is gone when the process ends, however it ends.

    Use a manager in one thread at a time, and only in the process that created it: a forked process
    gets an error. It releases the GIL while it works.

    Parameters
    ----------
    directories
        See `stratoperf.memory.tiers`.
    use
        Names or kinds of the tiers to use (see `stratoperf.memory.find`), or a single one; by
        default all that can be used here. Only these are opened.
    share
        Share of the free memory and disk space that blocks may take. Tiers in the same memory or
        on the same disk divide it. Use more than 0.5 at your own risk: other programs need some.
    budget_bytes
        Maximum number of bytes to write to disks.

    Attributes
    ----------
    tiers
        The tiers in use.
    budget_bytes
        Maximum number of bytes to write to disks.

    Raises
    ------
    InvalidParameter
        For an unknown tier, or a number out of range.
    PrerequisiteMissing
        When a named tier cannot be used here.
    StratoperfError
        When a tier cannot be opened, for example on a read-only file system.
    """

    def __init__(
        self,
        directories: Directories | None = None,
        *,
        use: str | Sequence[str] | None = None,
        share: float = SHARE,
        budget_bytes: int = BUDGET_BYTES,
    ) -> None:
        self.budget_bytes = arguments.count("budget_bytes", budget_bytes)
        self._process = os.getpid()
        self.tiers = choose(use, tiers(directories))
        self._opened: OpenTiers | None = OpenTiers(self.tiers, share, self.budget_bytes)
        self._written = 0  # when it is closed
        self._blocks: dict[int, Block] = {}

    @property
    def blocks(self) -> tuple[Block, ...]:
        """The allocated blocks."""
        return tuple(self._blocks.values())

    @property
    def store(self) -> NativeStore:
        """The native object behind it, for the operations in `stratoperf.memory.operations`."""
        return self._open().store

    @property
    def written_bytes(self) -> int:
        """Bytes written to disks so far, which count against the budget."""
        return self._written if self._opened is None else self._opened.store.written

    def tier(self, name: str | Tier) -> Tier:
        """Return one of its tiers, by name or kind; see `stratoperf.memory.find`.

        Raises
        ------
        InvalidParameter
            For an unknown tier.
        """
        return find(name.name if isinstance(name, Tier) else name, self.tiers)

    def capacity_bytes(self, tier: str | Tier) -> int:
        """Return how many bytes of blocks a tier may hold."""
        return self.opened(tier).capacity

    def fallback(self, tier: str | Tier) -> str | None:
        """Return why a disk is used through the page cache, or ``None`` when it is not."""
        return self._open().fallback(self.index(tier))

    def allocate(
        self, size: int, tier: str | Tier, content: NDArray[np.uint8] | None = None
    ) -> Block:
        """Allocate a block.

        Parameters
        ----------
        size
            Size in bytes, a multiple of 4096 from 4 KiB to 1 GiB.
        tier
            The tier that holds the block.
        content
            One-dimensional uint8 array of `size` bytes; zeros by default.

        Raises
        ------
        InvalidParameter
            For a size out of range, another content, or more bytes than the budget has left.
        StratoperfError
            When the tier has no room, its disk fails, or the manager is closed.
        KeyboardInterrupt
            On Ctrl-C. The block is not allocated then.
        """
        index = self.index(tier)
        size = arguments.count("size", size)
        main = on_main_thread()
        if content is None:
            number = self.store.allocate(size, index, main_thread=main)
        else:
            number = self.store.store(checked_content(content, size), index, main_thread=main)
        block = Block(self, number, size)
        self._blocks[number] = block
        return block

    def write(self, block: Block, content: NDArray[np.uint8]) -> None:
        """Replace the content of a block; on a disk it is durable on return.

        Ctrl-C takes effect after the write, so that the block never holds parts of both contents.

        Raises
        ------
        InvalidParameter
            Unless `content` is a one-dimensional uint8 array of the block's size.
        StratoperfError
            When the disk fails; the block is then damaged.
        """
        number = self._number(block)
        self.store.write(number, checked_content(content, block.size))

    def read(self, block: Block) -> NDArray[np.uint8]:
        """Return the content of a block as a new array.

        Raises
        ------
        VerificationFailed
            When the content differs from what was stored.
        StratoperfError
            When the disk fails.
        """
        return self.store.read(self._number(block), main_thread=on_main_thread())

    def verify(self, block: Block) -> None:
        """Check a block against its checksum.

        Raises
        ------
        VerificationFailed
            When the content differs from what was stored.
        """
        self.store.verify(self._number(block), main_thread=on_main_thread())

    def migrate(self, blocks: Block | Sequence[Block], tier: str | Tier) -> None:
        """Move one or several blocks to another tier, in one transfer with one ``fdatasync``.

        Raises
        ------
        InvalidParameter
            For an unknown tier, or more bytes than the budget has left.
        StratoperfError
            When the tier has no room, or its disk fails. Every block stays where it was.
        KeyboardInterrupt
            On Ctrl-C. Every block stays where it was, unless all had already arrived.
        """
        if not isinstance(blocks, Block | Sequence):
            raise InvalidParameter(f"blocks: expected a block or several, got {blocks!r}")
        several = [blocks] if isinstance(blocks, Block) else list(blocks)
        self.store.migrate(
            [self._number(block) for block in several],
            self.index(tier),
            main_thread=on_main_thread(),
        )

    def free(self, block: Block) -> None:
        """Give a block's room back to its tier.

        Raises
        ------
        InvalidParameter
            When it was already freed, or belongs to another manager.
        """
        number = self._number(block)
        self.store.free(number)
        del self._blocks[number]

    def trim(self) -> None:
        """Give unused room back to the system."""
        self.store.trim()

    def calibrate(self, source: str | Tier, target: str | Tier, size: int) -> Calibration:
        """Find the fastest way to move blocks of about this size, and use it from then on.

        Runs up to 36 trials: of at most 8 MiB with a disk, which count against the budget, and of
        64 MiB between memories, including those of GPUs. Without a calibration, blocks move in a
        way that suits most devices.

        Parameters
        ----------
        source, target
            The tiers; they may be the same.
        size
            Bytes that move as one. The result applies up to the next power of two.
        """
        size = arguments.count("size", size)
        return Calibration.of(
            self.store.calibrate(
                self.index(source), self.index(target), size, main_thread=on_main_thread()
            )
        )

    def tuning(self, source: str | Tier, target: str | Tier, size: int) -> Tuning:
        """Return how blocks of this size move between two tiers."""
        size = arguments.count("size", size)
        return Tuning.of(self.store.tuning(self.index(source), self.index(target), size))

    def tier_of(self, block: Block) -> Tier:
        """Return the tier that holds a block."""
        return self.tiers[self.store.tier_of(self._number(block))]

    def details(self) -> dict[str, Any]:
        """Return the facts about the tiers that a run file holds."""
        return self._open().details()

    def close(self) -> None:
        """Free all blocks and close the tiers. Using them afterwards raises an error.

        Closing twice is allowed.
        """
        if self._opened is None:
            return
        if self._process != os.getpid():
            # Files and their room belong to the parent of a forked process.
            self._opened = None
            return
        for block in self.blocks:
            self.free(block)
        self.trim()
        self._written = self.written_bytes
        self._opened = None

    def __enter__(self) -> TierManager:
        self._open()
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def opened(self, tier: str | Tier) -> NativeTier:
        """Return the native object of a tier."""
        return self._open().natives[self.index(tier)]

    def index(self, tier: str | Tier) -> int:
        """Return the number of a tier in `store`."""
        return self.tiers.index(self.tier(tier))

    def _open(self) -> OpenTiers:
        if self._process != os.getpid():
            raise StratoperfError(
                "TierManager: a forked process cannot use the manager of its parent; create one "
                "in this process, or start processes with the method 'spawn'"
            )
        if self._opened is None:
            raise StratoperfError("TierManager: it is closed; create another one")
        return self._opened

    def _number(self, block: Block) -> int:
        self._open()
        if not isinstance(block, Block) or self._blocks.get(block.number) is not block:
            raise InvalidParameter(
                f"block: {block!r} is not a block of this manager; it was freed, or belongs to "
                "another one"
            )
        return block.number
