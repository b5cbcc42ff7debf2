"""Containers and agents: spawn, destroy, and how many live at once."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator, Mapping

import numpy as np

from stratoperf import arguments, benchmark
from stratoperf.errors import InvalidParameter, PrerequisiteMissing, did_you_mean
from stratoperf.operation import Observed, Operation
from stratoperf.stratoswarm.claims import CONTAINER_SPAWN
from stratoperf.stratoswarm.containers import (
    WAYS,
    Personality,
    Population,
    Spawner,
    available,
    operations,
)
from stratoperf.stratoswarm.containers.settings import check_way

PACE_S = 0.2
"""Five a second: what the platform's production load asks for."""

TRAITS = (0.8, 0.3, 0.6, 0.9, 0.1)
MOST_KIB = 200 * 1024
AGENTS = 10_100
"""More than the claim's 10,000."""

GROWTH_PERCENT = (10, 50, 100)
"""Parts of the population at which its growth pauses for round trips."""

ROUND_TRIPS = 200
"""Messages at each pause: enough for the interval of a median."""

SHARING = ("shared", "own")
"""Whether agents share user and network namespaces, or have all seven of their own."""


def _spawner() -> Spawner:
    """Return a spawner where containers can be made; elsewhere the case is skipped."""
    state = available()
    if not state.usable:
        raise PrerequisiteMissing(f"{state.reason}; {state.remedy}")
    return Spawner(timeout_s=30.0)


def _check_way(way: str) -> None:
    check_way(way)


def _check_image(image_kib: int) -> None:
    arguments.whole_number("image_kib", image_kib, 0, MOST_KIB)


def _check_agents(agents: int, namespaces: str) -> None:
    arguments.count("agents", agents)
    if namespaces not in SHARING:
        raise InvalidParameter(
            f"namespaces: {namespaces!r} is unknown; {did_you_mean(str(namespaces), SHARING)}"
        )


def _growth_s(agents: int, namespaces: str) -> float:
    """Return the seconds in which a population grows, at 1000 or 300 agents a second, and ends."""
    return 3.0 + agents / (1000 if namespaces == "shared" else 300)


@benchmark(
    "container.spawn",
    params={"way": WAYS},
    target=CONTAINER_SPAWN,
    setup_s=1.0,
    check=_check_way,
)
def container_spawn(way: str) -> Iterator[Operation]:
    """Make a container with all seven namespaces and 128 MB, back to back, until it is ready.

    The time runs until the first instruction in the finished sandbox has reported. ``cold`` makes
    all of it; ``pooled`` takes prepared user, network and mount namespaces and control groups;
    ``parked`` executes a program in a sandbox whose init waits. The metric `first_instruction` is
    read by the container's own clock; the others are the helper's stages. The last container is
    verified from inside.
    """
    with _spawner() as spawner:
        yield operations.spawn(spawner, way)


@benchmark(
    "container.spawn_paced",
    params={"way": WAYS},
    target=CONTAINER_SPAWN,
    setup_s=1.0,
    check=_check_way,
)
def container_spawn_paced(way: str) -> Iterator[Operation]:
    """Make five containers a second, which the platform's production load asks for.

    As `container.spawn`, which measures back to back; between two calls the machine does something
    else, and caches and the processor's speed fall.
    """
    with _spawner() as spawner:
        yield operations.spawn(spawner, way, pace_s=PACE_S)


@benchmark("container.destroy", setup_s=1.0)
def container_destroy() -> Iterator[Operation]:
    """Kill a waiting container, until its processes are reaped and its control groups removed."""
    with _spawner() as spawner:
        yield operations.destroy(spawner)


@benchmark("agent.spawn", params={"image_kib": [64, 4096]}, setup_s=1.0, check=_check_image)
def agent_spawn(image_kib: int) -> Iterator[Operation]:
    """Make an agent with 256 MB, until it has loaded its personality.

    It is a cold container that copies five floats and a memory image and reports their checksum,
    which is compared.
    """
    image = np.random.default_rng(image_kib).bytes(image_kib << 10)
    with _spawner() as spawner:
        yield operations.spawn_agent(spawner, Personality(TRAITS, image))


def _grow(population: Population, chooser: random.Random) -> tuple[float, dict[str, Observed]]:
    """Grow to the goal; return the seconds of growth, and the round trips on the way."""
    seconds, trips = 0.0, {}
    for percent in GROWTH_PERCENT:
        wanted = max(1, population.goal * percent // 100)
        seconds += population.grow(wanted - len(population.agents))
        samples = population.round_trips_ns(ROUND_TRIPS, chooser)
        trips[f"round_trip_{percent}_percent"] = Observed("ns", "lower", samples)
    return seconds, trips


@benchmark(
    "agent.scale",
    params={"agents": [AGENTS], "namespaces": ["shared"]},
    setup_s=_growth_s,
    check=_check_agents,
)
def agent_scale(agents: int, namespaces: str) -> Iterator[Operation]:
    """Send a message to a random one of many live agents and wait for its answer.

    The agents have namespaces of their own but for user and network, which they share; with
    ``--param namespaces=own`` they have all seven. The setup spawns them; the metrics tell how
    many of them answer, how many were spawned a second, the memory that each takes of the machine
    and in its process, and how long it takes to destroy them all: until their exits are observed,
    and until their control groups are removed. The growth pauses at a tenth, at half and at the
    whole for messages to random agents, whose times are the metrics ``round_trip_10_percent`` and
    so on.
    """
    with _spawner() as spawner:
        population = Population(spawner, agents, shared=namespaces == "shared")
        chooser = random.Random(agents)
        seconds, trips = _grow(population, chooser)
        numbers = itertools.count()
        answers = 0

        def talk() -> None:
            nonlocal answers
            chooser.choice(population.agents).answer(f"{next(numbers)}")
            answers += 1

        def observe() -> Mapping[str, Observed]:
            memory, process = population.memory_bytes(), population.pss_bytes()
            # Several counts, which agree: an interval of a single one does not exist.
            live = [float(population.answering()) for _ in range(8)]
            ended = population.destroy()
            return {
                "live_agents": Observed("agents", "higher", live),
                **trips,
                "spawn_rate": Observed("agents/s", "higher", [agents / seconds]),
                "memory_per_agent": Observed("bytes", "lower", [memory]),
                "process_memory_per_agent": Observed("bytes", "lower", [process]),
                "exits": Observed("s", "lower", [ended.exits_s]),
                "resources_gone": Observed("s", "lower", [ended.gone_s]),
            }

        yield Operation(
            talk,
            name="agent.scale",
            item_unit="messages",
            observe=observe,
            verify=lambda: answers,
            details={"agents": agents, "namespaces": namespaces},
        )
