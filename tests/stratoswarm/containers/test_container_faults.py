"""Whatever ends a container's helper or client, at whatever stage: nothing is left of it."""

from __future__ import annotations

import contextlib
import functools
import os
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import stratoperf as sp
from container_ground import ground, wait_until
from stratoperf._core import containers as native
from stratoperf.authoring import SystemFiles, group_folders
from stratoperf.stratoswarm.containers import Limits, Spawner, settings
from stratoperf.stratoswarm.containers import spawner as module
from stratoperf.stratoswarm.containers.availability import blocking_setting, helper_program
from wording import mentions, says

STAGES = native.stage_names()[: native.stage_names().index("seccomp")]
"""After the filter is loaded the exec follows at once."""


def entering(helper: int) -> list[int]:
    """Return the children of a helper that are on their way into a sandbox."""
    children = Path(f"/proc/{helper}/task/{helper}/children").read_text().split()
    return [
        int(pid) for pid in children if Path(f"/proc/{pid}/comm").read_text() == "strato_spawner\n"
    ]


@contextlib.contextmanager
def stopped_at(stage: str, way: int = 0) -> Iterator[tuple[Spawner, list[BaseException]]]:
    """Let a container stop at the end of a stage, in a thread that waits for it."""
    spawner = Spawner()
    helper = spawner.pid
    plan = settings.native_settings(
        name="stopped", namespaces=settings.NAMESPACES, limits=_limits(), root=None, command=None
    )
    plan.flags |= way
    plan.stop_stage = native.stage_names().index(stage) + 1
    failures: list[BaseException] = []

    def work() -> None:
        try:
            spawner.native.spawn(plan)
        except BaseException as failure:
            failures.append(failure)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        assert wait_until(lambda: len(entering(spawner.pid)) > 0, 5)
        time.sleep(0.1)
        assert thread.is_alive(), failures
        yield spawner, failures
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.kill(helper, signal.SIGKILL)
        thread.join()
        spawner.close()


def _limits() -> Limits | None:
    with Spawner() as spawner:
        try:
            spawner.spawn(limits=Limits()).destroy()
        except sp.PrerequisiteMissing:
            return None
    return Limits()


# What comes from the pool has its root and /proc already.
WAYS_AND_STAGES = [(0, stage) for stage in STAGES] + [
    (native.POOLED, stage) for stage in STAGES if stage not in ("root", "proc")
]


@pytest.mark.usefixtures("needs_containers")
@pytest.mark.parametrize(("way", "stage"), WAYS_AND_STAGES)
@pytest.mark.parametrize("victim", ["helper", "child"])
def test_a_kill_at_any_stage_leaves_nothing(way: int, stage: str, victim: str) -> None:
    with stopped_at(stage, way) as (spawner, failures):
        pid = spawner.pid if victim == "helper" else entering(spawner.pid)[0]
        os.kill(pid, signal.SIGKILL)
        assert wait_until(lambda: bool(failures))
        assert isinstance(failures[0], sp.StratoperfError)
        if victim == "child":
            # The helper goes on.
            spawner.spawn().verify()


CLIENT = """
import sys, time
import stratoperf as sp
spawner = sp.containers.Spawner()
limits = sp.containers.Limits() if sys.argv[1] == "limits" else None
spawner.fill_pool(3, limits=limits)
for way in ("cold", "pooled", "parked"):
    spawner.spawn(way=way, limits=limits)
print(spawner.pid, flush=True)
time.sleep(60)
"""


@pytest.mark.parametrize("victim", ["client", "helper"])
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_containers_end_with_their_client_and_their_helper(
    spawner: Spawner, victim: str, number: signal.Signals
) -> None:
    word = "limits" if _limits() is not None else "none"
    before = ground()
    client = subprocess.Popen(
        [sys.executable, "-c", CLIENT, word], stdout=subprocess.PIPE, text=True
    )
    with client:
        assert client.stdout is not None
        helper = int(client.stdout.readline())
        assert len(ground().processes - before.processes) >= 4
        os.kill(helper if victim == "helper" else client.pid, number)
        assert wait_until(lambda: ground() == before)
        client.kill()


def test_what_a_killed_janitor_leaves_is_swept_by_the_next_start(
    spawner: Spawner, limits: Limits
) -> None:
    other = Spawner()
    before = ground()
    other.spawn(limits=limits)
    janitor = next(
        pid
        for pid in ground().processes
        if Path(f"/proc/{pid}/comm").read_text() == "strato_janitor\n"
        and f"PPid:\t{other.pid}\n" in Path(f"/proc/{pid}/status").read_text()
    )
    os.kill(janitor, signal.SIGKILL)
    os.kill(other.pid, signal.SIGKILL)
    other.close()
    assert ground().groups > before.groups
    with Spawner() as third:
        third.spawn(limits=limits)
    assert wait_until(lambda: ground().groups <= before.groups)


def test_a_helper_that_was_killed_is_said_to_be_gone(spawner: Spawner) -> None:
    container = spawner.spawn()
    helper = spawner.pid
    os.kill(helper, signal.SIGKILL)
    with pytest.raises(sp.StratoperfError, match=says("helper", "signal 9", "new spawner")):
        spawner.spawn()
    # Its number stays that of the helper: nobody who signals it reaches another process.
    assert spawner.pid == helper
    assert wait_until(lambda: not Path(f"/proc/{container.pid}").exists())


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ({"name": "a" * 64}, ("name:", "64 bytes", "63")),
        ({"name": ""}, ("name:",)),
        ({"namespaces": ["mount", "piid"]}, ("namespaces:", "'piid'", "pid")),
        ({"way": "warm"}, ("way:", "'warm'")),
        ({"way": "pooled", "shared": True}, ("way:", "pooled", "cold")),
        ({"way": "parked", "command": ["/bin/true"]}, ("command:", "parked")),
        ({"command": "/bin/true"}, ("command:", "list")),
        ({"command": []}, ("command:",)),
        ({"command": ["true"]}, ("command:", "'true'", "absolute")),
        ({"command": ["/bin/true", "a\0b"]}, ("command:", "null")),
        ({"command": ["/bin/true", "a" * 40_000]}, ("command:", "bytes")),
        ({"command": ["/missing"]}, ("command:", "/missing", "No such file")),
        ({"root": "/does-not-exist"}, ("root:", "/does-not-exist", "directory")),
        ({"root": "/etc/passwd"}, ("root:", "/etc/passwd", "directory")),
        ({"limits": 5}, ("limits:", "5", "Limits")),
        ({"files": (1, 2)}, ("files:", "three", "2")),
        ({"namespaces": ["user", "mount"]}, ("namespaces:", "pid", "limits")),
        ({"namespaces": ["user", "pid"], "root": "/"}, ("root:", "mount")),
    ],
)
def test_a_wrong_argument_is_refused_with_the_fix(
    spawner: Spawner, arguments: dict[str, object], parts: tuple[str, ...]
) -> None:
    with pytest.raises(sp.InvalidParameter, match=says(*parts)):
        spawner.spawn(**arguments)  # type: ignore[arg-type]
    spawner.spawn().verify()


@pytest.mark.parametrize("name", ["memory_bytes", "cpus", "processes"])
def test_a_limit_of_zero_is_refused(name: str) -> None:
    with pytest.raises(sp.InvalidParameter, match=says(f"{name}:", "0")):
        Limits(**{name: 0})


@pytest.fixture
def hostile() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        root = Path(folder)
        for name in ("dev", "proc"):
            (root / name).mkdir()
        root.chmod(0o755)
        yield root


@pytest.mark.parametrize("name", ["dev", "proc"])
@pytest.mark.parametrize("kind", ["missing", "link", "file"])
def test_a_hostile_root_is_refused(spawner: Spawner, hostile: Path, name: str, kind: str) -> None:
    (hostile / name).rmdir()
    if kind == "link":
        (hostile / name).symlink_to("/")
    elif kind == "file":
        (hostile / name).touch()
    with pytest.raises(sp.InvalidParameter, match=says("root:", name)):
        spawner.spawn(root=hostile)


def test_a_device_that_is_a_link_is_covered_and_not_followed(
    spawner: Spawner, hostile: Path
) -> None:
    (hostile / "dev" / "null").symlink_to("/etc/passwd")
    container = spawner.spawn(root=hostile)
    container.verify()
    assert container.report().descriptors[0] == "/dev/null"


@pytest.mark.usefixtures("needs_containers")
def test_a_process_that_enters_cannot_be_traced() -> None:
    # By the user that the container is outside.
    code = (
        "import ctypes, os, sys\n"
        "if os.geteuid() == 0: os.setgid(65534); os.setuid(65534)\n"
        "libc = ctypes.CDLL(None, use_errno=True)\n"
        "print(libc.ptrace(16, int(sys.argv[1]), 0, 0), ctypes.get_errno())"
    )
    with stopped_at("root") as (spawner, _):
        for pid in (spawner.pid, *entering(spawner.pid)):
            done = subprocess.run(
                [sys.executable, "-c", code, str(pid)], capture_output=True, text=True, check=True
            )
            assert done.stdout.split() == ["-1", "1"]


def test_descriptors_of_the_client_do_not_reach_a_container(spawner: Spawner) -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        with Spawner() as second:
            assert sorted(second.spawn().report().descriptors) == [0, 1, 2, 3]
    finally:
        os.close(reading)
        os.close(writing)


@pytest.mark.usefixtures("needs_containers")
def test_a_child_that_never_reports_is_given_up_after_the_time() -> None:
    plan = settings.native_settings(
        name="silent", namespaces=settings.NAMESPACES, limits=None, root=None, command=None
    )
    plan.stop_stage = 1 + native.stage_names().index("identity")
    with Spawner(timeout_s=0.3) as spawner:
        begun = time.monotonic()
        with pytest.raises(sp.StratoperfError, match=says("300 ms", "close")):
            spawner.native.spawn(plan)
        assert time.monotonic() - begun < 10


def test_when_descriptors_run_out_those_that_live_stay(spawner: Spawner) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    used = len(list(Path("/proc/self/fd").iterdir()))
    agents: list[sp.containers.Container] = []

    def grow() -> None:
        while True:
            agents.append(spawner.spawn(shared=True))

    resource.setrlimit(resource.RLIMIT_NOFILE, (used + 8, hard))
    try:
        with pytest.raises(sp.StratoperfError, match=says("Too many open files")):
            grow()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    assert len(agents) > 2
    for agent in agents:
        agent.answer("alive")
    spawner.spawn(shared=True).verify()


def _is_empty(members: Path) -> bool:
    return not members.read_text()


@pytest.fixture
def small_group(request: pytest.FixtureRequest) -> Iterator[Path]:
    """Return a new control group, for root where such groups can be made."""
    for folder in group_folders(SystemFiles(Path("/")), request.param):
        path = Path(folder) / f"stratoperf_test_{os.getpid()}"
        with contextlib.suppress(OSError):
            path.mkdir()
            try:
                if list(path.glob(f"{request.param}.*")):
                    yield path
                    return
            finally:
                assert wait_until(functools.partial(_is_empty, path / "cgroup.procs"))
                path.rmdir()
    pytest.skip(f"needs root and a control group with the controller {request.param}")


def grown_until_it_fails(spawner: Spawner) -> tuple[list[sp.containers.Container], str]:
    """Spawn agents until a step is refused; return those that live, and what was said."""
    agents: list[sp.containers.Container] = []
    try:
        while len(agents) < 500:
            agents.append(spawner.spawn(shared=True))
    except sp.StratoperfError as error:
        return agents, str(error)
    raise AssertionError("500 agents live, in spite of the limit")


@pytest.mark.parametrize("small_group", ["pids"], indirect=True)
def test_when_processes_run_out_those_that_live_stay(spawner: Spawner, small_group: Path) -> None:
    (small_group / "pids.max").write_text("12")
    (small_group / "cgroup.procs").write_text(f"{spawner.pid}")
    agents, message = grown_until_it_fails(spawner)
    assert mentions(message, "Resource temporarily unavailable", "pids.max"), message
    assert 5 < len(agents) < 12
    for agent in agents:
        agent.answer("alive")
    agents.pop().destroy()
    spawner.spawn(shared=True).verify()
    spawner.close()


@pytest.mark.parametrize("small_group", ["memory"], indirect=True)
def test_when_memory_runs_out_the_helper_or_a_step_ends_and_nothing_is_left(
    spawner: Spawner, small_group: Path
) -> None:
    version2 = small_group / "memory.max"
    limit = version2 if version2.exists() else small_group / "memory.limit_in_bytes"
    limit.write_text(f"{6 << 20}")
    (small_group / "cgroup.procs").write_text(f"{spawner.pid}")
    _, message = grown_until_it_fails(spawner)
    # The kernel refuses a step, or kills one of the group: a child, an init, or the helper.
    assert mentions(message, "memory") or mentions(message, "killed", "signal 9"), message
    spawner.close()


NAMESPACE_LIMIT = """#!{python} -SI
import ctypes, os, sys
libc = ctypes.CDLL(None, use_errno=True)
reading, writing = os.pipe()
mapper = os.fork()
if mapper == 0:
    os.read(reading, 1)
    for kind in ("uid", "gid"):
        with open(f"/proc/{{os.getppid()}}/{{kind}}_map", "w") as file:
            file.write("0 0 65536")
    os._exit(0)
if libc.unshare(0x10000000) != 0:
    os._exit(99)
os.write(writing, b"x")
os.waitpid(mapper, 0)
with open("/proc/sys/user/max_pid_namespaces", "w") as file:
    file.write("6")
os.execv({helper!r}, [{helper!r}, *sys.argv[1:]])
"""
"""A program with a limit of its own for namespaces, which becomes the helper."""


@pytest.mark.usefixtures("needs_containers")
def test_when_namespaces_run_out_those_that_live_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to map users into a namespace with a limit")
    program = tmp_path / "limited"
    program.write_text(NAMESPACE_LIMIT.format(python=sys.executable, helper=str(helper_program())))
    program.chmod(0o755)
    monkeypatch.setattr(module, "helper_program", lambda: program)
    with Spawner() as spawner:
        agents, message = grown_until_it_fails(spawner)
        assert mentions(message, "clone3", "No space left", "user.max_*_namespaces"), message
        assert len(agents) == 6
        for agent in agents:
            agent.answer("alive")


@pytest.mark.usefixtures("limits")
def test_a_container_of_one_process_is_complete(spawner: Spawner) -> None:
    # What enters the sandbox is one process from the clone on.
    container = spawner.spawn(limits=Limits(processes=1))
    container.verify()
    container.destroy()


UNPRIVILEGED = """
import os, pathlib, sys
import stratoperf as sp
from stratoperf.stratoswarm.containers import spawner as module
with sp.containers.Spawner() as warm:
    warm.spawn(personality=sp.containers.Personality([0.0] * 5)).verify()
module.helper_program = lambda: pathlib.Path(sys.argv[1])
os.setgroups([])
os.setgid(54321)
os.setuid(54321)
with sp.containers.Spawner() as spawner:
    spawner.fill_pool(1)
    print([spawner.spawn(way=way).verify() > 20 for way in sp.containers.WAYS])
    print(spawner.spawn(shared=True).report().sections["uid_map"].split())
    try:
        spawner.spawn(limits=sp.containers.Limits())
    except sp.PrerequisiteMissing as error:
        print("limits" in str(error))
"""


@pytest.mark.usefixtures("needs_containers")
def test_a_user_without_rights_makes_the_same_sandbox(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("needs root, to become another user; all other tests run without")
    if blocking_setting(SystemFiles(Path("/")), is_root=False) is not None:
        pytest.skip("needs user namespaces of users without rights")
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        program = Path(folder) / "spawner"
        shutil.copy(helper_program(), program)
        Path(folder).chmod(0o755)
        program.chmod(0o755)
        done = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED, str(program)],
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert done.stderr == ""
    assert done.stdout.splitlines() == ["[True, True, True]", "['0', '54321', '1']", "True"]
