"""What a kernel module refuses, as exceptions with the command and the remedy."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator

from stratoperf.errors import StratoperfError


class KernelModuleError(StratoperfError):
    """A kernel module refused a command.

    Attributes
    ----------
    command
        The name of the command, such as ``"AGENT_CREATE"``.
    errno
        The number of the error, as in the module `errno`.
    """

    command: str = ""
    errno: int = 0


class NotFound(KernelModuleError):
    """There is no such agent, allocation or mount (ENOENT)."""


class QuotaExceeded(KernelModuleError):
    """The quota of the agent is used up (EDQUOT)."""


class NotPermitted(KernelModuleError):
    """The user may not give the command (EPERM)."""


class Busy(KernelModuleError):
    """What the command changes is in use (EBUSY)."""


class BadField(KernelModuleError):
    """The module does not accept the value of a field (EINVAL)."""


class BadPointer(KernelModuleError):
    """The module could not read or write the argument (EFAULT)."""


class UnknownCommand(KernelModuleError):
    """The module does not know the command word: it has another interface (ENOTTY)."""


class OutOfMemory(KernelModuleError):
    """There is no memory or no room left (ENOMEM)."""


_KINDS: dict[int, tuple[type[KernelModuleError], str]] = {
    errno.ENOENT: (NotFound, "create it first, or check its number"),
    errno.EDQUOT: (QuotaExceeded, "free an allocation, or raise the quota with set_quota"),
    errno.EPERM: (NotPermitted, "run as root, or with the capability CAP_SYS_ADMIN"),
    errno.EACCES: (NotPermitted, "run as root, or with the capability CAP_SYS_ADMIN"),
    errno.EBUSY: (Busy, "remove what uses it first"),
    errno.EINVAL: (BadField, "check the values of the arguments"),
    errno.EFAULT: (
        BadPointer,
        "where the command is GPU_FREE, try free_by_pointer=True or False",
    ),
    errno.ENOTTY: (
        UnknownCommand,
        "the module has another version of the interface; load the one that belongs to stratoperf",
    ),
    errno.ENOMEM: (OutOfMemory, "free some memory or destroy agents"),
}


def failure_of(command: str, number: int) -> KernelModuleError:
    """Return the exception for an error of a command.

    Parameters
    ----------
    command
        Its name.
    number
        As in the module `errno`.
    """
    kind, remedy = _KINDS.get(number, (KernelModuleError, "see the kernel's log with dmesg"))
    symbol = errno.errorcode.get(number, f"error {number}")
    failure = kind(f"{command}: {os.strerror(number)} ({symbol}); {remedy}")
    failure.command = command
    failure.errno = number
    return failure


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Turn what a native command raises into a `KernelModuleError`."""
    try:
        yield
    except OSError as error:
        raise failure_of(str(error.filename), error.errno or 0) from None
