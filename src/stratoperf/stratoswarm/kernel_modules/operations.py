"""Work of the kernel as operations: what the benchmarks ``kernel.*`` measure."""

from __future__ import annotations

from stratoperf._core import kernel as native
from stratoperf.errors import InvalidParameter, PrerequisiteMissing, StratoperfError, did_you_mean
from stratoperf.operation import Operation
from stratoperf.stratoswarm.kernel_modules.devices import OpenDevice
from stratoperf.stratoswarm.kernel_modules.failures import translated
from stratoperf.stratoswarm.kernel_modules.gpu_dma_lock import GpuDmaLock
from stratoperf.stratoswarm.kernel_modules.swarm_guard import SwarmGuard
from stratoperf.stratoswarm.kernel_modules.tier_watch import TierWatch

__all__ = [
    "ACTIONS",
    "CALLS",
    "COMMANDS",
    "NAMESPACE_TYPES",
    "PIPE",
    "command",
    "module_of",
    "namespace",
    "system_call",
]

PIPE = "FIONREAD"
"""The command that asks a pipe for its bytes, which needs no module."""

COMMANDS = (PIPE, *native.command_words())
"""`PIPE`, and the commands of the kernel modules."""

CALLS = ("getpid", "openat", "clone", "execve", "mmap", "page_fault")
"""System calls, and the first touch of a page."""

NAMESPACE_TYPES = ("mnt", "pid", "net", "ipc", "uts", "user", "cgroup")
ACTIONS = ("create", "enter", "exit")

_DEVICES: dict[str, type[OpenDevice]] = {
    "GPU": GpuDmaLock,
    "DMA": GpuDmaLock,
    "AGENT": SwarmGuard,
    "MOUNT": SwarmGuard,
    "TIER": TierWatch,
}


def module_of(name: str) -> str | None:
    """Return the kernel module that a command belongs to, ``None`` for `PIPE`.

    Parameters
    ----------
    name
        One of `COMMANDS`.

    Raises
    ------
    InvalidParameter
        For an unknown command.
    """
    _check("command", name, COMMANDS)
    return None if name == PIPE else _DEVICES[name.partition("_")[0]].module


def command(name: str, *, free_by_pointer: bool = False) -> Operation:
    """Return the operation that gives a command to a kernel module in a native loop.

    What the command needs (agents, allocations) is created before each batch and removed after it,
    outside the timed region. Replies are checked, and that the effect could be undone.

    Parameters
    ----------
    name
        One of `COMMANDS`.
    free_by_pointer
        As for `GpuDmaLock`.

    Raises
    ------
    InvalidParameter
        For an unknown command.
    PrerequisiteMissing
        When the module cannot be used here, or this user may not give the command.
    """
    module = module_of(name)
    if module is None:
        with translated():
            capsule = native.pipe_operation()
        return Operation(capsule, name="kernel.ioctl", item_unit="commands")
    try:
        with _DEVICES[name.partition("_")[0]]() as device, translated():
            capsule = native.command_operation(device.fileno(), name, bool(free_by_pointer))
    except PrerequisiteMissing:
        raise
    except StratoperfError as error:
        raise PrerequisiteMissing(f"cannot measure {name} here: {error}") from None
    return Operation(capsule, name="kernel.ioctl", item_unit="commands")


def system_call(name: str) -> Operation:
    """Return the operation that makes a system call in a native loop.

    ``openat`` opens ``/`` and closes it; ``clone`` starts a child that shares the memory, and waits
    for its end; ``execve`` is that with a program of three instructions; ``mmap`` maps a page and
    unmaps it; ``page_fault`` touches a page for the first time. All results are checked.

    Parameters
    ----------
    name
        One of `CALLS`.

    Raises
    ------
    InvalidParameter
        For an unknown call.
    PrerequisiteMissing
        When the system refuses it.
    """
    _check("call", name, CALLS)
    try:
        with translated():
            capsule = native.syscall_operation(getattr(native.Syscall, name))
    except StratoperfError as error:
        raise PrerequisiteMissing(f"cannot measure {name} here: {error}") from None
    return Operation(capsule, name="kernel.syscall_overhead", item_unit="calls")


def namespace(type_: str, action: str) -> Operation:
    """Return the operation that creates, enters or exits a namespace.

    Creating is a child in a new namespace that shares the memory, until it has ended. Entering and
    exiting are ``setns`` in a process of its own; into a user namespace, which no process leaves,
    it is a child each time. ``/proc`` says whether the process is where it has to be.

    Parameters
    ----------
    type_
        One of `NAMESPACE_TYPES`.
    action
        One of `ACTIONS`.

    Raises
    ------
    InvalidParameter
        For an unknown type or action.
    PrerequisiteMissing
        When the system does not allow it; names the setting that may be responsible.
    """
    _check("type", type_, NAMESPACE_TYPES)
    _check("action", action, ACTIONS)
    try:
        with translated():
            capsule = native.namespace_operation(type_, getattr(native.NamespaceAction, action))
    except StratoperfError as error:
        raise PrerequisiteMissing(
            f"cannot {action} a namespace of type {type_} here: {error}{_remedy(type_, error)}"
        ) from None
    return Operation(capsule, name="kernel.namespaces", item_unit="namespaces")


def _remedy(type_: str, error: StratoperfError) -> str:
    if "errno" not in vars(error):
        return ""
    limit = f"sysctl user.max_{type_}_namespaces"
    return f"; look at {limit}, and in a container at its seccomp profile and capabilities"


def _check(argument: str, name: object, known: tuple[str, ...]) -> None:
    if not isinstance(name, str) or name not in known:
        raise InvalidParameter(f"{argument}: {name!r} is unknown; {did_you_mean(str(name), known)}")
