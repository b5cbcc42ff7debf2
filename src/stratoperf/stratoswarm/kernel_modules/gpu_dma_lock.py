"""The module ``gpu_dma_lock``: allocations, quotas and DMA permissions of agents."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from stratoperf.errors import InvalidParameter
from stratoperf.stratoswarm.kernel_modules.devices import OpenDevice
from stratoperf.stratoswarm.kernel_modules.failures import translated
from stratoperf.stratoswarm.kernel_modules.fields import ACCESSES, LARGEST_U64, flags, u32, u64


@dataclass(frozen=True)
class GpuUsage:
    """How the memory of the GPUs is used.

    Attributes
    ----------
    total_memory, used_memory
        Bytes.
    allocation_count
        Allocations that are not freed.
    dma_checks, quota_violations
        Since the module was loaded.
    """

    total_memory: int
    used_memory: int
    allocation_count: int
    dma_checks: int
    quota_violations: int


class GpuDmaLock(OpenDevice):
    """Commands to the module ``gpu_dma_lock``.

    Every method raises a `KernelModuleError` when the module refuses the command, and
    `InvalidParameter` for a value that does not fit into its field.

    Parameters
    ----------
    root
        The directory that stands for ``/``. Tests pass a faked tree.
    free_by_pointer
        Whether GPU_FREE gets a pointer to the number of the allocation, as its command word says.
        The published module takes the number itself.
    """

    module = "gpu_dma_lock"

    def __init__(self, root: str | Path = "/", *, free_by_pointer: bool = False) -> None:
        super().__init__(root)
        self.free_by_pointer = bool(free_by_pointer)

    def allocate(self, agent: int, size: int, *, device: int = 0, flags: int = 0) -> int:
        """Allocate memory of a GPU for an agent and return the allocation's number (GPU_ALLOC).

        Parameters
        ----------
        agent
            Whose quota it counts for.
        size
            Bytes, at least 1.
        device
            Number of the GPU.
        flags
            As the module defines them.
        """
        agent, size = u64("agent", agent), u64("size", size, at_least=1)
        device, bits = u32("device", device), u32("flags", flags)
        with translated():
            return self.native.gpu_alloc(agent, size, device, bits)

    def free(self, allocation: int) -> None:
        """Free an allocation (GPU_FREE)."""
        allocation = u64("allocation", allocation)
        with translated():
            self.native.gpu_free(allocation, self.free_by_pointer)

    def query(self) -> GpuUsage:
        """Return how the memory of the GPUs is used (GPU_QUERY)."""
        with translated():
            reply = self.native.gpu_query()
        return GpuUsage(
            total_memory=reply.total_memory,
            used_memory=reply.used_memory,
            allocation_count=reply.allocation_count,
            dma_checks=reply.dma_checks,
            quota_violations=reply.quota_violations,
        )

    def set_quota(self, agent: int, memory_limit: int, *, devices: Iterable[int] = (0,)) -> None:
        """Limit what an agent may allocate (GPU_SET_QUOTA).

        Parameters
        ----------
        agent
            Its number.
        memory_limit
            Bytes.
        devices
            Numbers of the GPUs that it may use, from 0 to 31.
        """
        agent, memory_limit = u64("agent", agent), u64("memory_limit", memory_limit)
        mask = 0
        for device in devices:
            number = u32("devices", device)
            if number > 31:
                raise InvalidParameter(f"devices: expected 0 to 31, got {number}")
            mask |= 1 << number
        with translated():
            self.native.gpu_set_quota(agent, memory_limit, mask)

    def is_allowed(self, agent: int, address: int, size: int, access: Iterable[str]) -> bool:
        """Tell whether an agent may access memory by DMA (DMA_CHECK_PERM).

        Parameters
        ----------
        agent
            Its number.
        address, size
            The memory, in bytes.
        access
            Any of ``"read"`` and ``"write"``.
        """
        values = _range(agent, address, size)
        bits = flags("access", access, ACCESSES)
        if bits == 0:
            raise InvalidParameter("access: expected 'read', 'write' or both, got nothing")
        with translated():
            return self.native.dma_check_perm(*values, bits) != 0

    def grant(self, agent: int, address: int, size: int, permissions: Iterable[str]) -> None:
        """Let an agent access memory by DMA (DMA_GRANT_PERM); the arguments are as above."""
        values = _range(agent, address, size)
        bits = flags("permissions", permissions, ACCESSES)
        with translated():
            self.native.dma_grant_perm(*values, bits)


def _range(agent: int, address: int, size: int) -> tuple[int, int, int]:
    agent, address = u64("agent", agent), u64("address", address)
    size = u64("size", size, at_least=1)
    if address + size > LARGEST_U64:
        raise InvalidParameter(
            f"size: {size} bytes from {address:#x} on reach beyond 64 bits; give a smaller size"
        )
    return agent, address, size
