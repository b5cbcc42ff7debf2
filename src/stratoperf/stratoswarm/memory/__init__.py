"""Memory tiers: where blocks can lie, and how fast they move.

`tiers` finds the tiers of this machine: GPU memory per device, CPU memory per
NUMA node, with 4 KiB and with huge pages, and the disks. A `TierManager` allocates blocks in them,
migrates them, reads and frees them:

>>> import numpy as np
>>> import stratoperf as sp
>>> with sp.memory.TierManager() as manager:  # doctest: +SKIP
...     block = manager.allocate(1 << 20, "cpu", np.full(1 << 20, 7, np.uint8))
...     manager.migrate(block, "disk")
...     assert manager.read(block)[0] == 7

The functions of `stratoperf.memory.operations` are what the benchmarks ``memory.*`` measure.
"""

from stratoperf.stratoswarm.memory import operations
from stratoperf.stratoswarm.memory.block import Block
from stratoperf.stratoswarm.memory.choosing import find
from stratoperf.stratoswarm.memory.discovery import tiers
from stratoperf.stratoswarm.memory.manager import BUDGET_BYTES, TierManager
from stratoperf.stratoswarm.memory.opening import MAX_BLOCK, MIN_BLOCK
from stratoperf.stratoswarm.memory.tier import KINDS, Tier
from stratoperf.stratoswarm.memory.tuning import Calibration, Tuning

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
