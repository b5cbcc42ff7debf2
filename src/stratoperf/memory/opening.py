"""From the description of a tier to room in it, and in which extension module."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from stratoperf import backends
from stratoperf._core import memory as core
from stratoperf.errors import PrerequisiteMissing
from stratoperf.memory.tier import Tier

PAGE, MIN_BLOCK, MAX_BLOCK = core.limits()
"""Bytes that blocks are multiples of, and of the smallest and the largest: 4 KiB and 1 GiB."""


def module_for(tiers: Sequence[Tier]) -> Any:
    """Return ``_cuda.memory`` where a GPU's memory is among the tiers, else ``_core.memory``.

    The CUDA module has all that the core has, built into it, so that no native object crosses
    from one module to the other; tiers and stores of the two do not mix.
    """
    if any(tier.kind == "gpu" for tier in tiers):
        return backends.cuda_module().memory
    return core


def open_tier(tier: Tier, share: float, among: Sequence[Tier]) -> core.Tier:
    """Open a tier that is to hold blocks.

    CPU memory beside a GPU's is page-locked where blocks lie, so that the device copies from and
    to it by itself.

    Parameters
    ----------
    tier
        Which.
    share
        Of what is free there now, that blocks may take.
    among
        All tiers of the manager.

    Raises
    ------
    PrerequisiteMissing
        When it cannot be used here.
    BackendUnavailable
        When its device does not start.
    StratoperfError
        When it cannot be opened.
    """
    if tier.reason is not None:
        raise PrerequisiteMissing(f"tier {tier.name} cannot be used here: {tier.reason}")
    module = module_for(among)
    free = module.free_bytes(_device(tier)) if tier.kind == "gpu" else tier.free_bytes
    # Where the kernel does not tell what is free, blocks may take what one of them can need.
    allowed = MAX_BLOCK if free is None else int(free * share)
    capacity = max(allowed // PAGE * PAGE, PAGE)
    opened: core.Tier
    if tier.kind == "gpu":
        opened = module.GpuTier(name=tier.name, capacity=capacity, device=_device(tier))
    elif tier.directory is not None:
        opened = module.FileTier(name=tier.name, capacity=capacity, directory=tier.directory)
    else:
        options: dict[str, Any] = {"huge": tier.is_huge, "node": tier.node}
        gpus = [other for other in among if other.kind == "gpu"]
        if gpus:
            options["device"] = _device(gpus[0])
        make = module.LockedTier if gpus else module.MemoryTier
        opened = make(name=tier.name, capacity=capacity, **options)
    return opened


def describe(tier: Tier, fallback: str | None, locked: bool) -> Mapping[str, Any]:
    """Return the facts about a tier that a result tells.

    Parameters
    ----------
    tier
        Which.
    fallback
        See `TierManager.fallback`.
    locked
        Whether the CPU memory beside it is page-locked; see `open_tier`.
    """
    facts = {
        "kind": tier.kind,
        "page_bytes": tier.page_bytes,
        "device": tier.device,
        "filesystem": tier.filesystem,
        "note": tier.note,
        "page_cache": fallback,
        "page_locked": True if locked and tier.kind == "cpu" else None,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _device(tier: Tier) -> int:
    return int(tier.name.removeprefix("gpu"))
