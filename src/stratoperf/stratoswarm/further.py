"""The categories of StratoSwarm, and what its benchmarks need of a machine."""

from __future__ import annotations

from pathlib import Path

from stratoperf import Check, category, doctor_check
from stratoperf.authoring import SystemFiles

category("components", "Select the benchmarks of StratoSwarm's components.")
category("swarmlet", "Select the benchmarks of joining a swarmlet.")
category("stress", "Select the benchmarks under load.")


@doctor_check
def kernel_modules(root: Path) -> list[Check]:
    """Look for the kernel modules, and whether their devices are theirs."""
    from stratoperf.stratoswarm.kernel_modules.checks import module_checks

    return module_checks(root)


@doctor_check
def memory_tiers(root: Path) -> list[Check]:
    """Look for the memory tiers."""
    from stratoperf.stratoswarm.memory.checks import tier_checks

    return tier_checks(SystemFiles(root))
