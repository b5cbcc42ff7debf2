"""The module ``swarm_guard``: agents and their mounts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from stratoperf import arguments
from stratoperf.errors import InvalidParameter
from stratoperf.stratoswarm.kernel_modules.devices import OpenDevice
from stratoperf.stratoswarm.kernel_modules.failures import translated
from stratoperf.stratoswarm.kernel_modules.fields import (
    MOUNT_FLAGS,
    NAMESPACES,
    field_text,
    flags,
    u32,
    u64,
)

LONGEST_NAME = 63
LONGEST_PATH = 255
"""Bytes of UTF-8."""

STATES = ("created", "active", "suspended", "terminated")


@dataclass(frozen=True)
class Personality:
    """How an agent behaves: five numbers from 0 to 1.

    Attributes
    ----------
    risk_tolerance, cooperation, exploration, efficiency_focus, stability_preference
        From 0 to 1.

    Raises
    ------
    InvalidParameter
        For a number out of range, or one that is not finite.
    """

    risk_tolerance: float = 0.5
    cooperation: float = 0.5
    exploration: float = 0.5
    efficiency_focus: float = 0.5
    stability_preference: float = 0.5

    def __post_init__(self) -> None:
        for name in self.__dataclass_fields__:
            value = arguments.number(name, getattr(self, name), at_least=0.0, at_most=1.0)
            object.__setattr__(self, name, value)

    def values(self) -> tuple[float, float, float, float, float]:
        """Return the five numbers in the order of the binary interface."""
        return (
            self.risk_tolerance,
            self.cooperation,
            self.exploration,
            self.efficiency_focus,
            self.stability_preference,
        )


@dataclass(frozen=True)
class Agent:
    """What the module knows of an agent.

    Attributes
    ----------
    id
        Its number.
    pid
        The process that it belongs to.
    memory_usage, gpu_memory_usage
        Bytes.
    violations
        How often it broke a rule.
    state
        ``"created"``, ``"active"``, ``"suspended"`` or ``"terminated"``; the number as text where
        the module has another state.
    """

    id: int
    pid: int
    memory_usage: int
    gpu_memory_usage: int
    violations: int
    state: str


@dataclass(frozen=True)
class BindMount:
    """A directory that an agent sees at another place.

    Attributes
    ----------
    source, target
        Paths of at most 255 bytes.
    flags
        Any of ``"readonly"``, ``"nosuid"``, ``"noexec"``, ``"nodev"``.
    """

    source: str
    target: str
    flags: Sequence[str] = ()

    def fields(self) -> tuple[str, str, int]:
        """Return the values of the fields, checked."""
        return (
            field_text("source", self.source, LONGEST_PATH),
            field_text("target", self.target, LONGEST_PATH),
            flags("flags", self.flags, MOUNT_FLAGS),
        )


@dataclass(frozen=True)
class Overlay:
    """An overlay file system.

    Attributes
    ----------
    lower, upper, work, merged
        Paths of at most 255 bytes.
    """

    lower: str
    upper: str
    work: str
    merged: str

    def fields(self) -> list[str]:
        """Return the values of the fields, checked."""
        return [
            field_text(name, getattr(self, name), LONGEST_PATH)
            for name in ("lower", "upper", "work", "merged")
        ]


class SwarmGuard(OpenDevice):
    """Commands to the module ``swarm_guard``.

    Every method raises a `KernelModuleError` when the module refuses the command, and
    `InvalidParameter` for a value that does not fit into its field.
    """

    module = "swarm_guard"

    def create_agent(
        self,
        name: str,
        *,
        memory_limit: int,
        cpu_quota: int = 100,
        gpu_memory_limit: int = 0,
        namespaces: Iterable[str] = (),
    ) -> int:
        """Create an agent and return its number (AGENT_CREATE).

        Parameters
        ----------
        name
            At most 63 bytes of UTF-8.
        memory_limit, gpu_memory_limit
            Bytes; a memory limit of 0 would allow nothing.
        cpu_quota
            Percent of one CPU, at least 1.
        namespaces
            Any of ``"pid"``, ``"net"``, ``"ipc"``, ``"uts"``, ``"mnt"``, ``"user"``, ``"cgroup"``.
        """
        values = {
            "name": field_text("name", name, LONGEST_NAME),
            "memory_limit": u64("memory_limit", memory_limit, at_least=1),
            "cpu_quota": u32("cpu_quota", cpu_quota, at_least=1),
            "gpu_memory_limit": u64("gpu_memory_limit", gpu_memory_limit),
            "namespace_flags": flags("namespaces", namespaces, NAMESPACES),
        }
        with translated():
            return self.native.agent_create(**values)  # type: ignore[arg-type]

    def destroy_agent(self, agent: int) -> None:
        """Destroy an agent (AGENT_DESTROY)."""
        agent = u64("agent", agent)
        with translated():
            self.native.agent_destroy(agent)

    def query_agent(self, agent: int) -> Agent:
        """Return what the module knows of an agent (AGENT_QUERY)."""
        agent = u64("agent", agent)
        with translated():
            reply = self.native.agent_query(agent)
        known = reply.state < len(STATES)
        return Agent(
            id=reply.agent_id,
            pid=reply.pid,
            memory_usage=reply.memory_usage,
            gpu_memory_usage=reply.gpu_memory_usage,
            violations=reply.violation_count,
            state=STATES[reply.state] if known else str(reply.state),
        )

    def set_namespaces(self, agent: int, namespaces: Iterable[str]) -> None:
        """Set the namespaces of an agent (AGENT_SET_NS); the names are those of `create_agent`."""
        agent, bits = u64("agent", agent), flags("namespaces", namespaces, NAMESPACES)
        with translated():
            self.native.agent_set_ns(agent, bits)

    def setup_mounts(
        self,
        agent: int,
        *,
        overlay: Overlay | None = None,
        bind_mounts: Sequence[BindMount] = (),
        old_root: str | None = None,
        private: bool = True,
    ) -> None:
        """Set up the mounts of an agent (MOUNT_SETUP).

        Parameters
        ----------
        agent
            Its number.
        overlay
            The overlay file system to begin with, if any.
        bind_mounts
            At most 16; `add_bind_mount` adds others.
        old_root
            Where the old root goes, at most 255 bytes.
        private
            Whether mounts are hidden from other mount namespaces.
        """
        agent = u64("agent", agent)
        if len(bind_mounts) > 16:
            raise InvalidParameter(
                f"bind_mounts: expected at most 16, got {len(bind_mounts)}; the module has no "
                "room for more"
            )
        layers = [] if overlay is None else overlay.fields()
        binds = [mount.fields() for mount in bind_mounts]
        root = "" if old_root is None else field_text("old_root", old_root, LONGEST_PATH)
        with translated():
            self.native.mount_setup(
                agent, overlay=layers, binds=binds, old_root=root, private_mounts=bool(private)
            )

    def teardown_mounts(self, agent: int) -> None:
        """Take the mounts of an agent down (MOUNT_TEARDOWN)."""
        agent = u64("agent", agent)
        with translated():
            self.native.mount_teardown(agent)

    def add_bind_mount(self, agent: int, mount: BindMount) -> None:
        """Add a bind mount to those of an agent (MOUNT_ADD_BIND)."""
        agent = u64("agent", agent)
        source, target, bits = mount.fields()
        with translated():
            self.native.mount_add_bind(agent, source, target, bits)

    def mount_overlay(self, agent: int, overlay: Overlay) -> None:
        """Add an overlay file system to the mounts of an agent (MOUNT_OVERLAYFS)."""
        agent, layers = u64("agent", agent), overlay.fields()
        with translated():
            self.native.mount_overlayfs(agent, layers)
