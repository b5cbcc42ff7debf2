"""From the description of a tier to room in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from stratoperf._core import memory as native
from stratoperf.errors import PrerequisiteMissing
from stratoperf.memory.tier import Tier

PAGE, MIN_BLOCK, MAX_BLOCK = native.limits()
"""Bytes that blocks are multiples of, and of the smallest and the largest: 4 KiB and 1 GiB."""


def open_tier(tier: Tier, share: float) -> native.Tier:
    """Open a tier for blocks that take at most `share` of what is free.

    Raises
    ------
    PrerequisiteMissing
        When it cannot be used here.
    StratoperfError
        When it cannot be opened.
    """
    if tier.reason is not None:
        raise PrerequisiteMissing(f"tier {tier.name} cannot be used here: {tier.reason}")
    # Where the kernel does not tell what is free, blocks may take what one of them can need.
    free = MAX_BLOCK if tier.free_bytes is None else int(tier.free_bytes * share)
    capacity = max(free // PAGE * PAGE, PAGE)
    if tier.directory is not None:
        return native.FileTier(name=tier.name, capacity=capacity, directory=tier.directory)
    return native.MemoryTier(name=tier.name, capacity=capacity, huge=tier.is_huge, node=tier.node)


def describe(tier: Tier, fallback: str | None) -> Mapping[str, Any]:
    """Return the facts about a tier that a result tells; see `TierManager.fallback`."""
    facts = {
        "kind": tier.kind,
        "page_bytes": tier.page_bytes,
        "device": tier.device,
        "filesystem": tier.filesystem,
        "note": tier.note,
        "page_cache": fallback,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}
