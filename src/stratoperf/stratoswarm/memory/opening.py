"""Open tiers: reserve room in them, in the extension module that has them."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from stratoperf import arguments, backends
from stratoperf._core import memory as core
from stratoperf.errors import InvalidParameter, PrerequisiteMissing
from stratoperf.stratoswarm.memory.tier import Tier

PAGE, MIN_BLOCK, MAX_BLOCK = core.limits()
"""Size of a page, of the smallest and of the largest block, in bytes."""


SHARE = 0.5
"""Default share of the free memory or disk space that blocks may take."""


def on_main_thread() -> bool:
    """Return whether this is the main thread, which Ctrl-C interrupts."""
    return threading.current_thread() is threading.main_thread()


def need_usual_pages(work: str) -> None:
    """Reject work that counts page faults if the kernel's pages are not 4 KiB, as on some Arm.

    Raises
    ------
    PrerequisiteMissing
        When the pages have another size.
    """
    size = os.sysconf("SC_PAGESIZE")
    if size != PAGE:
        raise PrerequisiteMissing(
            f"{work} needs pages of {PAGE} bytes; the pages of this kernel have {size}"
        )


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
    BackendUnavailable
        When its device does not start.
    StratoperfError
        When it cannot be opened.
    """
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


class OpenTiers:
    """Tiers that are open and the store of their blocks: what a manager has until it is closed.

    Parameters
    ----------
    tiers, share, budget_bytes
        See `TierManager`. Besides what `open_tier` raises, a tier that cannot be used here is a
        `PrerequisiteMissing`.

    Attributes
    ----------
    natives
        Their native objects, in the same order.
    store
        The native object that holds the blocks.
    """

    def __init__(self, tiers: Sequence[Tier], share: float, budget_bytes: int) -> None:
        share = arguments.number("share", share, above=0.0)
        if share > 1:
            raise InvalidParameter(f"share: expected above 0 and at most 1, got {share:g}")
        # Before any is opened: this says more than what the module for it would.
        for tier in tiers:
            if tier.reason is not None:
                raise PrerequisiteMissing(f"tier {tier.name} cannot be used here: {tier.reason}")
        self._tiers = tuple(tiers)
        self._module = module_for(tiers)
        self.natives = [open_tier(tier, share / self._sharers(tier), tiers) for tier in tiers]
        self.store: core.Store = self._module.Store(self.natives, budget_bytes)

    def fallback(self, index: int) -> str | None:
        """Return why a disk is used through the page cache, or ``None`` when it is not."""
        opened = self.natives[index]
        return opened.fallback or None if isinstance(opened, self._module.FileTier) else None

    def details(self) -> dict[str, Any]:
        """Return what a result tells of the tiers, as the run file holds it."""
        locked = any(tier.kind == "gpu" for tier in self._tiers)
        return {
            tier.name: _describe(tier, self.fallback(index), locked)
            for index, tier in enumerate(self._tiers)
        }

    def _sharers(self, tier: Tier) -> int:
        """Return how many tiers take from the same free memory or disk space."""
        if tier.kind == "gpu":
            return 1
        same = (tier.kind, tier.node, tier.device)
        return sum((other.kind, other.node, other.device) == same for other in self._tiers)


def _describe(tier: Tier, fallback: str | None, locked: bool) -> Mapping[str, Any]:
    facts = {
        "kind": tier.kind,
        "page_bytes": tier.page_bytes,
        "device": tier.device,
        "filesystem": tier.filesystem,
        "note": tier.note,
        "directory": tier.directory if tier.assigned else None,
        "page_cache": fallback,
        "page_locked": True if locked and tier.kind == "cpu" else None,
    }
    return {name: fact for name, fact in facts.items() if fact is not None}


def _device(tier: Tier) -> int:
    return int(tier.name.removeprefix("gpu"))
