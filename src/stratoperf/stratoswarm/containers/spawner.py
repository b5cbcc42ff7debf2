"""The spawner: starts the native helper, and containers through it."""

from __future__ import annotations

import contextlib
import os
import select
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from stratoperf import arguments
from stratoperf._core import containers as native
from stratoperf.errors import (
    BackendUnavailable,
    InvalidParameter,
    PrerequisiteMissing,
    StratoperfError,
)
from stratoperf.stratoswarm.containers.availability import helper_program, remedy_for
from stratoperf.stratoswarm.containers.report import Report, check_report, receive_report
from stratoperf.stratoswarm.containers.settings import NAMESPACES, Limits, native_settings

if TYPE_CHECKING:
    from typing_extensions import Self

    from stratoperf.stratoswarm.containers.personality import Personality

_ABOUT_ROOT = ("openat2 of", "open_tree of the root", "the root has to")
_NOT_ABOUT_ROOT = ("Function not implemented", "Operation not permitted", "Input/output error")
TIMEOUT_S = 10.0

_exchange = native.echo
"""Sends a message to a container and waits until the same one comes back."""


class GpuQuotas(Protocol):
    """Keeps account of GPU memory, as `stratoperf.kernel_modules.GpuDmaLock` does."""

    def set_quota(self, agent: int, memory_limit: int, *, devices: Iterable[int]) -> None:
        """Record what an agent may allocate."""


AGENT_GPU_BYTES = 512 << 20
"""GPU memory of the agent of the published benchmark."""


class Container:
    """A container that is ready. A `Spawner` makes it.

    Attributes
    ----------
    name
        Its host name.
    pid
        Its first process, as this process sees it.
    ready_us
        Microseconds from the call to its first instruction.
    stages_us
        Microseconds of each step of the helper, by name.
    """

    def __init__(
        self,
        spawner: Spawner,
        held: native.Container,
        settings: native.Settings,
        command: Sequence[str] | None,
    ) -> None:
        self._spawner = spawner
        self._held = held
        self._settings = settings
        self._has_command = command is not None
        self._is_destroyed = False
        self._gpu: GpuQuotas | None = None
        self.name: str = settings.name
        self.pid: int = held.pid
        self.ready_us: float = held.ready_ns / 1000
        self.stages_us: Mapping[str, float] = {
            name: ns / 1000 for name, ns in zip(native.stage_names(), held.stages_ns, strict=True)
        }

    @property
    def checksum(self) -> int:
        """The checksum that an agent computed of its image; 0 without one."""
        return self._held.checksum

    def report(self) -> Report:
        """Let init look around in the sandbox.

        Raises
        ------
        StratoperfError
            When the container runs a command instead of waiting, or has ended.
        """
        self._need_init("report")
        return receive_report(self._held.control, self._spawner.timeout_ms)

    def verify(self) -> int:
        """Check from inside that the sandbox is what was asked for.

        Returns
        -------
        int
            The number of facts that were checked.

        Raises
        ------
        VerificationFailed
            Naming all that differ.
        StratoperfError
            As `report`.
        """
        parked = bool(self._settings.flags & native.PARKED)
        return check_report(self.report(), self._settings, parked=parked, pid=self.pid)

    def answer(self, message: str) -> None:
        """Send a message to init and wait for the same back.

        Parameters
        ----------
        message
            At most 8000 bytes.

        Raises
        ------
        InvalidParameter
            For a longer message.
        StratoperfError
            When another message comes back, or none.
        """
        self._need_init("answer")
        if len(message.encode()) > 8000:
            raise InvalidParameter(
                f"message: expected at most 8000 bytes, got {len(message.encode())}"
            )
        _exchange(self._held.control, self._spawner.timeout_ms, message)

    def execute_again(self) -> float:
        """Let the init of a parked container execute its program again.

        Returns
        -------
        float
            Microseconds from the call to the first instruction.

        Raises
        ------
        InvalidParameter
            When the container is not parked.
        """
        if not self._settings.flags & native.PARKED:
            raise InvalidParameter(
                f"container {self.name!r} is not parked; spawn it with parked=True"
            )
        return native.execute_again(self._held.control, self._spawner.timeout_ms) / 1000

    def wait(self, timeout_s: float = TIMEOUT_S) -> int:
        """Wait until the command has ended.

        Parameters
        ----------
        timeout_s
            Maximum time, in seconds.

        Returns
        -------
        int
            The exit status, or the negative number of the signal that ended it.

        Raises
        ------
        StratoperfError
            When it still runs then.
        """
        arguments.seconds("timeout_s", timeout_s)
        end = time.monotonic() + timeout_s
        with contextlib.suppress(ProcessLookupError):
            process = os.pidfd_open(self.pid)
            try:
                poll = select.poll()
                poll.register(process, select.POLLIN)
                poll.poll(max(0.0, end - time.monotonic()) * 1000)
            finally:
                os.close(process)
        reply = self._spawner.native.status(self._held.id)
        if not reply.exited:
            raise StratoperfError(f"container {self.name!r} still runs after {timeout_s:g} s")
        return os.waitstatus_to_exitcode(reply.status)

    def destroy(self) -> None:
        """Kill all that runs in the container and remove its control group.

        Does nothing the second time.
        """
        if not (self._is_destroyed or self._spawner.is_closed):
            self._spawner.native.destroy(self._held.id)
        self._lost(self._spawner)

    def _lost(self, spawner: Spawner) -> None:
        """Know that the spawner has destroyed it."""
        self._is_destroyed = True
        self._held.close()
        spawner._forget(self)
        gpu, self._gpu = self._gpu, None
        if gpu is not None:
            gpu.set_quota(self.pid, 0, devices=())

    def _take_quota(self, gpu: GpuQuotas, size: int) -> None:
        """Have a quota recorded under the number of the process, until it is destroyed."""
        try:
            gpu.set_quota(self.pid, size, devices=(0,))
        except BaseException:
            self.destroy()
            raise
        self._gpu = gpu

    def _need_init(self, what: str) -> None:
        if self._has_command:
            raise StratoperfError(
                f"container {self.name!r} runs a command and cannot {what}; spawn one without"
            )
        if self._is_destroyed:
            raise StratoperfError(f"container {self.name!r} is destroyed")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.destroy()

    def __repr__(self) -> str:
        return f"<Container {self.name!r}, process {self.pid}>"


class Spawner:
    """Starts containers, through a native helper process that ends with this process.

    Parameters
    ----------
    timeout_s
        Maximum time for a container to become ready, in seconds.

    Attributes
    ----------
    native
        The client of the helper, for operations.
    timeout_ms
        The maximum time, in milliseconds.

    Raises
    ------
    PrerequisiteMissing
        When the helper does not start.
    """

    def __init__(self, *, timeout_s: float = TIMEOUT_S) -> None:
        timeout = arguments.seconds("timeout_s", timeout_s, above=0.0)
        self.timeout_ms = max(1, min(round(timeout * 1000), 2**31 - 1))
        with _explained():
            self.native = native.Client(str(helper_program()), self.timeout_ms)
        self._containers: dict[int, Container] = {}

    @property
    def pid(self) -> int:
        """The process of the helper.

        Raises
        ------
        StratoperfError
            When the spawner is closed. No number stands for that: to send a signal to the process
            -1 is to send it to all.
        """
        if self.is_closed:
            raise StratoperfError("the spawner is closed and has no helper; make a new spawner")
        return self.native.pid

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called."""
        return not self.native.is_open

    @property
    def containers(self) -> tuple[Container, ...]:
        """All that were not destroyed."""
        return tuple(self._containers.values())

    def spawn(
        self,
        command: Sequence[str] | None = None,
        *,
        name: str = "container",
        namespaces: Iterable[str] = NAMESPACES,
        limits: Limits | None = None,
        root: str | Path | None = None,
        way: str = "cold",
        shared: bool = False,
        personality: Personality | None = None,
        files: Sequence[int] = (),
        gpu: GpuQuotas | None = None,
        gpu_bytes: int = AGENT_GPU_BYTES,
    ) -> Container:
        """Start a container, and return when its first instruction has run.

        Parameters
        ----------
        command
            A program of the root, by its absolute path, and its arguments. By default init waits.
        name
            The host name, of at most 63 bytes.
        namespaces
            The namespaces that are its own: all seven of `NAMESPACES` by default.
        limits
            Limits of its control group; by default it stays in that of this process.
        root
            A directory that becomes its root, read-only. It must have the directories ``dev`` and
            ``proc``. By default the root is minimal: a tmpfs with these two.
        way
            ``"cold"``; ``"pooled"``, with namespaces from `fill_pool`, as far as they are there; or
            ``"parked"``, whose init waits and can execute its program again.
        shared
            Join the user and network namespaces that all such containers share.
        personality
            What an agent loads before it is ready.
        files
            Three descriptors that become its 0, 1 and 2; by default all are ``/dev/null``.
        gpu
            Where its GPU quota is recorded, under the number of its process, until it is destroyed:
            an open `stratoperf.kernel_modules.GpuDmaLock`. By default nowhere. A quota outlives a
            client that is killed.
        gpu_bytes
            That quota, in bytes.

        Raises
        ------
        InvalidParameter
            For anything out of range, or a command or root that cannot be used.
        PrerequisiteMissing
            When the system refuses a step of the sandbox; the message names the step and, where it
            is known, the setting. There is no weaker sandbox instead.
        StratoperfError
            When the container ends before it is ready, or the spawner is closed.
        KernelModuleError
            When the quota is refused; the container is destroyed then.
        """
        arguments.whole_number("gpu_bytes", gpu_bytes, 1, 1 << 50)
        from stratoperf.stratoswarm.containers.settings import check_way

        settings = native_settings(
            name=name, namespaces=namespaces, limits=limits, root=root, command=command
        )
        flags = settings.flags
        if check_way(way) == "pooled":
            if root is not None or set(namespaces) != set(NAMESPACES) or shared:
                raise InvalidParameter(
                    "way: 'pooled' has all namespaces and the minimal root; leave out root, "
                    "namespaces and shared, or take 'cold'"
                )
            flags |= native.POOLED
        elif way == "parked":
            if command is not None:
                raise InvalidParameter("command: a parked container has none yet; leave it out")
            flags |= native.PARKED
        if shared:
            settings.namespaces &= ~(1 << NAMESPACES.index("user"))
            settings.namespaces &= ~(1 << NAMESPACES.index("network"))
            flags |= native.SHARED
        if files:
            if len(files) != 3:
                raise InvalidParameter(f"files: expected three descriptors, got {len(files)}")
            settings.files = [arguments.whole_number("files", file, 0, 2**31 - 1) for file in files]
            flags |= native.STANDARD_FILES
        with contextlib.ExitStack() as stack:
            if personality is not None:
                if command is not None or way == "parked":
                    raise InvalidParameter(
                        "personality: an agent that loads one has no command and is not parked"
                    )
                settings.image = stack.enter_context(personality.image_file())
                flags |= native.IMAGE
            settings.flags = flags
            container = self._start(settings, command)
        if gpu is not None:
            container._take_quota(gpu, gpu_bytes)
        return container

    def fill_pool(self, count: int, *, limits: Limits | None = None) -> int:
        """Prepare namespaces and control groups for `pooled` containers, and keep them refilled.

        Parameters
        ----------
        count
            How many sets; at most 256. 0 stops the refill.
        limits
            The limits of the containers to come.

        Returns
        -------
        int
            How many there are.

        Raises
        ------
        PrerequisiteMissing
            As `spawn`.
        """
        arguments.whole_number("count", count, 0, 256)
        settings = native_settings(
            name="container", namespaces=NAMESPACES, limits=limits, root=None, command=None
        )
        with _explained():
            return self.native.prepare(count, settings).count

    def destroy_all(self) -> native.Reply:
        """Destroy all containers.

        Returns
        -------
        Reply
            With the times, by ``CLOCK_MONOTONIC``, at which all had exited and all was removed.
        """
        reply = self.native.destroy_all()
        for container in self.containers:
            container._lost(self)
        return reply

    def close(self) -> None:
        """Destroy all containers and end the helper. Does nothing the second time."""
        self.native.close()
        for container in self.containers:
            container._lost(self)

    def _start(self, settings: native.Settings, command: Sequence[str] | None) -> Container:
        with _explained():
            held = self.native.spawn(settings)
        container = Container(self, held, settings, command)
        self._containers[held.id] = container
        return container

    def _forget(self, container: Container) -> None:
        self._containers.pop(container._held.id, None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()


@contextlib.contextmanager
def _explained() -> Iterator[None]:
    """Say what to do about a step that the system refused."""
    try:
        yield
    except BackendUnavailable as error:
        message = str(error)
        if any(part in message for part in _ABOUT_ROOT) and not any(
            part in message for part in _NOT_ABOUT_ROOT
        ):
            raise InvalidParameter(
                f"root: {message}; name a directory with the directories dev and proc, without "
                "links or mounts in it"
            ) from None
        raise PrerequisiteMissing(f"{message}; {remedy_for(message)}") from None
