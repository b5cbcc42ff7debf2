"""The guardian: a program that kills what our children leave behind, however we end.

`guard` starts it before the first child. It waits until its standard input says something, which
is the end of the run or comparison, or until the driver is gone, SIGKILL included. What it kills:

- every process whose environment holds the token, which all children get and pass on;
- every process in a session of a child, by the table of those that run, for children that cleared
  their environment;
- all descendants of these.

What it never sees is a process that left its session, cleared its environment and lost its parent.

It needs the standard library only, runs in a session of its own and ignores the signals that stop
the driver.
"""

from __future__ import annotations

import contextlib
import mmap
import os
import select
import signal
import sys
import time
from collections.abc import Iterable, Mapping
from typing import NamedTuple

ENDED = b"e"
"""What the driver says at its end: every child of its own has been reaped."""

PLACES = mmap.PAGESIZE // 4
"""Children in the table at most."""

_STARTING_S = 0.5
"""Seconds to look for more after the driver died: what it was just starting has no token yet."""

_LONGEST_S = 5.0
"""Seconds to go on at most, where something cannot be killed."""

_PAUSE_S = 0.01


class Process(NamedTuple):
    """Owner and start time of a process, to tell it from a later one with its number."""

    parent: int
    session: int
    start: bytes


def sweep(sessions: Iterable[int], token: bytes | None = None, at_least_s: float = 0.0) -> None:
    """Kill until nothing is left that may be killed.

    Parameters
    ----------
    sessions
        Those of children; each is also the number of a process group.
    token
        In the environment of what is to be killed.
    at_least_s
        Seconds to go on even when nothing is left.
    """
    sessions = frozenset(sessions)
    begin = time.monotonic()
    spared: set[Process] = set()
    while True:
        known = _processes()
        doomed = [pid for pid in _doomed(known, sessions, token) if known[pid] not in spared]
        for pid in doomed:
            if pid in sessions:
                # All of the group at once, so that nothing in it can fork away.
                with contextlib.suppress(OSError):
                    os.killpg(pid, signal.SIGKILL)
            try:
                _kill(pid, known[pid].start)
            except PermissionError:
                # It became another user's, as `sudo` does.
                spared.add(known[pid])
            except OSError:
                # It has ended.
                continue
        passed = time.monotonic() - begin
        if passed >= (_LONGEST_S if doomed else at_least_s):
            return
        time.sleep(_PAUSE_S)


def _processes() -> dict[int, Process]:
    """Return all that run; what only awaits its reaping does not."""
    running = {}
    with contextlib.suppress(OSError):
        for entry in os.scandir("/proc"):
            process = _process(int(entry.name)) if entry.name.isdigit() else None
            if process is not None:
                running[int(entry.name)] = process
    return running


def _process(pid: int) -> Process | None:
    # The name of the program, in parentheses, may hold anything.
    fields = _content(f"/proc/{pid}/stat").rpartition(b")")[2].split()
    if len(fields) < 20 or fields[0] in b"ZX":
        return None
    return Process(int(fields[1]), int(fields[3]), fields[19])


def _content(path: str) -> bytes:
    try:
        with os.fdopen(os.open(path, os.O_RDONLY), "rb") as file:
            return file.read()
    except OSError:
        # It ended, or belongs to another user.
        return b""


def _doomed(
    known: Mapping[int, Process], sessions: frozenset[int], token: bytes | None
) -> list[int]:
    """Return what is to be killed, parents first."""
    children: dict[int, list[int]] = {}
    for pid, process in known.items():
        children.setdefault(process.parent, []).append(pid)
    doomed = [
        pid
        for pid, process in known.items()
        if process.session in sessions
        or (token is not None and token in _content(f"/proc/{pid}/environ"))
    ]
    seen = set(doomed)
    # It grows while it is walked.
    for pid in doomed:
        fresh = [child for child in children.get(pid, ()) if child not in seen]
        doomed += fresh
        seen.update(fresh)
    return [pid for pid in doomed if pid != os.getpid()]


def _kill(pid: int, start: bytes) -> None:
    """Kill the process that began then, unless its number names another process by now."""
    try:
        descriptor = os.pidfd_open(pid)
    except (AttributeError, OSError):
        # An old kernel, or an interpreter that was built for one.
        if _has_begun(pid, start):
            os.kill(pid, signal.SIGKILL)
        return
    try:
        if _has_begun(pid, start):
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
    finally:
        os.close(descriptor)


def _has_begun(pid: int, start: bytes) -> bool:
    process = _process(pid)
    return process is not None and process.start == start


def _wait(driver: int) -> bool:
    """Wait until the driver ends; return whether it said so."""
    waiting = select.poll()
    waiting.register(0, select.POLLIN)
    # A process that the driver forked may hold the other end of the pipe open. An old kernel, or
    # an interpreter that was built for one, has no such descriptors.
    with contextlib.suppress(AttributeError, OSError):
        waiting.register(os.pidfd_open(driver), select.POLLIN)
    if os.getppid() == driver:
        waiting.poll()
    os.set_blocking(0, False)
    with contextlib.suppress(OSError):
        return os.read(0, 1) == ENDED
    return False


def main() -> None:
    """Guard a driver: ``guardian.py TOKEN NUMBER_OF_THE_DRIVER DESCRIPTOR_OF_THE_TABLE``."""
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)
    token, driver, descriptor = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    with mmap.mmap(descriptor, mmap.PAGESIZE) as table:
        has_ended = _wait(driver)
        sessions = [session for session in memoryview(table).cast("i").tolist() if session]
    sweep(sessions, token.encode(), 0.0 if has_ended else _STARTING_S)


if __name__ == "__main__":
    main()
