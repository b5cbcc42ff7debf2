"""What kind of disk lies under a file system, from the kernel's own facts."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

from stratoperf.authoring import SystemFiles
from stratoperf.stratoswarm.memory.mounts import MEMORY_FILE_SYSTEMS, Mount, mount_of

DISK_KINDS = ("nvme", "ssd", "hdd")
"""Kinds of block storage, the fastest first."""

# What the emulated or rented disks of virtual machines call themselves.
VIRTUAL_MODELS = (
    "qemu",
    "virtual",
    "vmware",
    "vbox",
    "msft",
    "elastic block store",
    "persistentdisk",
    "alibaba cloud",
)


@dataclasses.dataclass(frozen=True)
class Disk:
    """A block device.

    Attributes
    ----------
    name
        The kernel's, such as ``"nvme0n1"``.
    kind
        ``"nvme"``, ``"ssd"`` or ``"hdd"``, as the transport and the rotational flag say.
    transport
        How it is attached, such as ``"pcie"``, or ``None``.
    hidden
        Why these facts may not be those of the medium, or ``None``: a virtual disk has the flags
        that the host gave it.
    """

    name: str
    kind: str
    transport: str | None = None
    hidden: str | None = None


def disk_under(files: SystemFiles, table: list[Mount], mount: Mount) -> Disk | str:
    """Return the disk under a mounted file system, or why it has none.

    Parameters
    ----------
    files
        Where the kernel's facts are.
    table
        All mounts: an overlay writes to a directory of another one.
    """
    if mount.type in MEMORY_FILE_SYSTEMS:
        return f"{mount.point} is a {mount.type}, which is CPU memory, not a disk"
    if mount.upper is not None:
        below = mount_of([entry for entry in table if entry.type != "overlay"], mount.upper)
        # In a container the path is the host's, so that it may seem to lie on something else.
        if below is None or not files.exists(mount.upper):
            return f"{mount.point} is an overlay that hides its device"
        return disk_under(files, table, below)
    folder = _folder(files, mount)
    if folder is None:
        return f"{mount.point} ({mount.type}, {mount.source}) is not on a block device"
    return _describe(folder)


def _folder(files: SystemFiles, mount: Mount) -> Path | None:
    """Return the folder of the whole disk (not the partition) with the kernel's facts."""
    folder = files.path(f"/sys/dev/block/{mount.device}")
    if not folder.exists() and mount.source.startswith("/dev/"):
        # File systems such as btrfs have a device number of their own.
        name = Path(os.path.realpath(files.path(mount.source))).name
        folder = files.path(f"/sys/class/block/{name}")
    if not folder.exists():
        return None
    folder = folder.resolve()
    return folder.parent if (folder / "partition").exists() else folder


def _describe(folder: Path) -> Disk | str:
    name = folder.name
    below = [_describe(path.resolve()) for path in _entries(folder / "slaves")]
    disks = [entry for entry in below if isinstance(entry, Disk)]
    if disks:
        # A volume over several disks is as fast as the slowest of them lets it be.
        slowest = max(disks, key=lambda disk: DISK_KINDS.index(disk.kind))
        return dataclasses.replace(slowest, name=f"{name} on {slowest.name}")
    if name.startswith(("zram", "ram")):
        return f"{name} is CPU memory, not a disk"
    attributes = SystemFiles(folder)
    transport = _transport(folder, attributes)
    spins = attributes.integer("queue/rotational") == 1
    kind = "nvme" if name.startswith("nvme") else "hdd" if spins else "ssd"
    return Disk(name, kind, transport, _hidden(folder, attributes, spins))


def _entries(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def _transport(folder: Path, attributes: SystemFiles) -> str | None:
    transport = attributes.text("device/transport")
    if transport:
        return transport
    path = str(folder)
    known = {"/virtio": "virtio", "/usb": "usb", "/ata": "sata", "/nvme": "pcie", "/mmc": "mmc"}
    return next((name for part, name in known.items() if part in path), None)


def _hidden(folder: Path, attributes: SystemFiles, spins: bool) -> str | None:
    """Return why the flags may not tell of the medium, or ``None``."""
    flag = f"the kernel reports {'rotational' if spins else 'not rotational'}"
    if "/virtio" in str(folder) or folder.name.startswith(("vd", "xvd")):
        return f"virtual disk: the host hides its medium; {flag}"
    if folder.name.startswith("loop"):
        backing = attributes.text("loop/backing_file") or "a file"
        return f"loop device over {backing}; {flag}"
    model = f"{attributes.text('device/vendor') or ''} {attributes.text('device/model') or ''}"
    if any(word in model.lower() for word in VIRTUAL_MODELS):
        return f"virtual disk ({model.strip()}): the host hides its medium; {flag}"
    return None
