"""Populations of agents, with the limits of the machine read first."""

from __future__ import annotations

import random
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from stratoperf import arguments
from stratoperf.authoring import SystemFiles, first_integer, group_folders
from stratoperf.errors import InvalidParameter, PrerequisiteMissing

if TYPE_CHECKING:
    from stratoperf.stratoswarm.containers.settings import Limits
    from stratoperf.stratoswarm.containers.spawner import Container, Spawner

MOST_AGENTS = 1_000_000

SHARED_BYTES, OWN_BYTES = 400 << 10, 800 << 10
"""Twice the memory that an agent is expected to need, with shared namespaces and with its own."""

_SPARE = 256
"""Processes and descriptors that are left to everybody else."""

MOST_MEMORY_GROUPS = 65_535
"""The kernel numbers memory control groups with 16 bits; those that die late count too."""


class Ended(NamedTuple):
    """How a population was destroyed.

    Attributes
    ----------
    agents
        Number of agents.
    exits_s
        Seconds until all processes were reaped.
    gone_s
        Seconds until their control groups were removed too.
    """

    agents: int
    exits_s: float
    gone_s: float


class Population:
    """Agents that live at the same time, with the limits of the machine read first.

    Parameters
    ----------
    spawner
        Starts them; it must have no other containers.
    goal
        Number of agents that are to live.
    shared
        Whether they share one user and one network namespace; otherwise each has all seven.
    limits
        Limits of the control group of each agent; by default they have none of their own.

    Raises
    ------
    PrerequisiteMissing
        When a limit of the machine is lower than the goal; the message names the limit.
    """

    def __init__(
        self, spawner: Spawner, goal: int, *, shared: bool = True, limits: Limits | None = None
    ) -> None:
        self._spawner = spawner
        self._limits = limits
        self._shared = arguments_flag(shared)
        self.goal = arguments.count("goal", goal, MOST_AGENTS)
        self.agents: list[Container] = []
        raise_descriptors(self.goal + _SPARE)
        for blocked in limits_below(
            SystemFiles(Path("/")), self.goal, shared=shared, limited=limits is not None
        ):
            raise PrerequisiteMissing(blocked)
        self._before = available_bytes()

    def grow(self, count: int | None = None) -> float:
        """Spawn agents.

        Parameters
        ----------
        count
            How many more; by default as many as the goal lacks.

        Returns
        -------
        float
            Seconds that it took.

        Raises
        ------
        PrerequisiteMissing
            When the system refuses one; those that live stay.
        """
        begun = time.perf_counter()
        for _ in range(self.goal - len(self.agents) if count is None else count):
            name = f"agent-{len(self.agents)}"
            self.agents.append(
                self._spawner.spawn(name=name, shared=self._shared, limits=self._limits)
            )
        return time.perf_counter() - begun

    def answering(self) -> int:
        """Return how many agents answer a message of their own."""
        for number, agent in enumerate(self.agents):
            agent.answer(f"{number}")
        return len(self.agents)

    def round_trips_ns(self, count: int, chooser: random.Random) -> list[float]:
        """Return how long messages to random agents take until they are back, in nanoseconds.

        Parameters
        ----------
        count
            Number of messages.
        chooser
            Chooses the agents.
        """
        trips = []
        for number in range(count):
            agent = chooser.choice(self.agents)
            begun = time.perf_counter_ns()
            agent.answer(f"{number}")
            trips.append(float(time.perf_counter_ns() - begun))
        return trips

    def memory_bytes(self) -> float:
        """Return the memory of an agent, that of the kernel included: what the machine lost."""
        return max(0.0, (self._before - available_bytes()) / max(1, len(self.agents)))

    def pss_bytes(self, sample: int = 32) -> float:
        """Return the memory of an agent's process alone, its share of shared pages included.

        Parameters
        ----------
        sample
            Number of agents to look at.
        """
        step = max(1, len(self.agents) // sample)
        sizes = [_pss(agent.pid) for agent in self.agents[::step]]
        return sum(sizes) / max(1, len(sizes))

    def destroy(self) -> Ended:
        """Destroy all agents."""
        begun = time.monotonic_ns()
        reply = self._spawner.destroy_all()
        self.agents.clear()
        return Ended(reply.count, (reply.exited_ns - begun) / 1e9, (reply.gone_ns - begun) / 1e9)


def arguments_flag(shared: bool) -> bool:
    """Return a flag.

    Raises
    ------
    InvalidParameter
        For anything but a bool.
    """
    if not isinstance(shared, bool):
        raise InvalidParameter(f"shared: expected True or False, got {arguments.shown(shared)}")
    return shared


def available_bytes() -> int:
    """Return the memory that the machine has left."""
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) << 10
    return 0


def raise_descriptors(count: int) -> None:
    """Raise this process's soft limit of open files, as far as its hard limit allows.

    Raises
    ------
    PrerequisiteMissing
        When the hard limit is lower.
    """
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard not in (resource.RLIM_INFINITY,) and hard < count:
        raise PrerequisiteMissing(
            f"{count} descriptors are needed and the limit of open files is {hard}; raise it "
            f"(ulimit -Hn {count})"
        )
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, hard))


def limits_below(
    files: SystemFiles, goal: int, *, shared: bool, limited: bool = False
) -> list[str]:
    """Return each limit of the machine that is lower than a population needs, with the remedy.

    Parameters
    ----------
    files
        The system's files.
    goal
        Number of agents.
    shared
        Whether they share user and network namespaces.
    limited
        Whether each has a control group of its own.
    """
    own = ["mnt", "uts", "ipc", "pid", "cgroup"] + ([] if shared else ["user", "net"])
    named = {
        "/proc/sys/kernel/pid_max": "kernel.pid_max",
        "/proc/sys/kernel/threads-max": "kernel.threads-max",
        **{f"/proc/sys/user/max_{name}_namespaces": f"user.max_{name}_namespaces" for name in own},
    }
    wanted = goal + _SPARE
    found = []
    for path, setting in named.items():
        value = first_integer(files.text(path))
        if value is not None and value < wanted:
            found.append(
                f"{setting} is {value}, and {goal} agents need {wanted}; "
                f"sudo sysctl -w {setting}={2 * wanted}"
            )
    found += _limits_of_groups(files, goal)
    groups = _memory_groups(files)
    if limited and groups + goal > MOST_MEMORY_GROUPS:
        found.append(
            f"the kernel has {groups} memory control groups, dying ones included, and can have "
            f"{MOST_MEMORY_GROUPS}; ask for at most {max(0, MOST_MEMORY_GROUPS - groups)} agents, "
            "or leave out limits"
        )
    need = goal * (SHARED_BYTES if shared else OWN_BYTES)
    if available_bytes() < need:
        found.append(
            f"{available_bytes() >> 20} MiB of memory are free, and {goal} agents may need "
            f"{need >> 20} MiB; free some, or ask for fewer"
        )
    return found


def _limits_of_groups(files: SystemFiles, goal: int) -> list[str]:
    """Return each control group around this process that has too few processes left."""
    found = []
    for folder in group_folders(files, "pids"):
        most = files.integer(f"{folder}/pids.max")
        left = None if most is None else most - (files.integer(f"{folder}/pids.current") or 0)
        if left is not None and left < goal + _SPARE_OF_GROUP:
            found.append(
                f"{folder}/pids.max leaves {max(0, left)} processes, and {goal} agents need "
                f"{goal + _SPARE_OF_GROUP}; raise it, or ask for fewer"
            )
    return found


_SPARE_OF_GROUP = 4
"""The helper, the process that removes groups, and two on the way into a sandbox."""


def _memory_groups(files: SystemFiles) -> int:
    """Return the number of memory control groups of the machine, as the kernel counts them."""
    rows = (files.text("/proc/cgroups") or "").splitlines()
    return next((int(row.split()[2]) for row in rows if row.startswith("memory\t")), 0)


def _pss(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) << 10
    return 0
