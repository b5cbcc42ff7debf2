"""Faked machines for the discovery of tiers, and content for blocks."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import stratoperf as sp
from stratoperf.stratoswarm.memory import Tier, tiers

PAGE = 4096


class Machine:
    """A tree of the kernel's files that grows disk by disk."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._mounts: list[str] = []
        self.write("/proc/meminfo", "MemTotal: 8000000 kB\nMemAvailable: 4000000 kB\n")
        self.write("/proc/self/mountinfo", "")

    def write(self, name: str, content: str) -> None:
        path = self.root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content + "\n")

    def disk(
        self, number: str, folder: str, *, rotational: bool = False, **attributes: str
    ) -> Path:
        """Add a block device whose folder under /sys/devices is `folder`."""
        path = self.root / "sys/devices" / folder
        self.write(f"/sys/devices/{folder}/queue/rotational", "1" if rotational else "0")
        for name, value in attributes.items():
            self.write(f"/sys/devices/{folder}/device/{name}", value)
        self.link(number, path)
        return path

    def partition(self, number: str, disk: Path, name: str) -> None:
        path = disk / name
        path.mkdir()
        (path / "partition").write_text("1\n")
        self.link(number, path)

    def link(self, number: str, path: Path) -> None:
        for link in (f"sys/dev/block/{number}", f"sys/class/block/{path.name}"):
            where = self.root / link
            where.parent.mkdir(parents=True, exist_ok=True)
            where.symlink_to(path)

    def mount(
        self, number: str, point: str, kind: str = "ext4", source: str = "/dev/x", options: str = ""
    ) -> None:
        (self.root / point.lstrip("/")).mkdir(parents=True, exist_ok=True)
        self._mounts.append(
            f"{len(self._mounts) + 20} 1 {number} / {point} rw shared:1 - {kind} {source} "
            f"{options or 'rw'}"
        )
        self.write("/proc/self/mountinfo", "\n".join(self._mounts))


def disks(machine: Machine, directories: Any = None) -> list[Tier]:
    found = tiers(directories, root=machine.root)
    return [tier for tier in found if tier.is_disk]


def disk_kind(directory: Path) -> str:
    """Return a kind that `directory` can be assigned to; skip where it is on no disk."""
    for kind in ("nvme", "ssd", "hdd"):
        try:
            sp.memory.tiers({kind: directory})
        except sp.InvalidParameter:
            continue
        return kind
    pytest.skip(f"{directory} is on no disk; set --basetemp to a directory on one")


def noise(size: int, seed: int = 1) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, size, np.uint8)
