"""Spawn of containers, beside tools that make them, and beside plain processes."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import stratoperf as sp
from side_by_side import Goal, Row, missing, side_by_side
from stratoperf.authoring import SystemFiles, group_folders

PAIRS = 9
SPAWNS = 20
PEER_SPAWNS = 3
PACE_S = 0.2
PACES = ((0.0, "back to back", SPAWNS), (PACE_S, "5 a second", 8))
RESIDENT_MB = 500
ROOT = Path(__file__).parents[3]
INSTALL = "apt-get install --no-install-recommends"
OCI_LACKS = "no filter, no limits, no user namespace"
LIMITS = sp.containers.operations.MINIMAL_LIMITS


def measure() -> Iterator[Row]:
    """Hold containers to their goals, and to what the peers take for the same tiny program."""
    state = sp.containers.available()
    if not state.usable:
        note = f"not measured: {state.reason}; {state.remedy}"
        yield Row("container spawn", None, None, "bwrap", "us", "lower", note=note)
        return
    with ExitStack() as stack:
        spawner = stack.enter_context(sp.containers.Spawner())
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp")))
        folder.chmod(0o755)
        root = _root(folder, spawner)
        yield from _values(spawner)
        yield from _beside(spawner, root)
        yield from _beside_the_same_calls(spawner, folder, root / "init")
        yield from _with_resident_memory()


def _values(spawner: sp.containers.Spawner) -> Iterator[Row]:
    """Hold our own values to the goals, back to back and at five a second."""
    goals = {
        ("parked", 0.0): (200, 350),
        ("parked", PACE_S): (350, 500),
        ("pooled", 0.0): (450, 800),
        ("pooled", PACE_S): (None, None),
        ("cold", 0.0): (None, None),
    }
    for (way, pace), (median, tail) in goals.items():
        operation = sp.containers.operations.spawn(spawner, way, limits=LIMITS, pace_s=pace)
        count = 60 if pace else 300
        result = sp.measure(
            operation,
            warmup_s=0.5,
            max_duration_s=60,
            min_iterations=count,
            precision=1.0,
            batch=1,
        )
        pacing = "5 a second" if pace else "back to back"
        for quantile, most in ((0.5, median), (0.95, tail)):
            value = result.quantile(quantile).value / 1000
            goal = None if most is None else Goal("value", "<=", most)
            yield Row(
                f"container spawn, {way}, {pacing}, p{quantile * 100:g}",
                value,
                None,
                "the goal",
                "us",
                "lower",
                goal=goal,
                met=None if goal is None else value <= goal.number,
                note=f"{result.count} samples; all seven namespaces, root, /proc, /dev, filter, "
                "control group",
            )


def _beside(spawner: sp.containers.Spawner, root: Path) -> Iterator[Row]:
    for name, package, command, goal, difference in (
        ("bwrap --unshare-all", "bubblewrap", _bwrap(root), 10, "no control group, no filter"),
        (
            "runc run",
            "runc",
            _oci("runc", root),
            60,
            OCI_LACKS,
        ),
        (
            "crun run",
            "crun",
            _oci("crun", root),
            None,
            OCI_LACKS,
        ),
        ("unshare", "util-linux", _unshare(root), None, "no root, no control group, no filter"),
        ("posix_spawn", "", _plain(root), None, "no sandbox at all"),
    ):
        wanted = None if goal is None else Goal("ratio", ">=", goal)
        for way in ("pooled", "parked", "cold"):
            row = f"container spawn, {way}"
            ours = _ours(spawner, way)
            if shutil.which(command[0]) is None:
                yield missing(row, name, "us", "lower", f"{INSTALL} {package}", ours(), wanted)
                continue
            failure = _failure(command)
            if failure:
                yield Row(row, ours(), None, name, "us", "lower", note=f"fails here: {failure}")
                continue
            yield side_by_side(
                row,
                ours,
                _peer(command),
                peer_name=f"{name} ({_version(command[0])})",
                unit="us",
                goal=wanted if way != "cold" else None,
                pairs=PAIRS,
                note=f"ours: until the first instruction; peer: until it has ended; {difference}",
            )


def _beside_the_same_calls(
    spawner: sp.containers.Spawner, folder: Path, init: Path
) -> Iterator[Row]:
    """Hold cold containers to a program that makes the same calls and nothing else."""
    groups = _version1_groups()
    limits = LIMITS if groups else None
    for pace, pacing, count in PACES:
        row, name, goal = (
            f"container spawn, cold, {pacing}",
            "bare C program",
            Goal("ratio", ">=", 1 / 1.3),
        )
        if os.geteuid() != 0:
            note = "not measured: the program of the same calls needs root"
            yield Row(row, None, None, name, "us", "lower", goal=goal, note=note)
            continue
        yield side_by_side(
            row,
            _ours(spawner, "cold", limits=limits, count=count, pace_s=pace),
            _bare(_compiled(folder), init, groups, count, pace),
            peer_name=name,
            unit="us",
            goal=goal,
            pairs=PAIRS,
            note="the same system calls in one process, without helper or protocol; both until the "
            f"first instruction; {'with' if groups else 'without'} control groups of version 1",
        )


def _with_resident_memory() -> Iterator[Row]:
    """Hold a large Python process to an empty one."""
    for pace, pacing, count in PACES:
        yield side_by_side(
            f"container spawn, cold, {pacing}, from {RESIDENT_MB} MB of Python",
            _resident(RESIDENT_MB, count, pace),
            _resident(0, count, pace),
            peer_name="from an empty Python process",
            unit="us",
            goal=Goal("ratio", ">=", 1 / 1.2),
            pairs=PAIRS,
            note="a fresh Python process for each median",
        )


def _resident(megabytes: int, count: int, pace_s: float) -> Callable[[], float]:
    script = Path(__file__).with_name("resident_spawn.py")
    words = [sys.executable, str(script), str(megabytes), str(count), str(pace_s)]

    def median() -> float:
        return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)

    return median


def _version1_groups() -> list[str]:
    """Return our folders of the three hierarchies, or none where they are of version 2."""
    folders = []
    for controller in ("memory", "cpu", "pids"):
        for folder in group_folders(SystemFiles(Path("/")), controller)[:1]:
            if Path(folder, "tasks").exists():
                folders.append(folder)
    return folders if len(folders) == 3 else []


def _compiled(folder: Path) -> Path:
    """Return the program of the same calls; the compiler is ``$CXX`` or ``c++``."""
    target = folder / "bare_container"
    if not target.exists():
        source = Path(__file__).with_name("bare_container.cpp")
        compiler = os.environ.get("CXX", "c++")
        options = ["-std=c++20", "-O2", f"-I{ROOT / 'cpp'}"]
        subprocess.run([compiler, *options, source, "-o", target], check=True)
    return target


def _bare(
    program: Path, init: Path, groups: list[str], count: int, pace_s: float
) -> Callable[[], float]:
    name = f"stratoperf_peer_{os.getpid()}"
    words = [str(program), str(init), name, str(count), str(round(pace_s * 1e6)), *groups]

    def median() -> float:
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        return statistics.median(map(float, done.stdout.split()))

    return median


def _ours(
    spawner: sp.containers.Spawner,
    way: str,
    *,
    limits: sp.containers.Limits | None = LIMITS,
    count: int = SPAWNS,
    pace_s: float = 0.0,
) -> Callable[[], float]:
    def median() -> float:
        times = []
        for _ in range(count):
            time.sleep(pace_s)
            if way == "pooled":
                spawner.fill_pool(1, limits=limits)
            with spawner.spawn(way=way, limits=limits) as container:
                times.append(container.execute_again() if way == "parked" else container.ready_us)
        spawner.fill_pool(0, limits=limits)
        return statistics.median(times)

    return median


def _peer(command: list[str]) -> Callable[[], float]:
    def median() -> float:
        times = []
        for _ in range(PEER_SPAWNS):
            begun = time.perf_counter()
            pid = os.posix_spawnp(command[0], command, os.environ)
            os.waitpid(pid, 0)
            times.append((time.perf_counter() - begun) * 1e6)
        return statistics.median(times)

    return median


def _root(folder: Path, spawner: sp.containers.Spawner) -> Path:
    """Return a root with our tiny program, which ends at once where it has no control socket."""
    root = folder / "rootfs"
    for name in ("dev", "proc", "sys"):
        (root / name).mkdir(parents=True)
    program = root / "init"
    with spawner.spawn() as container:
        program.write_bytes(Path(f"/proc/{container.pid}/exe").read_bytes())
    program.chmod(0o755)
    for path in (root, *root.iterdir()):
        path.chmod(0o755)
    return root


def _bwrap(root: Path) -> list[str]:
    mounts = ["--ro-bind", str(root), "/", "--proc", "/proc", "--dev", "/dev"]
    return ["bwrap", "--unshare-all", *mounts, "/init"]


def _unshare(root: Path) -> list[str]:
    spaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--fork", "--user", "--cgroup"]
    return ["unshare", *spaces, str(root / "init")]


def _plain(root: Path) -> list[str]:
    return [str(root / "init")]


def _oci(tool: str, root: Path) -> list[str]:
    """Return a command that runs a bundle with the same root."""
    bundle = root.parent / tool
    bundle.mkdir()
    kinds = ("pid", "network", "ipc", "uts", "mount", "cgroup")
    config = {
        "ociVersion": "1.0.2",
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": ["/init"],
            "cwd": "/",
            "noNewPrivileges": True,
        },
        "root": {"path": str(root), "readonly": True},
        "hostname": "container",
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
        "linux": {"namespaces": [{"type": kind} for kind in kinds]},
    }
    (bundle / "config.json").write_text(json.dumps(config))
    return [tool, "run", "--bundle", str(bundle), f"stratoperf-peer-{os.getpid()}"]


def _failure(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return "" if done.returncode == 0 else done.stderr.strip()[-200:] or f"status {done.returncode}"


def _version(tool: str) -> str:
    if "/" in tool:
        return "glibc"
    done = subprocess.run([tool, "--version"], capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0] if done.stdout else "unknown version"
