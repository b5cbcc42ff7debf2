"""The memory tiers as findings of the doctor."""

from __future__ import annotations

from stratoperf import Check
from stratoperf.authoring import SystemFiles
from stratoperf.stratoswarm.memory.assignments import DIRECTORIES_VARIABLE, assignments
from stratoperf.stratoswarm.memory.discovery import discover
from stratoperf.stratoswarm.memory.tier import Tier


def tier_checks(files: SystemFiles) -> list[Check]:
    """Return one check for each tier: what it is, or why it cannot be used and how to fix that."""
    wrong = [
        Check(
            name="tier directories",
            status="warning",
            detail=sentence,
            remedy=f"export {DIRECTORIES_VARIABLE}=KIND=DIRECTORY,...",
            topic="measures",
        )
        for sentence in assignments().wrong
    ]
    return [*(_check(tier) for tier in discover(files)), *wrong]


def _check(tier: Tier) -> Check:
    name = f"tier {tier.name}"
    if tier.reason is not None:
        return Check(
            name=name,
            status="missing",
            detail=f"{_what(tier)}: {tier.reason.partition(': echo ')[0]}",
            remedy=_remedy(tier),
            topic="measures",
        )
    return Check(name=name, status="ok", detail=_what(tier), topic="measures")


def _what(tier: Tier) -> str:
    free = "" if tier.free_bytes is None else f", {tier.free_bytes / 2**30:.1f} GiB free"
    if tier.kind == "gpu":
        size = "" if tier.size_bytes is None else f", {tier.size_bytes / 2**30:.1f} GiB"
        return f"GPU memory{f' of {tier.device}' if tier.device else ''}{size}"
    if not tier.is_disk:
        node = "" if tier.node is None else f" of NUMA node {tier.node}"
        pages = f"{(tier.page_bytes or 0) // 1024} KiB pages"
        return f"CPU memory{node} in {'huge ' if tier.is_huge else ''}{pages}{free}"
    if tier.device is None:
        return f"{tier.kind.upper()} in {tier.directory}"
    where = f" in {tier.directory}" if tier.directory else ""
    note = f" ({tier.note})" if tier.note else ""
    return f"{tier.kind.upper()} {tier.device}, {tier.filesystem}{where}{free}{note}"


def _remedy(tier: Tier) -> str:
    if tier.kind == "gpu":
        return "a build of stratoperf with its CUDA module, on a machine with an NVIDIA GPU"
    if tier.is_disk:
        return f"export {DIRECTORIES_VARIABLE}={tier.kind}=DIRECTORY  # a writable one"
    return "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"
