"""Spawn of containers, beside tools that make them, and beside plain processes."""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import stratoperf as sp
from side_by_side import Goal, Row, missing, side_by_side

PAIRS = 9
SPAWNS = 20
PEER_SPAWNS = 3
PACE_S = 0.2
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


def _ours(spawner: sp.containers.Spawner, way: str) -> Callable[[], float]:
    def median() -> float:
        times = []
        for _ in range(SPAWNS):
            if way == "pooled":
                spawner.fill_pool(1, limits=LIMITS)
            with spawner.spawn(way=way, limits=LIMITS) as container:
                times.append(container.execute_again() if way == "parked" else container.ready_us)
        spawner.fill_pool(0, limits=LIMITS)
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
