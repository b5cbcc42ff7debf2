"""Find out whether this user may create the namespaces that containers need."""

from __future__ import annotations

import os
import subprocess
import sys

from stratoperf.monitor.files import SystemFiles

# CLONE_NEWUSER, NEWNS, NEWPID, NEWNET, NEWIPC, NEWUTS and NEWCGROUP from <linux/sched.h>.
ALL_SEVEN = 0x10000000 | 0x20000 | 0x20000000 | 0x40000000 | 0x8000000 | 0x4000000 | 0x2000000
TIMEOUT_S = 10.0

_TRY = f"""
import ctypes, sys
libc = ctypes.CDLL(None, use_errno=True)
sys.exit(ctypes.get_errno() if libc.unshare({ALL_SEVEN}) else 0)
"""


def refusal() -> str | None:
    """Return why the kernel refuses new namespaces to this user, or ``None`` if it allows them.

    The settings alone do not tell: a container's system call filter forbids it without a trace.
    So a child process enters namespaces of its own and ends at once, which leaves nothing
    behind. A child of its own also spares a process with threads the fork.
    """
    try:
        child = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _TRY],
            capture_output=True,
            timeout=TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"the attempt did not end: {error}"
    if child.returncode == 0:
        return None
    return f"unshare: {os.strerror(child.returncode)}"


def remedy(files: SystemFiles) -> str:
    """Return the command that lifts the restriction, by the setting that causes it."""
    if files.integer("/proc/sys/user/max_user_namespaces") == 0:
        return "sudo sysctl user.max_user_namespaces=10000"
    if files.integer("/proc/sys/kernel/unprivileged_userns_clone") == 0:
        return "sudo sysctl kernel.unprivileged_userns_clone=1"
    if files.integer("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1:
        return "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    return (
        "start the container with: docker run --security-opt seccomp=unconfined --cap-add SYS_ADMIN"
    )
