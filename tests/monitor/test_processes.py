"""CPU time of a process with its descendants, of the kernel's threads, and of all others."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from stratoperf.monitor import NoiseProbe
from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.processes import (
    TICK_S,
    ThreadTimes,
    family,
    kernel_seconds,
    kernel_threads,
)

Tree = Callable[[Mapping[str, str]], Path]


def times(user: int, kernel: int, waited_user: int = 0, waited_kernel: int = 0) -> str:
    return f"7 (a) name) S 1 {'0 ' * 9}{user} {kernel} {waited_user} {waited_kernel} 20 0"


GROUP = {
    "/proc/self/task/10/schedstat": "5000000000 1000000000 7",
    "/proc/self/task/10/children": "20 30",
    "/proc/self/task/11/schedstat": "1000000000 0 7",
    "/proc/20/stat": times(300, 100),
    "/proc/20/task/20/schedstat": "4000000000 2000000000 7",
    "/proc/20/task/20/children": "40",
    "/proc/30/stat": times(1, 1, 50, 50),
    "/proc/40/stat": times(10, 20),
    # Not of the family.
    "/proc/50/stat": times(9999, 9999),
}


def test_a_family_is_the_process_with_all_its_descendants(tree: Tree) -> None:
    alone = family(SystemFiles(tree({})))
    whole = family(SystemFiles(tree(GROUP)))
    # The test itself takes time meanwhile.
    assert whole.cpu_time - alone.cpu_time == pytest.approx(532 * TICK_S, abs=0.5)
    assert whole.user_time - alone.user_time == pytest.approx(361 * TICK_S, abs=0.5)
    assert whole.threads == {
        "10": ThreadTimes(5, 1),
        "11": ThreadTimes(1, 0),
        "20": ThreadTimes(4, 2),
    }


def test_a_descendant_counts_once_before_and_after_its_end() -> None:
    files = SystemFiles("/")
    source = (
        "import time\nend = time.monotonic() + 0.2\nwhile time.monotonic() < end: pass\ninput()"
    )
    before = family(files).cpu_time
    child = subprocess.Popen([sys.executable, "-c", source], stdin=subprocess.PIPE)
    deadline = time.monotonic() + 30
    while family(files).cpu_time - before < 0.05 and time.monotonic() < deadline:
        time.sleep(0.05)
    alive = family(files).cpu_time
    child.communicate(b"\n")
    ended = family(files).cpu_time
    assert ended >= alive - 2 * TICK_S > before


def test_threads_of_the_kernel_are_those_of_kthreadd(tree: Tree) -> None:
    kernel = {
        "/proc/2/comm": "kthreadd",
        "/proc/2/task/2/children": "3 4",
        "/proc/3/stat": times(0, 70),
        "/proc/4/stat": times(0, 5),
    }
    seen = kernel_threads(SystemFiles(tree(kernel)))
    assert seen is not None
    assert dict(seen) == pytest.approx({"3": 70 * TICK_S, "4": 5 * TICK_S})


@pytest.mark.parametrize("files", [{}, {"/proc/2/comm": "bash", "/proc/2/task/2/children": "3"}])
def test_a_container_hides_the_threads_of_the_kernel(tree: Tree, files: dict[str, str]) -> None:
    assert kernel_threads(SystemFiles(tree(files))) is None


def test_threads_of_the_kernel_may_begin_and_end() -> None:
    assert kernel_seconds({"3": 1.0, "4": 9.0}, {"3": 1.5, "5": 0.25}) == pytest.approx(0.75)
    assert kernel_seconds(None, {"3": 1.0}) is None
    assert kernel_seconds({"3": 1.0}, None) is None


def machine(user: int, kernel: int, interrupts: int, idle: int) -> str:
    """Return ``/proc/stat`` with these ticks on one CPU that this process may use."""
    cpu = min(os.sched_getaffinity(0))
    counts = f"{user} 0 {kernel} {idle} 0 0 {interrupts} 0 0 0"
    return f"cpu  {counts}\ncpu{cpu} {counts}"


KERNEL = {"/proc/2/comm": "kthreadd", "/proc/2/task/2/children": "3", "/proc/3/stat": times(0, 0)}


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        # Write-back by the kernel's threads, 200 of the 300 ticks, may be for this process.
        ({**KERNEL, "/proc/3/stat": times(0, 200)}, 1000 + 300 - 200),
        # They ran on CPUs that this process may not use.
        ({**KERNEL, "/proc/3/stat": times(0, 9999)}, 1000),
        # Nobody knows what they did.
        ({}, 1000),
    ],
)
def test_others_are_processes_and_not_the_kernel(
    tree: Tree, files: dict[str, str], expected: int
) -> None:
    root = tree({"/proc/stat": machine(0, 0, 0, 0)} | (KERNEL if files else {}))
    with NoiseProbe(root) as probe:
        tree({"/proc/stat": machine(1000, 300, 500, 200), **files})
    assert probe.environment["others_seconds"] == pytest.approx(expected * TICK_S, abs=0.5)
    assert probe.environment["idle_percent"] == pytest.approx(10)


def test_waiting_is_that_of_the_threads_that_are_left(tree: Tree) -> None:
    task = "/proc/self/task/{}/schedstat"
    root = tree({task.format(1): "1000000000 5000000000 1", task.format(2): "0 9000000000 1"})
    with NoiseProbe(root) as probe:
        (root / task.format(2).lstrip("/")).unlink()
        tree({task.format(1): "9000000000 5500000000 1", task.format(3): "0 250000000 1"})
    assert probe.environment["waiting_seconds"] == pytest.approx(0.75)


def test_waiting_is_unknown_where_threads_that_ended_did_the_work() -> None:
    def work() -> None:
        end = time.thread_time() + 0.3
        while time.thread_time() < end:
            pass

    with NoiseProbe() as probe:
        worker = threading.Thread(target=work)
        worker.start()
        worker.join()
        # Python is done with it a moment before the kernel is.
        while Path(f"/proc/self/task/{worker.native_id}").exists():
            time.sleep(0.001)
    assert probe.environment["waiting_seconds"] is None
    assert probe.environment["waiting_percent"] is None
    assert probe.environment["cpu_seconds"] >= 0.3
