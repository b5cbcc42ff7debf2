"""The tiers of this machine: found, not assumed."""

from __future__ import annotations

import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

from stratoperf import backends
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.memory.disks import DISK_KINDS, Disk, disk_under
from stratoperf.memory.mounts import MEMORY_FILE_SYSTEMS, Mount, mount_of, mounts
from stratoperf.monitor.files import SystemFiles, parse_cpu_list
from stratoperf.monitor.gpu import gpus
from stratoperf.monitor.memory import memory

Directories: TypeAlias = Mapping[str, "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]"]
"""Directories by the kind of disk that they are assigned to."""

DIRECTORIES_VARIABLE = "STRATOPERF_TIER_DIRECTORIES"
"""The environment variable that assigns directories to kinds of disks."""

KINDS = ("gpu", "cpu", *DISK_KINDS)
"""The kinds of tiers, the fastest first."""

PAGE_BYTES = 4096

NODES = "/sys/devices/system/node"


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

    @property
    def is_disk(self) -> bool:
        """Whether it is block storage."""
        return self.kind in DISK_KINDS

    @property
    def is_huge(self) -> bool:
        """Whether it is CPU memory in huge pages."""
        return self.page_bytes is not None and self.page_bytes > PAGE_BYTES


def tiers(
    directories: Directories | None = None, *, root: str | os.PathLike[str] = "/"
) -> list[Tier]:
    """Find the tiers of this machine, the fastest kind first.

    GPU memory is listed per device, by CUDA's numbers, and CPU memory per NUMA node, with 4 KiB and
    with huge pages. Every disk with a mounted file system is classified by its transport and
    rotational flag; its files go to the directory for temporary files, the working directory or
    the mount point, the first of these that lies on it and can be written to. A tmpfs is CPU
    memory, never a disk.

    Parameters
    ----------
    directories
        Directories to use, by kind of disk: ``{"nvme": "/mnt/fast"}``. A disk that hides its
        kind (a virtual one) may be assigned to any. By default what the environment variable
        ``STRATOPERF_TIER_DIRECTORIES`` says: ``nvme=/mnt/fast,hdd=/mnt/slow``.
    root
        The directory that stands for ``/``, for tests.

    Returns
    -------
    list of Tier
        Those that cannot be used have a `Tier.reason`.

    Raises
    ------
    InvalidParameter
        For a directory that does not exist, or does not lie on that kind of disk.
    """
    files = SystemFiles(Path(root))
    if directories is None:
        directories = _from_environment()
    return [*_gpu_tiers(files), *_cpu_tiers(files), *_disk_tiers(files, directories)]


def _from_environment() -> dict[str, list[str]]:
    """Return the directories that the environment assigns."""
    chosen: dict[str, list[str]] = {}
    for item in filter(None, os.environ.get(DIRECTORIES_VARIABLE, "").split(",")):
        kind, equals, directory = item.partition("=")
        if not equals or not directory:
            raise InvalidParameter(
                f"{DIRECTORIES_VARIABLE}: expected KIND=DIRECTORY, such as nvme=/mnt/fast, "
                f"got {item!r}"
            )
        chosen.setdefault(kind.strip(), []).append(directory.strip())
    return chosen


def find(name: str, among: Sequence[Tier]) -> Tier:
    """Return the tier of that name, or the first usable one of that kind.

    ``"huge"`` is the first CPU memory in huge pages, and ``"disk"`` the first disk of any kind.

    Raises
    ------
    InvalidParameter
        When there is none; suggests the nearest name.
    """
    for tier in among:
        if tier.name == name:
            return tier
    matching = [tier for tier in among if name in _groups(tier)]
    if not matching:
        known = [tier.name for tier in among]
        raise InvalidParameter(f"tier: {name!r} does not exist here; {did_you_mean(name, known)}")
    return next((tier for tier in matching if tier.reason is None), matching[0])


def _groups(tier: Tier) -> tuple[str, ...]:
    if tier.is_huge:
        return ("huge",)
    return (tier.kind, "disk") if tier.is_disk else (tier.kind,)


def _gpu_tiers(files: SystemFiles) -> list[Tier]:
    reason = backends.unavailable_reason("cuda")
    if reason is None:
        device = backends.cuda_module().device
        facts = [device.facts(index) for index in range(device.count())]
        return [
            Tier(f"gpu{index}", "gpu", device=one.name, size_bytes=one.memory_bytes)
            for index, one in enumerate(facts)
        ]
    found = gpus(files)
    if not found:
        return [Tier("gpu0", "gpu", reason=f"no GPU was found; {reason}")]
    return [
        Tier(f"gpu{index}", "gpu", device=gpu.name, reason=reason)
        for index, gpu in enumerate(found)
    ]


def _cpu_tiers(files: SystemFiles) -> list[Tier]:
    facts = memory(files)
    limits = [size for size in (facts.available_bytes, facts.limit_bytes) if size is not None]
    available = min(limits, default=None)
    numbers: list[int | None] = list(parse_cpu_list(files.text(f"{NODES}/has_memory") or ""))
    numbers = numbers or [None]
    huge = facts.huge_page_bytes
    why = None
    if facts.transparent_huge_pages in (None, "never") or huge is None:
        why = (
            "transparent huge pages are off: "
            "echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled"
        )
    found = []
    for number in numbers:
        name = f"cpu{number or 0}"
        free = available if number is None else _node_free(files, number, available, len(numbers))
        found += [
            Tier(name, "cpu", free, PAGE_BYTES, number),
            Tier(
                f"{name}-huge",
                "cpu",
                free,
                huge or 2 << 20,
                number,
                note="transparent huge pages, as the kernel has them",
                reason=why,
            ),
        ]
    return found


def _node_free(files: SystemFiles, node: int, available: int | None, nodes: int) -> int | None:
    """Return the free memory of a node; of the only one it is what is available."""
    if nodes == 1:
        return available
    for line in (files.text(f"{NODES}/node{node}/meminfo") or "").splitlines():
        words = line.split()
        if len(words) >= 4 and words[2] == "MemFree:":
            free = int(words[3]) * 1024
            return free if available is None else min(free, available)
    return None


def _disk_tiers(files: SystemFiles, directories: Directories) -> list[Tier]:
    table = mounts(files)
    chosen = [
        _assigned(files, table, kind, directory)
        for kind, some in directories.items()
        for directory in _listed(kind, some)
    ]
    taken = {tier.device for tier in chosen}
    found: dict[str, Tier] = {}
    for mount in table:
        disk = disk_under(files, table, mount)
        # A file bound over another, as containers have them, is no place for files.
        if isinstance(disk, str) or disk.name in taken or not files.path(mount.point).is_dir():
            continue
        directory = _writable(files, table, mount)
        tier = _tier(disk, disk.kind, mount, directory)
        known = found.get(disk.name)
        if known is None or (known.reason is not None and tier.reason is None):
            found[disk.name] = tier
    return _numbered([*chosen, *found.values()])


def _numbered(disks: Iterable[Tier]) -> list[Tier]:
    ordered = sorted(disks, key=lambda tier: DISK_KINDS.index(tier.kind))
    counts = dict.fromkeys(DISK_KINDS, 0)
    named = []
    for tier in ordered:
        named.append(dataclasses.replace(tier, name=f"{tier.kind}{counts[tier.kind]}"))
        counts[tier.kind] += 1
    return named


def _listed(kind: str, some: object) -> list[Path]:
    if kind not in DISK_KINDS:
        raise InvalidParameter(
            f"directories: {kind!r} is no kind of disk; {did_you_mean(kind, DISK_KINDS)}"
        )
    several = [some] if isinstance(some, str | os.PathLike) else some
    if not isinstance(several, Iterable):
        raise InvalidParameter(f"directories: expected paths for {kind!r}, got {some!r}")
    return [Path(one) for one in several]


def _assigned(files: SystemFiles, table: list[Mount], kind: str, directory: Path) -> Tier:
    """Return the tier of a directory that the user gave to a kind."""
    path = Path("/") / directory if files.root != Path("/") else directory.resolve()
    if not files.path(str(path)).is_dir():
        raise InvalidParameter(f"directories: {path} is no directory; create it, or give another")
    mount = mount_of(table, path)
    disk: Disk | str = "the kernel does not tell what it lies on"
    if mount is not None:
        if mount.type in MEMORY_FILE_SYSTEMS:
            raise InvalidParameter(
                f"directories: {path} lies on a {mount.type}, which is CPU memory and no {kind}; "
                "give a directory on a disk"
            )
        disk = disk_under(files, table, mount)
    if isinstance(disk, str):
        # What hides its device may be of any kind; what has none (a network's) is of no kind.
        if mount is not None and mount.type != "overlay":
            raise InvalidParameter(
                f"directories: {path} cannot be {kind!r}: {disk}; give a directory on a disk"
            )
        disk = Disk(str(path), kind, hidden=f"assigned by option; {disk}")
    elif disk.kind != kind and disk.hidden is None:
        raise InvalidParameter(
            f"directories: {path} lies on {disk.name}, which is {disk.kind!r} and not {kind!r}; "
            f"assign it to {disk.kind!r}, or give a directory on another disk"
        )
    elif disk.kind != kind:
        disk = dataclasses.replace(disk, hidden=f"assigned by option; {disk.hidden}")
    return _tier(disk, kind, mount, str(path) if _can_write(files, str(path)) else None, str(path))


def _tier(
    disk: Disk, kind: str, mount: Mount | None, directory: str | None, wanted: str | None = None
) -> Tier:
    reason = None
    if directory is None:
        where = wanted or (mount.point if mount is not None else disk.name)
        reason = (
            f"{where} cannot be written to"
            if wanted
            else f"no directory on it can be written to; give one with "
            f"directories={{{kind!r}: DIRECTORY}}"
        )
    return Tier(
        kind,
        kind,
        None if directory is None else _free(directory),
        directory=directory,
        device=disk.name,
        filesystem=None if mount is None else mount.type,
        note=disk.hidden,
        reason=reason,
    )


def _writable(files: SystemFiles, table: list[Mount], mount: Mount) -> str | None:
    """Return a directory on a mounted file system that this user can write to."""
    candidates = [
        Path(tempfile.gettempdir()),
        Path("/var/tmp"),
        Path.cwd(),
        Path(mount.point),
    ]
    for candidate in candidates:
        path = candidate.resolve() if files.root == Path("/") else candidate
        if mount_of(table, path) == mount and _can_write(files, str(path)):
            return str(path)
    return None


def _can_write(files: SystemFiles, directory: str) -> bool:
    return os.access(files.path(directory), os.W_OK | os.X_OK)


def _free(directory: str) -> int | None:
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None
