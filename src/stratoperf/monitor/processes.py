"""CPU time and waiting of this process with its descendants, and of the kernel's own threads."""

from __future__ import annotations

import os
import resource
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from stratoperf.monitor.files import SystemFiles, first_integer

TICK_S = 1 / os.sysconf("SC_CLK_TCK")
"""Seconds per tick of ``/proc/stat`` and ``/proc/PID/stat``."""


class ThreadTimes(NamedTuple):
    """Seconds that a thread had a CPU, and that it was ready to run but waited for one."""

    running: float
    waiting: float


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """A process with its descendants: what a benchmark runs, as far as the kernel tells.

    Attributes
    ----------
    cpu_time, user_time
        Seconds of CPU time, and of it in user mode: of the process, its living descendants,
        and all whose end was waited for.
    threads
        By number, of the living processes; empty where the kernel does not count waiting.
    """

    cpu_time: float
    user_time: float
    threads: Mapping[str, ThreadTimes]


def kernel_seconds(
    before: Mapping[str, float] | None, after: Mapping[str, float] | None
) -> float | None:
    """Return the CPU time between two readings of `kernel_threads`."""
    if before is None or after is None:
        return None
    return sum(time - before.get(number, 0.0) for number, time in after.items())


def family(files: SystemFiles) -> Family:
    """Read the times of this process and of its descendants."""
    own = resource.getrusage(resource.RUSAGE_SELF)
    reaped = resource.getrusage(resource.RUSAGE_CHILDREN)
    user = own.ru_utime + reaped.ru_utime
    kernel = own.ru_stime + reaped.ru_stime
    threads: dict[str, ThreadTimes] = {}
    # The list grows while the tree of processes is walked.
    members = ["self"]
    for member in members:
        if member != "self":
            times = _times(files, member)
            user += times.user
            kernel += times.kernel
        for thread in _listing(files, f"/proc/{member}/task"):
            folder = f"/proc/{member}/task/{thread}"
            words = (files.text(f"{folder}/schedstat") or "").split()
            if len(words) == 3:
                running, waiting, _ = (first_integer(word) or 0 for word in words)
                threads[thread] = ThreadTimes(running / 1e9, waiting / 1e9)
            members += (files.text(f"{folder}/children") or "").split()
    return Family(cpu_time=user + kernel, user_time=user, threads=threads)


def kernel_threads(files: SystemFiles) -> Mapping[str, float] | None:
    """Return the CPU time in seconds of each thread of the kernel, by its number.

    There are some ten for each CPU, and reading takes some 25 µs for each.

    Returns
    -------
    Mapping or None
        ``None`` where they are hidden, as in a container.
    """
    if files.text("/proc/2/comm") != "kthreadd":
        return None
    numbers = (files.text("/proc/2/task/2/children") or "").split()
    return {number: _times(files, number).kernel for number in numbers} or None


class _Times(NamedTuple):
    user: float
    kernel: float


def _times(files: SystemFiles, process: str) -> _Times:
    """Return the times of a living process, with those of its children that it waited for."""
    # The command name, in parentheses, may contain spaces: count the fields after it.
    fields = (files.text(f"/proc/{process}/stat") or "").rpartition(")")[2].split()
    if len(fields) < 15:
        return _Times(0.0, 0.0)
    user, kernel, waited_user, waited_kernel = (
        (first_integer(field) or 0) * TICK_S for field in fields[11:15]
    )
    return _Times(user + waited_user, kernel + waited_kernel)


def _listing(files: SystemFiles, folder: str) -> list[str]:
    try:
        return [entry.name for entry in files.path(folder).iterdir()]
    except OSError:
        return []
