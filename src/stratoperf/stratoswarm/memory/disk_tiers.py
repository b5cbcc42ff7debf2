"""Directories on disks as tiers: those that were found, and those that the user assigned."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from stratoperf.authoring import SystemFiles, shortened
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.paths import user_path
from stratoperf.stratoswarm.memory.assignments import DIRECTORIES_VARIABLE, Directories, assignments
from stratoperf.stratoswarm.memory.disks import DISK_KINDS, Disk, disk_under
from stratoperf.stratoswarm.memory.mounts import MEMORY_FILE_SYSTEMS, Mount, mount_of, mounts
from stratoperf.stratoswarm.memory.tier import Tier


def disk_tiers(files: SystemFiles, directories: Directories | None) -> list[Tier]:
    """Return the disks as tiers, the fastest kind first; see `stratoperf.memory.tiers`."""
    table = mounts(files)
    assign = _assigned
    if directories is None:
        directories, assign = assignments().directories, _assigned_if_possible
    if not isinstance(directories, Mapping):
        raise InvalidParameter(
            "directories: expected directories by kind of disk, such as {'nvme': '/mnt/fast'}, "
            f"got {directories!r}"
        )
    chosen = [
        assign(files, table, kind, directory)
        for kind, some in directories.items()
        for directory in _listed(kind, some)
    ]
    taken = {tier.device for tier in chosen}
    found: dict[str, Tier] = {}
    for mount in table:
        disk = disk_under(files, table, mount)
        # A file mounted over another one, as in containers, cannot hold files.
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
            f"directories: {kind!r} is not a kind of disk; {did_you_mean(kind, DISK_KINDS)}"
        )
    several = (
        some
        if isinstance(some, Iterable) and not isinstance(some, str | bytes | os.PathLike)
        else [some]
    )
    return [user_path(f"directories: for {kind!r}", directory) for directory in several]


def _assigned_if_possible(
    files: SystemFiles, table: list[Mount], kind: str, directory: Path
) -> Tier:
    """Return the tier of a directory; of one that the environment gave in vain, one with why."""
    try:
        return _assigned(files, table, kind, directory)
    except InvalidParameter as error:
        why = str(error).removeprefix("directories: ")
        reason = f"{DIRECTORIES_VARIABLE}: {why}"
        return Tier(kind, kind, directory=str(directory), reason=reason, assigned=True)


def _assigned(files: SystemFiles, table: list[Mount], kind: str, directory: Path) -> Tier:
    """Return the tier of a directory that the user gave to a kind."""
    try:
        path = Path("/") / directory if files.root != Path("/") else directory.resolve()
        is_there = files.path(str(path)).is_dir()
    except (OSError, RuntimeError, ValueError) as error:
        # A name that is too long, links in a circle, a NUL.
        why = getattr(error, "strerror", None) or error
        raise InvalidParameter(
            f"directories: {shortened(str(directory))!r} cannot be accessed: "
            f"{shortened(str(why))}; give an existing directory"
        ) from None
    if not is_there:
        raise InvalidParameter(
            f"directories: {path} is not a directory; create it, or give another one"
        )
    mount = mount_of(table, path)
    disk: Disk | str = "the kernel does not report its device"
    if mount is not None:
        if mount.type in MEMORY_FILE_SYSTEMS:
            raise InvalidParameter(
                f"directories: {path} lies on a {mount.type}, which is CPU memory, not {kind}; "
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
            f"directories: {path} lies on {disk.name}, which is {disk.kind!r}, not {kind!r}; "
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
            f"{where} is not writable"
            if wanted
            else f"no directory on it is writable; give a writable one with "
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
        assigned=wanted is not None,
    )


def _writable(files: SystemFiles, table: list[Mount], mount: Mount) -> str | None:
    """Return a directory on a mounted file system that this user can write to."""
    for candidate in (*_usual_directories(), Path(mount.point)):
        path = candidate.resolve() if files.root == Path("/") else candidate
        if mount_of(table, path) == mount and _can_write(files, str(path)):
            return str(path)
    return None


def _usual_directories() -> Iterator[Path]:
    for directory in (tempfile.gettempdir, lambda: "/var/tmp", os.getcwd):
        # No directory may be fit for temporary files, and the working directory may be gone.
        with contextlib.suppress(OSError):
            yield Path(directory())


def _can_write(files: SystemFiles, directory: str) -> bool:
    return os.access(files.path(directory), os.W_OK | os.X_OK)


def _free(directory: str) -> int | None:
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None
