"""Where this process stands in the control groups, and what they limit."""

from __future__ import annotations

from pathlib import PurePosixPath

from stratoperf.monitor.files import SystemFiles, first_integer


def group_folders(files: SystemFiles, controller: str) -> list[str]:
    """Return the folders that may hold `controller`'s files for this process, own group first.

    Both hierarchies are covered: version 2 (also where it is mounted beside version 1, at
    ``unified``) and version 1. Inside a container the path in ``/proc/self/cgroup`` is often
    not visible while the mount's root is the container's own group, so parents follow.
    """
    mounts = {"": ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"]}
    folders: list[str] = []
    for line in (files.text("/proc/self/cgroup") or "").splitlines():
        _, controllers, group = (*line.split(":", 2), "", "")[:3]
        if not group or (controllers and controller not in controllers.split(",")):
            continue
        for mount in mounts.get(controllers, [f"/sys/fs/cgroup/{controllers}"]):
            path = PurePosixPath(group)
            folders += [mount + str(p).rstrip("/") for p in (path, *path.parents)]
    return [folder for folder in folders if files.exists(folder)]


def cpu_quota(files: SystemFiles) -> float | None:
    """Return the CPUs' worth of time that the control groups grant, or ``None`` for no limit."""
    limits = []
    for folder in group_folders(files, "cpu"):
        words = (files.text(f"{folder}/cpu.max") or "").split()
        most, each = (first_integer(word) for word in words) if len(words) == 2 else (None, None)
        if most is not None and each:
            limits.append(most / each)
        quota = files.integer(f"{folder}/cpu.cfs_quota_us")
        period = files.integer(f"{folder}/cpu.cfs_period_us")
        if quota is not None and quota > 0 and period:
            limits.append(quota / period)
    return min(limits, default=None)


def memory_limit(files: SystemFiles) -> int | None:
    """Return the lowest memory limit in bytes of the control groups, or ``None`` for none."""
    limits = []
    for folder in group_folders(files, "memory"):
        for name in ("memory.max", "memory.limit_in_bytes"):
            limit = files.integer(f"{folder}/{name}")
            # Version 1 writes "no limit" as the largest page-aligned number.
            if limit is not None and limit < 1 << 60:
                limits.append(limit)
    return min(limits, default=None)


def throttled_ms(files: SystemFiles) -> float | None:
    """Return for how long the CPU quota has stopped this process's group so far, in ms."""
    for folder in group_folders(files, "cpu"):
        rows = files.table(f"{folder}/cpu.stat")
        for name, scale in (("throttled_usec", 1e3), ("throttled_time", 1e6)):
            count = first_integer(rows.get(name))
            if count is not None:
                return count / scale
    return None
