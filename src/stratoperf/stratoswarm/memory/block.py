"""A block of memory, which its manager moves between tiers."""

from __future__ import annotations

import weakref
from typing import Protocol

from stratoperf.errors import StratoperfError
from stratoperf.stratoswarm.memory.tier import Tier


class KnowsTiers(Protocol):
    """What a block asks its manager."""

    def tier_of(self, block: Block) -> Tier:
        """Return where a block lies now."""
        ...


class Block:
    """A block in a tier; made by `TierManager.allocate`.

    Attributes
    ----------
    size
        In bytes.
    tier
        Where it lies now.
    """

    def __init__(self, manager: KnowsTiers, number: int, size: int) -> None:
        self._manager = weakref.ref(manager)
        self.number = number
        self.size = size

    @property
    def tier(self) -> Tier:
        """Where the block lies now."""
        manager = self._manager()
        if manager is None:
            raise StratoperfError(
                "block: its TierManager no longer exists; keep the manager as long as its blocks"
            )
        return manager.tier_of(self)

    def __repr__(self) -> str:
        return f"<Block {self.number}: {self.size:,} bytes>"
