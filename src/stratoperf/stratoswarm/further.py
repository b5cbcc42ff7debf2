"""The categories of StratoSwarm, and what its benchmarks need of a machine."""

from __future__ import annotations

import os
from pathlib import Path

from stratoperf import Check, category, doctor_check
from stratoperf.authoring import SystemFiles

category("components", "Select the benchmarks of StratoSwarm's components.")
category("swarmlet", "Select the benchmarks of joining a swarmlet.")
category("stress", "Select the benchmarks under load.")

KERNEL_MODULES = {
    "swarm_guard": "agents and their mounts",
    "tier_watch": "memory tiers",
    "gpu_dma_lock": "GPU allocation and DMA checks",
}
"""Each kernel module of the platform and what needs it; its device node has the same name."""


@doctor_check
def kernel_modules(root: Path) -> list[Check]:
    """Look for the modules' device nodes."""
    files = SystemFiles(root)
    return [_module(files, name, purpose) for name, purpose in KERNEL_MODULES.items()]


@doctor_check
def memory_tiers(root: Path) -> list[Check]:
    """Look for the memory tiers."""
    from stratoperf.stratoswarm.memory.checks import tier_checks

    return tier_checks(SystemFiles(root))


def _module(files: SystemFiles, name: str, purpose: str) -> Check:
    device = f"/dev/{name}"
    if not files.exists(device):
        return _check(
            name, f"{device} does not exist: cannot measure {purpose}", f"sudo modprobe {name}"
        )
    if not os.access(files.path(device), os.R_OK | os.W_OK):
        return _check(
            name,
            f"{device} exists, but this user may not open it",
            f"sudo setfacl -m u:$USER:rw {device}",
        )
    return Check(name=f"module {name}", status="ok", detail=device, topic="measures")


def _check(name: str, detail: str, remedy: str) -> Check:
    return Check(
        name=f"module {name}", status="missing", detail=detail, remedy=remedy, topic="measures"
    )
