"""What containers can leave on a machine, before and after a test."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import stratoperf as sp
from stratoperf.stratoswarm.containers import Availability

GROUPS = Path("/sys/fs/cgroup")


class Ground(NamedTuple):
    """What containers can leave on a machine."""

    processes: frozenset[int]
    mounts: str
    groups: frozenset[str]


@functools.cache
def availability() -> Availability:
    return sp.containers.available()


def names_of_ours(name: str) -> bool:
    return name.startswith(
        ("strato_spawner", "strato_janitor", "stratoperf_spaw", "memfd:stratoper")
    )


def ground() -> Ground:
    processes = set()
    for path in Path("/proc").iterdir():
        if path.name.isdigit():
            try:
                name = (path / "comm").read_text()
                state = (path / "stat").read_text().rpartition(")")[2].split()[0]
            except OSError:
                continue
            # A zombie is its parent's to reap, which of an orphan is the system's first process.
            if names_of_ours(name) and state != "Z":
                processes.add(int(path.name))
    groups = {
        str(path)
        for folder in (GROUPS, *GROUPS.glob("*"), *GROUPS.glob("memory/*/*"))
        if folder.is_dir()
        for path in folder.glob("stratoperf-*")
    }
    mounts = Path("/proc/self/mountinfo").read_text()
    return Ground(frozenset(processes), mounts, frozenset(groups))


def wait_until(condition: Callable[[], bool], timeout_s: float = 20.0) -> bool:
    end = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def nothing_new(before: Ground) -> bool:
    after = ground()
    return (
        after.processes <= before.processes
        and after.mounts == before.mounts
        and after.groups <= before.groups
    )
