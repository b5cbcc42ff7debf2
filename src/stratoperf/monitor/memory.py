"""Facts about the memory from ``/proc/meminfo``."""

from __future__ import annotations

import os

from stratoperf.monitor.cgroup import memory_limit
from stratoperf.monitor.files import SystemFiles, first_integer
from stratoperf.monitor.model import Memory


def free_bytes() -> int | None:
    """Return how much memory this process can still take, or ``None`` if it is unknown."""
    known = memory(SystemFiles())
    limits = [size for size in (known.available_bytes, known.limit_bytes) if size is not None]
    return min(limits, default=None)


def memory(files: SystemFiles) -> Memory:
    """Return sizes in bytes; what the files do not tell is ``None``."""
    rows = files.table("/proc/meminfo")

    def number(key: str) -> int | None:
        count = first_integer(rows.get(key))
        # KiB, whose bytes a run file can hold.
        return None if count is None or not 0 <= count < 1 << 53 else count

    def size(key: str) -> int | None:
        kibibytes = number(key)
        return None if kibibytes is None else kibibytes * 1024

    swap_total, swap_free = size("SwapTotal"), size("SwapFree")
    return Memory(
        total_bytes=size("MemTotal"),
        available_bytes=size("MemAvailable"),
        limit_bytes=memory_limit(files),
        swap_total_bytes=swap_total,
        swap_used_bytes=None if swap_total is None or swap_free is None else swap_total - swap_free,
        page_bytes=os.sysconf("SC_PAGE_SIZE"),
        huge_page_bytes=size("Hugepagesize"),
        huge_pages_total=number("HugePages_Total"),
        huge_pages_free=number("HugePages_Free"),
        transparent_huge_pages=files.chosen("/sys/kernel/mm/transparent_hugepage/enabled"),
    )
