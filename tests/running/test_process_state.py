"""Benchmarks that change the process that they run in: it is put back, and said."""

from __future__ import annotations

import gc
import io
import locale
import os
import resource
import signal
import subprocess
import sys
import textwrap
import threading
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from stratoperf.results import Result

FAST: dict[str, Any] = {"preset": "ci", "warmup_s": 0.0, "duration_s": 0.02}


def said_of(result: Result) -> list[str]:
    """Return what is said of the state of the process."""
    return [note for note in result.notes if note.startswith("the benchmark ")]


pytestmark = pytest.mark.usefixtures("benchmarks")


def change_environment() -> None:
    os.environ["STRATOPERF_TEST"] = "1"
    os.environ.pop("HOME", None)


def lower_limit() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(soft, 200), hard))


CHANGES: dict[str, tuple[Callable[[], object], Callable[[], object]]] = {
    "the working directory": (lambda: os.chdir("/"), os.getcwd),
    "the umask": (lambda: os.umask(0o777), lambda: os.umask(os.umask(0o77))),
    "STRATOPERF_TEST": (change_environment, lambda: dict(os.environ)),
    "os.environ": (lambda: vars(os).update(environ={}), lambda: id(os.environ)),
    "sys.path": (sys.path.clear, lambda: list(sys.path)),
    "sys.excepthook": (lambda: vars(sys).update(excepthook=print), lambda: sys.excepthook),
    "threading.excepthook": (
        lambda: vars(threading).update(excepthook=print),
        lambda: threading.excepthook,
    ),
    "SIGUSR2": (
        lambda: signal.signal(signal.SIGUSR2, signal.SIG_IGN),
        lambda: signal.getsignal(signal.SIGUSR2),
    ),
    "SIGINT": (
        lambda: signal.signal(signal.SIGINT, signal.SIG_IGN),
        lambda: signal.getsignal(signal.SIGINT),
    ),
    "mask of signals": (
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT}),
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()),
    ),
    "the alarm": (lambda: signal.alarm(30), lambda: signal.getitimer(signal.ITIMER_REAL)[0] > 40),
    "the recursion limit": (lambda: sys.setrecursionlimit(5000), sys.getrecursionlimit),
    "the switch interval": (lambda: sys.setswitchinterval(0.1), sys.getswitchinterval),
    "the trace function": (lambda: sys.settrace(lambda *_: None), sys.gettrace),
    "RLIMIT_NOFILE": (lower_limit, lambda: resource.getrlimit(resource.RLIMIT_NOFILE)),
    "the processors": (
        lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
        lambda: os.sched_getaffinity(0),
    ),
    "the locale": (
        lambda: locale.setlocale(locale.LC_ALL, "C.UTF-8"),
        lambda: locale.setlocale(locale.LC_ALL),
    ),
    "garbage collection": (gc.disable, gc.isenabled),
    "floating-point": (lambda: np.seterr(all="raise"), np.geterr),
    "sys.stdout": (lambda: vars(sys).update(stdout=None), lambda: sys.stdout),
    "sys.stderr": (lambda: vars(sys).update(stderr=io.StringIO()), lambda: sys.stderr),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_a_case_changed_is_put_back_and_said(tmp_path: Path, name: str) -> None:
    # As the limit of time for a test does.
    signal.setitimer(signal.ITIMER_REAL, 100)
    change, state = CHANGES[name]
    before = state()
    seen = []

    @sp.benchmark("a.changes")
    def changes() -> Callable[[], None]:
        change()
        return lambda: None

    @sp.benchmark("b.looks")
    def looks() -> Callable[[], None]:
        seen.append(state())
        return lambda: None

    bad, good = sp.run(None, output=tmp_path, **FAST).results
    assert (bad.status, good.status) == ("ok", "ok")
    if name != "SIGINT":
        # A handler that notes interrupts stands before it.
        assert seen == [before]
    assert state() == before
    if name == "the processors" and len(os.sched_getaffinity(0)) == 1:
        return
    if name == "the locale" and before == "C.UTF-8":
        return
    assert any(name in sentence for sentence in bad.notes)
    assert said_of(good) == []


def test_warning_filters_are_put_back_without_a_word() -> None:
    before = list(warnings.filters)

    @sp.benchmark("x")
    def strict() -> Callable[[], None]:
        warnings.simplefilter("error")
        return lambda: None

    (result,) = sp.run("x", **FAST).results
    assert warnings.filters == before
    assert said_of(result) == []


def test_a_thread_that_is_left_is_named() -> None:
    ending = threading.Event()

    @sp.benchmark("x")
    def leaves() -> Callable[[], None]:
        threading.Thread(target=ending.wait, name="left behind").start()
        return lambda: None

    (result,) = sp.run("x", **FAST).results
    ending.set()
    assert any("left behind" in sentence for sentence in result.notes)


def test_a_case_that_changes_nothing_says_nothing() -> None:
    sp.benchmark("x")(lambda: lambda: None)
    (result,) = sp.run("x", **FAST).results
    assert said_of(result) == []


def test_a_relative_directory_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path)

    @sp.benchmark("x", params={"step": [1, 2]})
    def moves(step: int) -> Callable[[], None]:
        return lambda: os.chdir(tmp_path / "elsewhere")

    run = sp.run("x", output="results", **FAST)
    assert run.path is not None
    assert run.path.parent == tmp_path / "results"
    assert (tmp_path / "results" / "latest.json").exists()
    assert not list((tmp_path / "elsewhere").iterdir())
    assert Path.cwd() == tmp_path


def test_a_working_directory_that_is_deleted_needs_an_absolute_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    sp.benchmark("x")(lambda: lambda: None)
    with pytest.raises(sp.InvalidParameter, match=r"^output: 'results' .* absolute path"):
        sp.run("x", output="results", **FAST)
    assert sp.run("x", output=tmp_path, **FAST).results[0].status == "ok"


PROGRAM = textwrap.dedent(
    """
    import io, os, sys
    import stratoperf as sp

    held = sys.stderr

    @sp.benchmark("a.bad")
    def bad():
        {does}
        return lambda: None

    sp.benchmark("b.good")(lambda: lambda: None)
    run = sp.run(["a.bad", "b.good"], output=sys.argv[1], preset="ci", warmup_s=0, duration_s=0.02)
    print([result.status for result in run.results])
    print("on", "stderr", file=held)
    """
)


@pytest.mark.parametrize(
    "does",
    [
        "sys.stdout.close(); sys.stderr.close(); sys.stdin.close()",
        "os.close(0); os.close(1); os.close(2)",
        "os.closerange(0, 3); sys.stdout = sys.stderr = None",
        "sys.stdout = io.TextIOWrapper(sys.stdout.buffer)",
        "sys.stdout.detach(); sys.stderr.detach()",
        "null = os.open('/dev/null', os.O_RDWR); [os.dup2(null, n) for n in (0, 1, 2)]",
        "os.set_blocking(1, False)",
        "del sys.stdout",
        "sys.settrace(lambda *_: None); sys.setrecursionlimit(60)",
    ],
)
def test_standard_streams_work_whatever_a_benchmark_did_to_them(tmp_path: Path, does: str) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(does=does), tmp_path],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.stdout.startswith("['"), ended
    assert ended.stdout.endswith("'ok']\n"), ended
    assert ended.stderr.endswith("on stderr\n"), ended
    assert ended.returncode == 0


@pytest.mark.parametrize(
    ("does", "status"),
    [("sys.exit(0)", 0), ("sys.exit(7)", 7), ("1 / 0", 1), ("return lambda: None", 0)],
)
def test_a_forked_process_does_not_go_on_with_the_run(
    tmp_path: Path, does: str, status: int
) -> None:
    forking = f"pid = os.fork()\n    if pid == 0: {does}\n    print(os.waitpid(pid, 0)[1] >> 8)"
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(does=forking), tmp_path],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.stdout.splitlines() == [str(status), "['ok', 'ok']"], ended
    assert len(sp.load(tmp_path / "latest.json").results) == 2


@pytest.mark.parametrize("interval_s", ["0", "0.05"])
def test_an_alarm_that_a_benchmark_leaves_does_not_end_the_run(
    tmp_path: Path, interval_s: str
) -> None:
    program = f"""
import signal, sys, time
import stratoperf as sp

@sp.benchmark("x")
def leaves():
    yield lambda: None
    signal.setitimer(signal.ITIMER_REAL, 0.09, {interval_s})

(result,) = sp.run("x", output=sys.argv[1], preset="ci", warmup_s=0, duration_s=0.02).results
time.sleep(0.3)
print(*result.notes)
"""
    ended = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ended.returncode == 0, ended
    assert "the alarm" in ended.stdout


def test_an_alarm_that_goes_off_again_and_again_goes_on(tmp_path: Path) -> None:
    sp.benchmark("x")(lambda: lambda: signal.setitimer(signal.ITIMER_REAL, 0))
    before = signal.getsignal(signal.SIGALRM), signal.getitimer(signal.ITIMER_REAL)
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, 30, 50)
    try:
        (result,) = sp.run("x", **FAST).results
        assert "the alarm" in said_of(result)[0]
        assert signal.getitimer(signal.ITIMER_REAL)[1] == 50
    finally:
        signal.setitimer(signal.ITIMER_REAL, *before[1])
        signal.signal(signal.SIGALRM, before[0])
