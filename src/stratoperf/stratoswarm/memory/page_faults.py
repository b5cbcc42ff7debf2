"""Page faults as operations."""

from __future__ import annotations

from collections.abc import Iterable

from stratoperf._core import memory as native
from stratoperf.errors import (
    InvalidParameter,
    PrerequisiteMissing,
    StratoperfError,
    did_you_mean,
)
from stratoperf.operation import Operation
from stratoperf.stratoswarm.memory.choosing import find
from stratoperf.stratoswarm.memory.discovery import tiers
from stratoperf.stratoswarm.memory.manager import TierManager
from stratoperf.stratoswarm.memory.opening import need_usual_pages
from stratoperf.stratoswarm.memory.tier import Tier

MINOR, HUGE, SERVED, MAJOR = "minor", "huge", "userfaultfd", "major"
FAULTS = (MINOR, HUGE, SERVED, MAJOR)
"""Kinds of page faults."""

FAULT_REGION_BYTES = 16 << 20
"""Bytes of the file that major and served faults are read from."""


def page_fault(kind: str, among: Iterable[Tier] | None = None) -> Operation:
    """Return the operation that takes one page fault an iteration.

    Parameters
    ----------
    kind
        ``"minor"``: the first touch of a 4 KiB page of memory. ``"huge"``: of a 2 MiB page; needs
        transparent huge pages. ``"userfaultfd"``: a page that a thread copies from a disk; needs
        the right to that system call. ``"major"``: a page of a mapped file on a disk that is not
        in the page cache.
    among
        The tiers to take the disk from; by default those of this machine.

    Raises
    ------
    PrerequisiteMissing
        When this machine lacks what the kind needs.
    """
    if kind not in FAULTS:
        raise InvalidParameter(f"kind: {kind!r} is unknown; {did_you_mean(kind, FAULTS)}")
    need_usual_pages("this benchmark")
    found = tiers() if among is None else list(among)
    if kind == HUGE and (reason := find("huge", found).reason) is not None:
        raise PrerequisiteMissing(f"a huge page fault needs huge pages: {reason}")
    disk = _disk(kind, found) if kind in (SERVED, MAJOR) else None
    try:
        if kind == SERVED and disk is not None:
            with TierManager(use=[disk.name]) as manager:
                opened = manager.opened(disk)
                assert isinstance(opened, native.Tier)  # there is no GPU among them
                capsule = native.served_fault_operation(opened)
        else:
            capsule = native.fault_operation(kind, "" if disk is None else str(disk.directory))
    except StratoperfError as error:
        raise PrerequisiteMissing(
            f"cannot take a {kind} fault here: {error}{_REMEDY[kind]}"
        ) from None
    return Operation(capsule, name="memory.page_fault", item_unit="faults")


_REMEDY = {
    MINOR: "",
    HUGE: "",
    SERVED: "; sudo sysctl vm.unprivileged_userfaultfd=1",
    MAJOR: "; give another directory with STRATOPERF_TIER_DIRECTORIES",
}


def _disk(kind: str, found: list[Tier]) -> Tier:
    usable = [tier for tier in found if tier.is_disk and tier.reason is None]
    if not usable:
        raise PrerequisiteMissing(
            f"a {kind} fault needs a disk with a writable directory; give one with "
            "STRATOPERF_TIER_DIRECTORIES"
        )
    return usable[0]
