"""Nothing of a live comparison outlives it, however it ends and wherever the processes went."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import stratoperf as sp
from stratoperf.running.workers import guardian
from stratoperf.running.workers.children import Child
from stratoperf.running.workers.guard import MARK, guarded
from stratoperf.running.workers.output import Output, unnamed_output

PATIENCE_S = 60.0

# Shell scripts; $N is a number that tells their processes from all others.
ESCAPES = {
    "in its process group": "sleep $N & wait",
    "in a job of its own": "set -m; sleep $N & wait",
    "ignoring signals": "trap '' TERM HUP INT QUIT; sleep $N & wait",
    "in a session of its own": "setsid sleep $N & wait",
    "forked twice": "(setsid sh -c 'sleep $N & exit 0' &); sleep $N",
    "without its environment": "env -i sleep $N & wait",
    "elsewhere and without its environment": "env -i setsid sleep $N & wait",
}

PROGRAM = """
import signal, sys, time
import stratoperf as sp
from stratoperf.running.workers import guardian
from stratoperf.running.workers.guard import guarded
from stratoperf.running.workers.children import Child
from stratoperf.running.workers.output import unnamed_output
{before}
with guarded(), unnamed_output() as output:
    with Child(["sh", "-c", sys.argv[1]], output, keep_stdout=True):
        print("started", flush=True)
        {after}
        time.sleep(1000)
"""

Alive = Callable[[], list[int]]


@pytest.fixture
def number() -> str:
    """Return seconds to sleep that nothing else on this machine sleeps."""
    return str(10**7 + secrets.randbelow(10**7))


@pytest.fixture
def alive(number: str) -> Iterator[Alive]:
    """Return a function that lists the processes that sleep so long; none survives the test."""

    def sleepers() -> list[int]:
        return [int(process.name) for process in Path("/proc").glob("[0-9]*") if _sleeps(process)]

    def _sleeps(process: Path) -> bool:
        try:
            words = (process / "cmdline").read_bytes().split(b"\0")
        except OSError:
            return False
        return words[:2] == [b"sleep", number.encode()]

    yield sleepers
    for pid in sleepers():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait_for(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@contextlib.contextmanager
def driver(script: str, before: str = "", after: str = "") -> Iterator[subprocess.Popen[str]]:
    """Start a process that has such a child."""
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(before=before, after=after), script],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "started\n"
            yield process
        finally:
            process.kill()


def shell(script: str, output: Output) -> Child:
    return Child(["sh", "-c", script], output, keep_stdout=True)


@pytest.fixture
def output() -> Iterator[Output]:
    with unnamed_output() as output:
        yield output


@pytest.mark.parametrize("script", ESCAPES.values(), ids=ESCAPES)
@pytest.mark.parametrize("end", ["SIGKILL", "SIGHUP", "SIGINT", "its process group"])
def test_nothing_outlives_a_driver_that_is_killed(
    end: str, script: str, number: str, alive: Alive
) -> None:
    with driver(script.replace("$N", number)) as process:
        wait_for(alive)
        if end == "its process group":
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.send_signal(signal.Signals[end])
        process.wait(PATIENCE_S)
    wait_for(lambda: not alive())


@pytest.mark.parametrize("script", ESCAPES.values(), ids=ESCAPES)
def test_nothing_outlives_the_block(script: str, number: str, alive: Alive, output: Output) -> None:
    with guarded(), shell(script.replace("$N", number), output):
        wait_for(alive)
    wait_for(lambda: not alive())


def left_elsewhere(number: str, folder: Path) -> str:
    """Return a script that ends when what it started is in a session of its own."""
    there = folder / f"there-{number}"
    return (
        f"setsid sh -c 'echo > {there}; exec sleep {number}' & "
        f"while ! test -e {there}; do sleep 0.01; done"
    )


def test_what_a_child_left_elsewhere_outlives_it_until_the_end_of_the_block(
    number: str, alive: Alive, output: Output, tmp_path: Path
) -> None:
    with guarded():
        with shell(left_elsewhere(number, tmp_path), output) as child:
            child.wait_at_once(PATIENCE_S)
        wait_for(alive)
    wait_for(lambda: not alive())


def test_a_copy_of_the_driver_does_not_keep_the_guardian_waiting(number: str, alive: Alive) -> None:
    # It is made while the guardian waits, and has the descriptors that the driver had.
    before = """
import os, threading
def copy():
    parent = os.getpid()
    if os.fork() == 0:
        os.kill(parent, signal.SIGKILL)
        time.sleep(3)
        os._exit(0)
"""
    after = "threading.Timer(0.5, copy).start()"
    with driver(f"sleep {number} & wait", before, after) as process:
        process.wait(PATIENCE_S)
    wait_for(lambda: not alive())


def test_what_may_not_be_killed_is_given_up_at_once(
    number: str, alive: Alive, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: int) -> None:
        # What `sudo` started belongs to another user.
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(guardian, "_LONGEST_S", PATIENCE_S)
    with subprocess.Popen(["sleep", number], start_new_session=True) as process:
        try:
            with monkeypatch.context() as patch:
                for module, name in (
                    (os, "kill"),
                    (os, "killpg"),
                    (signal, "pidfd_send_signal"),
                ):
                    patch.setattr(module, name, refuse, raising=False)
                begin = time.monotonic()
                guardian.sweep([process.pid])
                assert time.monotonic() - begin < PATIENCE_S / 2
            assert alive() == [process.pid]
            guardian.sweep([process.pid])
        finally:
            process.kill()
    assert alive() == []


def test_a_guardian_that_is_killed_is_replaced(
    number: str, alive: Alive, output: Output, tmp_path: Path
) -> None:
    with guarded():
        with shell("exit 0", output) as child:
            child.wait_at_once(PATIENCE_S)
        for pid in _guardians():
            os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not _guardians())
        with shell(left_elsewhere(number, tmp_path), output) as child:
            child.wait_at_once(PATIENCE_S)
        wait_for(alive)
    wait_for(lambda: not alive())


def test_the_guardian_ends_with_its_block() -> None:
    with guarded():
        with guarded():
            assert len(_guardians()) == 1
        assert len(_guardians()) == 1
    assert _guardians() == []


def test_a_guardian_that_cannot_be_started_is_said_in_one_sentence(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", "/no/such/python")
    with pytest.raises(sp.StratoperfError, match=r"cannot be started: .*; allow .*/no/such/python"):
        shell("exit 0", output)


def test_a_forked_process_leaves_the_guardian_to_its_parent(output: Output) -> None:
    with guarded():
        guardians = _guardians()
        copy = os.fork()
        if copy == 0:
            with contextlib.suppress(BaseException), guarded():
                # Its own.
                os._exit(len(_guardians()))
            os._exit(99)
        _, status = os.waitpid(copy, 0)
        assert os.waitstatus_to_exitcode(status) == 1
        assert _guardians() == guardians


def test_comparisons_within_comparisons_mark_their_children_for_both(
    output: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(MARK, "outer")
    with shell(f"echo ${MARK}", output) as child:
        child.wait_at_once(PATIENCE_S)
    outer, inner = output.tail().split(",")
    assert outer == "outer"
    assert len(inner) == 32


def test_what_a_benchmark_leaves_elsewhere_without_its_environment_ends_with_its_worker(
    number: str, alive: Alive, tmp_path: Path
) -> None:
    module = tmp_path / "leaves.py"
    environment = {"PATH": os.environ["PATH"]}
    module.write_text(
        f"""
import subprocess
import stratoperf as sp
@sp.benchmark("leaves.processes")
def leaves_processes():
    subprocess.Popen(["sleep", "{number}"], start_new_session=True, env={environment})
    return lambda: None
"""
    )
    side = sp.Environment(modules=(str(module),))
    comparison = sp.compare_live(side, side, "leaves.processes", duration_s=0.1)
    assert comparison.failures == ()
    wait_for(lambda: not alive())


def test_a_child_has_the_environment_that_it_was_given_and_the_mark(output: Output) -> None:
    with Child(["/usr/bin/env"], output, keep_stdout=True, env={"A": "\udcff", "B": ""}) as child:
        child.wait_at_once(PATIENCE_S)
    names = [line.partition("=")[0] for line in output.tail().splitlines()]
    assert sorted(names) == ["A", "B", MARK]


def _guardians() -> list[int]:
    """Return the guardians that this process started and that run."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
            program = (process / "cmdline").read_bytes()
            if state != "Z" and int(parent) == os.getpid() and b"guardian.py" in program:
                found.append(int(process.name))
    return found
