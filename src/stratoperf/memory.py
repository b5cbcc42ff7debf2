"""Memory tiers: where blocks can lie, and how fast they move.

A short name for `stratoperf.stratoswarm.memory`, which has the details.
"""

from stratoperf.stratoswarm.memory import (
    BUDGET_BYTES,
    KINDS,
    MAX_BLOCK,
    MIN_BLOCK,
    Block,
    Calibration,
    Tier,
    TierManager,
    Tuning,
    find,
    operations,
    tiers,
)

__all__ = [
    "BUDGET_BYTES",
    "KINDS",
    "MAX_BLOCK",
    "MIN_BLOCK",
    "Block",
    "Calibration",
    "Tier",
    "TierManager",
    "Tuning",
    "find",
    "operations",
    "tiers",
]
