"""One tier, as the discovery describes it."""

from __future__ import annotations

import dataclasses

from stratoperf.stratoswarm.memory.disks import DISK_KINDS

KINDS = ("gpu", "cpu", *DISK_KINDS)
"""The kinds of tiers, the fastest first."""

PAGE_BYTES = 4096


@dataclasses.dataclass(frozen=True)
class Tier:
    """One place that blocks can lie in.

    Attributes
    ----------
    name
        The kind and a number, such as ``"cpu0"`` (that of the NUMA node), ``"cpu0-huge"`` or
        ``"nvme0"``.
    kind
        ``"gpu"``, ``"cpu"``, ``"nvme"``, ``"ssd"`` or ``"hdd"``.
    free_bytes
        Memory or disk space that is free; ``None`` where the kernel does not tell, and of a GPU,
        which tells once it is in use.
    size_bytes
        Of a GPU's memory the size, else ``None``.
    page_bytes
        Of CPU memory the size of its pages, else ``None``.
    node
        Of CPU memory the NUMA node; ``None`` where the kernel does not tell of nodes.
    directory
        Of a disk the directory that its files are made in.
    device, filesystem
        Of a disk the kernel's name of it, and the file system on it; of a GPU its name.
    note
        What a reader of its numbers must know, such as that a virtual disk hides its medium.
    reason
        Why it cannot be used here; ``None`` when it can.
    assigned
        Of a disk whether the directory was given by option, and not found.
    """

    name: str
    kind: str
    free_bytes: int | None = None
    page_bytes: int | None = None
    node: int | None = None
    directory: str | None = None
    device: str | None = None
    filesystem: str | None = None
    note: str | None = None
    reason: str | None = None
    size_bytes: int | None = None
    assigned: bool = False

    @property
    def is_disk(self) -> bool:
        """Whether it is block storage."""
        return self.kind in DISK_KINDS

    @property
    def is_huge(self) -> bool:
        """Whether it is CPU memory in huge pages."""
        return self.page_bytes is not None and self.page_bytes > PAGE_BYTES
