"""The kernel modules of StratoSwarm: agents, memory tiers and GPU permissions in the kernel.

`SwarmGuard`, `TierWatch` and `GpuDmaLock` open the device of a module and give its commands:

>>> import stratoperf as sp
>>> with sp.kernel_modules.SwarmGuard() as guard:  # doctest: +SKIP
...     agent = guard.create_agent("worker", memory_limit=256 << 20)
...     print(guard.query_agent(agent).state)
...     guard.destroy_agent(agent)

`available` says whether a module can be used here, and otherwise why not and what to do.
`agent_statistics`, `agents`, `tier_statistics`, `gpu_statistics` and `module_statistics` read the
files below ``/proc/swarm``. The functions of `stratoperf.kernel_modules.operations` are what the
benchmarks ``kernel.*`` measure.
"""

from stratoperf.stratoswarm.kernel_modules import operations
from stratoperf.stratoswarm.kernel_modules.devices import MODULES, Availability, available
from stratoperf.stratoswarm.kernel_modules.failures import (
    BadField,
    BadPointer,
    Busy,
    KernelModuleError,
    NotFound,
    NotPermitted,
    OutOfMemory,
    QuotaExceeded,
    UnknownCommand,
)
from stratoperf.stratoswarm.kernel_modules.gpu_dma_lock import GpuDmaLock, GpuUsage
from stratoperf.stratoswarm.kernel_modules.proc_files import (
    AgentRow,
    AgentStatistics,
    agent_statistics,
    agents,
    gpu_statistics,
    module_statistics,
    tier_statistics,
)
from stratoperf.stratoswarm.kernel_modules.swarm_guard import (
    Agent,
    BindMount,
    Overlay,
    Personality,
    SwarmGuard,
)
from stratoperf.stratoswarm.kernel_modules.tier_watch import TIERS, Pressure, TierUsage, TierWatch

__all__ = [
    "MODULES",
    "TIERS",
    "Agent",
    "AgentRow",
    "AgentStatistics",
    "Availability",
    "BadField",
    "BadPointer",
    "BindMount",
    "Busy",
    "GpuDmaLock",
    "GpuUsage",
    "KernelModuleError",
    "NotFound",
    "NotPermitted",
    "OutOfMemory",
    "Overlay",
    "Personality",
    "Pressure",
    "QuotaExceeded",
    "SwarmGuard",
    "TierUsage",
    "TierWatch",
    "UnknownCommand",
    "agent_statistics",
    "agents",
    "available",
    "gpu_statistics",
    "module_statistics",
    "operations",
    "tier_statistics",
]
