"""The kernel modules as findings of the doctor."""

from __future__ import annotations

from pathlib import Path

from stratoperf import Check
from stratoperf.stratoswarm.kernel_modules.devices import MODULES, available

PURPOSES = {
    "swarm_guard": "agents and their mounts",
    "tier_watch": "memory tiers",
    "gpu_dma_lock": "GPU allocation and DMA checks",
}


def module_checks(root: Path) -> list[Check]:
    """Return one check for each module: its device, or why it cannot be used and the remedy."""
    return [_check(module, root) for module in MODULES]


def _check(module: str, root: Path) -> Check:
    state = available(module, root)
    name = f"module {module}"
    if state:
        return Check(name=name, status="ok", detail=f"/dev/{module}", topic="measures")
    return Check(
        name=name,
        status="missing",
        detail=f"{state.reason}: cannot measure {PURPOSES[module]}",
        remedy=state.remedy,
        topic="measures",
    )
