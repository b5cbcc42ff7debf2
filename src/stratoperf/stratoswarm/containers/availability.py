"""Which setting of the system is in the way of containers, and what to do about it."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from stratoperf.authoring import SystemFiles, first_integer
from stratoperf.errors import PrerequisiteMissing

PROGRAM = "stratoperf_spawner"


class Availability(NamedTuple):
    """Whether containers can be made here.

    Attributes
    ----------
    usable
        Whether one was made and verified from inside.
    reason
        What is in the way; empty when nothing is.
    remedy
        What to do about it.
    """

    usable: bool
    reason: str = ""
    remedy: str = ""


def blocking_setting(files: SystemFiles, *, is_root: bool) -> Availability | None:
    """Return the first setting that keeps a user from making containers, or ``None``.

    Parameters
    ----------
    files
        The system's files.
    is_root
        Whether the user is root, of whom less is asked.
    """
    for path, is_blocking, remedy, for_root in _SETTINGS:
        value = first_integer(files.text(path))
        if value is not None and is_blocking(value) and (for_root or not is_root):
            return Availability(False, f"{path} is {value}", f"sudo sysctl -w {remedy}")
    masked = masked_proc(files.text("/proc/self/mountinfo") or "")
    if masked:
        return Availability(
            False,
            f"{masked} lies over a part of /proc, so that no fresh /proc may be mounted",
            "start the surrounding container with an unmasked /proc "
            "(docker run --security-opt systempaths=unconfined)",
        )
    return None


_SETTINGS: tuple[tuple[str, Callable[[int], bool], str, bool], ...] = (
    (
        "/proc/sys/user/max_user_namespaces",
        lambda value: value == 0,
        "user.max_user_namespaces=10000",
        True,
    ),
    (
        "/proc/sys/kernel/unprivileged_userns_clone",
        lambda value: value == 0,
        "kernel.unprivileged_userns_clone=1",
        False,
    ),
    (
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
        lambda value: value == 1,
        "kernel.apparmor_restrict_unprivileged_userns=0",
        False,
    ),
)


_HARMLESS = ("/proc/sys/fs/binfmt_misc", "/proc/fs/nfsd")
"""Mounts on folders that are empty and stay so: they hide nothing."""


def masked_proc(mountinfo: str) -> str:
    """Return a mount that hides a part of ``/proc``, or an empty string.

    Parameters
    ----------
    mountinfo
        The text of ``/proc/self/mountinfo``.
    """
    rows = [line.split() for line in mountinfo.splitlines()]
    paths = [row[4] for row in rows if len(row) > 4 and "autofs" not in row]
    for path in paths:
        if path.startswith("/proc/") and path not in _HARMLESS:
            return path
    return ""


def remedy_for(message: str) -> str:
    """Return what to do about a step that the system refused, for a message.

    Parameters
    ----------
    message
        What the helper said.
    """
    blocked = blocking_setting(SystemFiles(Path("/")), is_root=os.geteuid() == 0)
    if "No space left" in message:
        return "raise user.max_*_namespaces (sysctl), or destroy containers"
    if "Resource temporarily unavailable" in message:
        return "raise kernel.pid_max or pids.max of the control group, or destroy containers"
    if "Cannot allocate memory" in message:
        return "free some memory, or destroy containers"
    if "Too many open files" in message:
        return "raise the limit of open files (ulimit -n)"
    if "clone3 into the control group" in message:
        return (
            "leave out limits; a process that is attached after its clone waits for a grace period "
            "of RCU unless the hierarchy is mounted with favordynmods "
            "(mount -o remount,favordynmods /sys/fs/cgroup), so that way is not taken"
        )
    if any(word in message for word in _OF_GROUPS):
        return "leave out limits, or run as root or in a delegated control group"
    if blocked is not None:
        return f"{blocked.reason}; {blocked.remedy}"
    if "Function not implemented" in message:
        return f"use Linux 5.12 or later; {_AROUND}"
    if "Invalid argument" in message:
        return f"use a kernel with all seven namespaces and seccomp; {_AROUND}"
    if "signal 31" in message or "not permitted" in message or "denied" in message:
        return f"run as root; {_AROUND}"
    return f"run on a kernel of its own, such as a virtual machine's; {_AROUND}"


_OF_GROUPS = ("mkdir /", "/cgroup", "cgroup.", "control group", "tasks", "memory.", "cpu.", "pids.")
"""What the messages about control groups have, of which "cgroup namespace" is none."""

_AROUND = (
    "where a sandbox surrounds this process, its filter or its own kernel may refuse the call: "
    "let it through (docker run --privileged), or use a virtual machine"
)


def helper_program() -> Path:
    """Return the helper program, which lies beside the extension module.

    Raises
    ------
    PrerequisiteMissing
        When it is not there.
    """
    spec = importlib.util.find_spec("stratoperf._core")
    path = Path((spec and spec.origin) or "").parent / PROGRAM
    if not path.is_file():
        raise PrerequisiteMissing(f"{path} does not exist; install stratoperf again")
    return path
