"""Which file system a directory lies on, from the kernel's table of mounts."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path, PurePosixPath

from stratoperf.authoring import SystemFiles

MEMORY_FILE_SYSTEMS = ("tmpfs", "ramfs", "devtmpfs", "hugetlbfs")
"""File systems whose files are CPU memory, and so no disk, whatever directory they are at."""


@dataclasses.dataclass(frozen=True)
class Mount:
    """One mounted file system.

    Attributes
    ----------
    device
        ``"MAJOR:MINOR"``; the major number 0 stands for no block device of its own.
    point
        The directory that it is mounted at.
    type, source
        The file system and what it was made from, such as ``"ext4"`` and ``"/dev/sda1"``.
    upper
        For an overlay, the directory that takes the writes; else ``None``.
    """

    device: str
    point: str
    type: str
    source: str
    upper: str | None = None


def mounts(files: SystemFiles) -> list[Mount]:
    """Return the mounted file systems in the order in which they were mounted."""
    found = []
    for line in (files.text("/proc/self/mountinfo") or "").splitlines():
        before, separator, after = line.partition(" - ")
        left, right = before.split(), after.split()
        # No path has a NUL, and none can be looked up that has.
        if not separator or len(left) < 5 or len(right) < 2 or "\0" in _plain(line):
            continue
        options = dict(
            option.partition("=")[::2] for option in (right[2] if len(right) > 2 else "").split(",")
        )
        found.append(
            Mount(
                device=left[2],
                point=_plain(left[4]),
                type=right[0],
                source=_plain(right[1]),
                # Other file systems have options that any user can make up.
                upper=_plain(options["upperdir"])
                if right[0] == "overlay" and "upperdir" in options
                else None,
            )
        )
    return found


def mount_of(table: list[Mount], directory: Path | str) -> Mount | None:
    """Return the mount that `directory` (absolute, without symbolic links) lies on."""
    path = PurePosixPath(directory)
    covering = [
        mount
        for mount in table
        if path == (point := PurePosixPath(mount.point)) or point in path.parents
    ]
    # The deepest one; of several at one directory the last, which covers the others.
    depths = [(len(mount.point), number) for number, mount in enumerate(covering)]
    return covering[max(depths)[1]] if depths else None


def _plain(text: str) -> str:
    r"""Return a path of the table, where white space and the backslash are written ``\040``."""
    return re.sub(r"\\([0-7]{3})", lambda match: chr(int(match[1], 8)), text)
