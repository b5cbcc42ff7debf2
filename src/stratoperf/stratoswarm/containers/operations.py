"""Containers and agents as operations: what the benchmarks ``container.*`` measure."""

from __future__ import annotations

from collections.abc import Mapping

from stratoperf import arguments
from stratoperf._core import containers as native
from stratoperf.errors import VerificationFailed
from stratoperf.operation import Observed, Operation
from stratoperf.stratoswarm.containers.personality import Personality
from stratoperf.stratoswarm.containers.report import check_report, receive_report
from stratoperf.stratoswarm.containers.settings import (
    NAMESPACES,
    Limits,
    check_way,
    native_settings,
)
from stratoperf.stratoswarm.containers.spawner import Spawner

__all__ = ["AGENT_LIMITS", "MINIMAL_LIMITS", "destroy", "spawn", "spawn_agent"]

MINIMAL_LIMITS = Limits(memory_bytes=128 << 20, cpus=1.0)
"""Of the minimal container of the published benchmark."""

AGENT_LIMITS = Limits(memory_bytes=256 << 20, cpus=1.0)
"""Of its agent."""


def spawn(
    spawner: Spawner,
    way: str = "cold",
    *,
    limits: Limits | None = MINIMAL_LIMITS,
    pace_s: float = 0.0,
) -> Operation:
    """Return the operation that makes a container, until its first instruction has reported.

    The container has all seven namespaces, the minimal root and no command. It is destroyed before
    the next call, outside the timed region. Each first instruction reports; at the end the
    last container is verified from inside.

    Parameters
    ----------
    spawner
        Starts them.
    way
        ``"cold"``, ``"pooled"`` or ``"parked"``; see `Spawner.spawn`. The pool is refilled, and
        the container parked, outside the timed region.
    limits
        Of its control group.
    pace_s
        Seconds between two calls; by default they are made back to back. A rate of 5 a second
        is nearly twice as slow, since caches and the processor's speed have fallen.

    Raises
    ------
    InvalidParameter
        For an unknown way or a pace out of range.
    """
    return _spawning(spawner, check_way(way), limits, pace_s, None, "container.spawn")


def spawn_agent(
    spawner: Spawner,
    personality: Personality,
    *,
    limits: Limits | None = AGENT_LIMITS,
    pace_s: float = 0.0,
) -> Operation:
    """Return the operation that makes an agent, until it has loaded its personality.

    The agent copies the image into its memory and computes its checksum before it reports; each
    checksum is compared with that of the image.

    Parameters
    ----------
    spawner
        Starts them.
    personality
        Five floats and an image.
    limits
        Of its control group.
    pace_s
        As for `spawn`.

    Raises
    ------
    InvalidParameter
        For a pace out of range.
    """
    return _spawning(spawner, "cold", limits, pace_s, personality, "agent.spawn")


def destroy(spawner: Spawner, *, limits: Limits | None = MINIMAL_LIMITS) -> Operation:
    """Return the operation that destroys a container, until its control groups are removed.

    Parameters
    ----------
    spawner
        Has them.
    limits
        Of their control groups.
    """
    settings = _settings(limits)
    work, log = spawner.native.destroy_operation(settings)
    return Operation(work, name="container.destroy", verify=lambda: log.count)


def _settings(limits: Limits | None) -> native.Settings:
    return native_settings(
        name="container", namespaces=NAMESPACES, limits=limits, root=None, command=None
    )


def _spawning(
    spawner: Spawner,
    way: str,
    limits: Limits | None,
    pace_s: float,
    personality: Personality | None,
    name: str,
) -> Operation:
    pace = arguments.seconds("pace_s", pace_s)
    settings = _settings(limits)
    checksum = 0
    if personality is None:
        work, log = spawner.native.spawn_operation(settings, way, round(pace * 1e9), 0)
    else:
        checksum = personality.checksum
        with personality.image_file() as image:
            settings.image = image
            settings.flags |= native.IMAGE
            work, log = spawner.native.spawn_operation(settings, way, round(pace * 1e9), checksum)

    def verify() -> int:
        if log.last_control < 0:
            raise VerificationFailed(f"{name}: no container is left to be verified")
        report = receive_report(log.last_control, spawner.timeout_ms)
        check_report(report, settings, parked=way == "parked", pid=None)
        return log.count

    def observe() -> Mapping[str, Observed]:
        metrics = {}
        if log.first_instruction_ns:
            metrics["first_instruction"] = Observed("ns", "lower", log.first_instruction_ns)
        for number, stage in enumerate(native.stage_names()):
            samples = log.stage_ns(number)
            if len(samples):
                metrics[f"stage_{stage}"] = Observed("ns", "lower", samples)
        return metrics

    return Operation(
        work,
        name=name,
        item_unit="containers" if personality is None else "agents",
        verify=verify,
        observe=observe,
        details={"way": way, "pace_s": pace},
    )
