"""The description of one tier."""

from __future__ import annotations

import dataclasses

from stratoperf.stratoswarm.memory.disks import DISK_KINDS

KINDS = ("gpu", "cpu", *DISK_KINDS)
"""The kinds of tiers, the fastest first."""

PAGE_BYTES = 4096


@dataclasses.dataclass(frozen=True)
class Tier:
    """One place that can hold blocks.

    Attributes
    ----------
    name
        The kind and a number, such as ``"cpu0"`` (that of the NUMA node), ``"cpu0-huge"`` or
        ``"nvme0"``.
    kind
        ``"gpu"``, ``"cpu"``, ``"nvme"``, ``"ssd"`` or ``"hdd"``.
    free_bytes
        Free memory or disk space; ``None`` where the kernel does not report it, and for a GPU,
        which reports it only while it is in use.
    size_bytes
        Size of a GPU's memory, else ``None``.
    page_bytes
        Size of the pages of CPU memory, else ``None``.
    node
        NUMA node of CPU memory; ``None`` where the kernel does not report nodes.
    directory
        Directory of a disk's files.
    device, filesystem
        Name and file system of a disk, as the kernel reports them; name of a GPU.
    note
        What a reader of the numbers must know, for example that a virtual disk hides its medium.
    reason
        Why it cannot be used here; ``None`` when it can.
    assigned
        Whether the directory of a disk was assigned by the user.
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
