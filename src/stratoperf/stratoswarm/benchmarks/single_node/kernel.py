"""The kernel: commands to its modules, system calls, and namespaces."""

from __future__ import annotations

from collections.abc import Iterator

from stratoperf import benchmark
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.operation import Operation
from stratoperf.stratoswarm.claims import (
    DMA_CHECK,
    FAULT_TRACKING,
    GPU_ALLOCATION,
    SYSCALL_INTERCEPTION,
)
from stratoperf.stratoswarm.kernel_modules import operations
from stratoperf.stratoswarm.kernel_modules.interception import PAIRS, SIDE_S, compared
from stratoperf.stratoswarm.kernel_modules.loading import LoadableModule, is_allowed

NO_MODULE = "none"
MODULES = (NO_MODULE, "swarm_guard", "tier_watch")
"""Modules whose cost to a system call is measured."""

LOADING_S = 0.1
"""Seconds that loading and unloading take, generously."""


def _check_command(command: str) -> None:
    operations.module_of(command)


def _check_call(call: str, module: str) -> None:
    _known("call", call, operations.CALLS)
    _known("module", module, MODULES)


def _check_namespace(type: str, action: str) -> None:  # noqa: A002 # the parameter's name
    _known("type", type, operations.NAMESPACE_TYPES)
    _known("action", action, operations.ACTIONS)


def _known(argument: str, value: object, known: tuple[str, ...]) -> None:
    if value not in known:
        raise InvalidParameter(
            f"{argument}: {value!r} is unknown; {did_you_mean(str(value), known)}"
        )


def _pairs_s(module: str) -> float:
    if module == NO_MODULE or not is_allowed():
        return 0.0
    return PAIRS * 2 * (1.2 * SIDE_S + LOADING_S)


@benchmark(
    "kernel.ioctl",
    params={"command": operations.COMMANDS},
    target=(GPU_ALLOCATION, DMA_CHECK),
    check=_check_command,
)
def kernel_ioctl(command: str) -> Operation:
    """Give a command to a kernel module, in a native loop.

    What it needs is created before each batch and removed after it, outside the timed region.
    Replies are checked, and that the effect could be undone. ``FIONREAD`` asks a pipe, which needs
    no module: the path into the kernel and back that all commands have in common.
    """
    return operations.command(command)


@benchmark(
    "kernel.syscall_overhead",
    params={"call": operations.CALLS, "module": [NO_MODULE]},
    target=(SYSCALL_INTERCEPTION, FAULT_TRACKING),
    setup_s=_pairs_s,
    check=_check_call,
)
def kernel_syscall_overhead(call: str, module: str) -> Iterator[Operation]:
    """Make a system call, and tell what a loaded module adds to it.

    With the module ``none`` it is the call on the machine as it is. With another one, such as
    ``--param module=swarm_guard``, it is the call with the module loaded, and the metric `added` is
    what the module adds: the difference within 30 interleaved pairs, loaded and unloaded in random
    order. That needs ``--load-modules`` and root; the module is in its former state at the end.
    """
    if module == NO_MODULE:
        yield operations.system_call(call)
        return
    loadable = LoadableModule(module)
    with loadable.restored():
        yield compared(call, loadable)


@benchmark(
    "kernel.namespaces",
    params={"type": operations.NAMESPACE_TYPES, "action": ["create", "enter"]},
    check=_check_namespace,
)
def kernel_namespaces(type: str, action: str) -> Operation:  # noqa: A002
    """Create or enter a namespace, or exit it with ``--param action=exit``.

    To create is to start a child in a new one that shares the memory, and wait for its end. To
    enter and to exit is ``setns`` in a process that waits for it; into a user namespace, which no
    process leaves, it is a child each time. ``/proc`` says whether the process is where it has to
    be.
    """
    return operations.namespace(type, action)
