"""Containers are what was asked for, seen from inside."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

import stratoperf as sp
from stratoperf.stratoswarm.containers import NAMESPACES, Limits, Personality, Population, Spawner
from wording import mentions, says


@pytest.mark.parametrize("way", ["cold", "pooled", "parked"])
def test_a_container_is_verified_from_inside(spawner: Spawner, limits: Limits, way: str) -> None:
    if way == "pooled":
        assert spawner.fill_pool(2, limits=limits) == 2
    container = spawner.spawn(name="probe", way=way, limits=limits)
    assert container.verify() >= 25
    assert container.ready_us > 0
    container.destroy()


def test_each_has_namespaces_of_its_own(spawner: Spawner) -> None:
    reports = [spawner.spawn().report() for _ in range(2)]
    for name in NAMESPACES:
        assert reports[0].namespace(name) != reports[1].namespace(name)


@pytest.mark.parametrize("left_out", ["uts", "ipc", "network", "cgroup"])
def test_a_namespace_can_be_left_out(spawner: Spawner, left_out: str) -> None:
    container = spawner.spawn(namespaces=[name for name in NAMESPACES if name != left_out])
    container.verify()
    path = Path(f"/proc/self/ns/{'net' if left_out == 'network' else left_out}")
    assert container.report().namespace(left_out) == path.readlink().name


def test_a_pool_makes_containers_that_share_nothing(spawner: Spawner) -> None:
    spawner.fill_pool(2)
    first, second = (spawner.spawn(way="pooled") for _ in range(2))
    for name in NAMESPACES:
        assert first.report().namespace(name) != second.report().namespace(name)
    first.verify()
    second.verify()


def test_a_parked_container_executes_its_program_again(spawner: Spawner) -> None:
    container = spawner.spawn(way="parked")
    assert container.execute_again() > 0
    container.verify()


def test_agents_can_share_user_and_network_namespaces(spawner: Spawner) -> None:
    agents = [spawner.spawn(shared=True) for _ in range(2)]
    for agent in agents:
        agent.verify()
    reports = [agent.report() for agent in agents]
    for name in NAMESPACES:
        is_same = reports[0].namespace(name) == reports[1].namespace(name)
        assert is_same == (name in ("user", "network"))


def test_a_command_runs_in_the_root_that_was_given(spawner: Spawner, root: Path) -> None:
    reading, writing = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    with os.fdopen(reading) as output:
        script = "echo $$; exec 2>&1; echo > /written; exit 7"
        container = spawner.spawn(["/bin/sh", "-c", script], root=root, files=(null, writing, null))
        os.close(writing)
        os.close(null)
        assert container.wait() == 7
        number, refused = output.read().splitlines()
    assert number == "1"
    assert "Read-only" in refused
    assert not (root / "written").exists()


def test_a_waiting_container_in_a_given_root_is_verified(spawner: Spawner, root: Path) -> None:
    spawner.spawn(root=root).verify()


def test_a_container_may_use_all_processors_of_the_client(spawner: Spawner, root: Path) -> None:
    # The helper keeps to the processor of the client's thread while it makes one.
    status = Path("/proc/self/status").read_text()
    allowed = re.findall(r"Cpus_allowed_list:\s*(\S+)", status)
    for way in ("cold", "pooled", "parked"):
        assert [spawner.spawn(way=way).report().status["Cpus_allowed_list"]] == allowed
    reading, writing = os.pipe()
    null = os.open(os.devnull, os.O_RDWR)
    with os.fdopen(reading) as output:
        script = "while read -r line; do echo $line; done < /proc/self/status"
        container = spawner.spawn(["/bin/sh", "-c", script], root=root, files=(null, writing, null))
        os.close(writing)
        os.close(null)
        assert container.wait() == 0
        assert re.findall(r"Cpus_allowed_list:\s*(\S+)", output.read()) == allowed


def test_a_command_that_is_killed_says_by_what(spawner: Spawner, root: Path) -> None:
    container = spawner.spawn(["/bin/sh", "-c", "sleep 100"], root=root)
    with pytest.raises(sp.StratoperfError, match="still runs"):
        container.wait(0.01)
    os.kill(container.pid, 9)
    assert container.wait() == -9


def test_an_agent_loads_its_personality_before_it_is_ready(spawner: Spawner) -> None:
    image = os.urandom(100_003)
    personality = Personality([0.1, 0.2, 0.3, 0.4, 0.5], image)
    agent = spawner.spawn(personality=personality)
    assert agent.checksum == personality.checksum != 0
    agent.answer("still here")
    agent.verify()
    assert Personality([0.1, 0.2, 0.3, 0.4, 0.6], image).checksum != personality.checksum


class Quotas:
    """Keeps account like the module, and refuses what is too much."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, int, list[int]]] = []

    def set_quota(self, agent: int, memory_limit: int, *, devices: Iterable[int]) -> None:
        if memory_limit > 1 << 30:
            raise sp.StratoperfError("GPU_SET_QUOTA: too much; ask for less")
        self.calls.append((agent, memory_limit, list(devices)))


def test_the_gpu_quota_of_an_agent_is_recorded_until_it_is_destroyed(spawner: Spawner) -> None:
    quotas = Quotas()
    agent = spawner.spawn(personality=Personality([0.0] * 5), gpu=quotas)
    assert quotas.calls == [(agent.pid, 512 << 20, [0])]
    agent.destroy()
    agent.destroy()
    assert quotas.calls[1:] == [(agent.pid, 0, [])]
    with pytest.raises(sp.StratoperfError, match="GPU_SET_QUOTA"):
        spawner.spawn(gpu=quotas, gpu_bytes=2 << 30)
    assert spawner.containers == ()
    with pytest.raises(sp.InvalidParameter, match=says("gpu_bytes:", "0")):
        spawner.spawn(gpu=quotas, gpu_bytes=0)


def test_an_image_beyond_the_memory_limit_is_no_agent(spawner: Spawner, limits: Limits) -> None:
    personality = Personality([0.0] * 5, bytes(32 << 20))
    small = Limits(memory_bytes=8 << 20)
    with pytest.raises(sp.StratoperfError, match="memory limit"):
        spawner.spawn(personality=personality, limits=small)
    spawner.spawn(limits=small).verify()


def test_a_population_lives_at_once_and_is_destroyed_at_once(spawner: Spawner) -> None:
    population = Population(spawner, 40)
    assert population.grow() > 0
    assert population.answering() == 40
    assert population.pss_bytes() > 0
    ended = population.destroy()
    assert ended.agents == 40
    assert 0 < ended.exits_s <= ended.gone_s
    assert spawner.containers == ()
    spawner.spawn().verify()


def test_what_a_limit_of_the_machine_forbids_is_said_before_any_harm(spawner: Spawner) -> None:
    with pytest.raises(sp.PrerequisiteMissing) as caught:
        Population(spawner, 900_000)
    assert mentions(str(caught.value), "900000") or mentions(str(caught.value), "900256")


def test_a_destroyed_container_says_so(spawner: Spawner) -> None:
    container = spawner.spawn(name="short")
    container.destroy()
    container.destroy()
    with pytest.raises(sp.StratoperfError, match=says("short", "destroyed")):
        container.report()


def test_a_closed_spawner_says_so(spawner: Spawner) -> None:
    spawner.close()
    spawner.close()
    with pytest.raises(sp.StratoperfError, match="closed"):
        spawner.spawn()
    # No number: a signal to the process -1 would reach all.
    with pytest.raises(sp.StratoperfError, match="closed"):
        _ = spawner.pid


@pytest.fixture
def root() -> Iterator[Path]:
    """Return a root with a shell and its libraries, which a user without rights can reach."""
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        root = Path(folder) / "root"
        for name in ("dev", "proc", "bin"):
            (root / name).mkdir(parents=True)
        for program in ("sh", "sleep"):
            source = shutil.which(program)
            assert source is not None
            shutil.copy(source, root / "bin" / program)
            done = subprocess.run(["ldd", source], capture_output=True, text=True, check=False)
            for library in re.findall(r"(/\S+)", done.stdout.replace(f"{source}:", "")):
                target = root / library.lstrip("/")
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(library, target)
        for path in (Path(folder), root, *root.rglob("*")):
            path.chmod(0o755)
        yield root
