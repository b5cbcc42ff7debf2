"""Open tiers: reserve room in them, in the extension module that has them."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stratoperf import arguments, backends
from stratoperf._core import memory as core
from stratoperf.errors import InvalidParameter, PrerequisiteMissing
from stratoperf.stratoswarm.memory.native import NativeFileTier, NativeStore, NativeTier
from stratoperf.stratoswarm.memory.tier import Tier

if TYPE_CHECKING:
    from stratoperf._cuda import memory as cuda

PAGE, MIN_BLOCK, MAX_BLOCK = core.page_bytes, core.smallest_block, core.largest_block
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


def open_tier(tier: Tier, share: float) -> core.Tier:
    """Open a tier of a manager that has no GPU's memory among them.

    Parameters
    ----------
    tier
        Which.
    share
        Share of the free bytes there that blocks may take.

    Raises
    ------
    StratoperfError
        When it cannot be opened.
    """
    capacity = _capacity(tier.free_bytes, share)
    if tier.directory is not None:
        return core.FileTier(name=tier.name, capacity=capacity, directory=tier.directory)
    return core.MemoryTier(name=tier.name, capacity=capacity, huge=tier.is_huge, node=tier.node)


def open_beside_gpu(tier: Tier, share: float, device: int) -> cuda.Tier:
    """Open a tier of a manager that has a GPU's memory among them.

    CPU memory is page-locked where blocks lie, so that the device copies from and to it by itself.

    Parameters
    ----------
    tier, share
        See `open_tier`.
    device
        The number of the first GPU.

    Raises
    ------
    BackendUnavailable
        When its device does not start.
    StratoperfError
        When it cannot be opened.
    """
    from stratoperf._cuda import memory as cuda

    if tier.kind == "gpu":
        capacity = _capacity(cuda.free_bytes(_device(tier)), share)
        return cuda.GpuTier(name=tier.name, capacity=capacity, device=_device(tier))
    capacity = _capacity(tier.free_bytes, share)
    if tier.directory is not None:
        return cuda.FileTier(name=tier.name, capacity=capacity, directory=tier.directory)
    return cuda.LockedTier(
        name=tier.name, capacity=capacity, huge=tier.is_huge, node=tier.node, device=device
    )


def _capacity(free: int | None, share: float) -> int:
    # Where the kernel does not tell what is free, blocks may take what one of them can need.
    allowed = MAX_BLOCK if free is None else int(free * share)
    return max(allowed // PAGE * PAGE, PAGE)


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
        # The CUDA module has all that the core has, built into it, so that no native object crosses
        # from one module to the other.
        self.natives: Sequence[NativeTier]
        self.store: NativeStore
        shares = [(tier, share / self._sharers(tier)) for tier in tiers]
        gpus = [_device(tier) for tier in tiers if tier.kind == "gpu"]
        if gpus:
            backends.cuda_module()  # says so where this build has none
            from stratoperf._cuda import memory as cuda

            beside_gpu = [open_beside_gpu(tier, part, gpus[0]) for tier, part in shares]
            self.natives, self.store = beside_gpu, cuda.Store(beside_gpu, budget_bytes)
        else:
            opened = [open_tier(tier, part) for tier, part in shares]
            self.natives, self.store = opened, core.Store(opened, budget_bytes)

    def fallback(self, index: int) -> str | None:
        """Return why a disk is used through the page cache, or ``None`` when it is not."""
        opened = self.natives[index]
        return opened.fallback or None if isinstance(opened, NativeFileTier) else None

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
