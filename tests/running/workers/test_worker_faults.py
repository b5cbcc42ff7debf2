"""Workers that fail, one fault a test: the message names the side and what mends it."""

from __future__ import annotations

import math
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

import stratoperf as sp
from stratoperf.running.live.pair_source import SIDES, SideFailed
from stratoperf.running.live.two_environments import WorkerPairs
from wording import says

EnvironmentOf = Callable[..., sp.Environment]

PATIENCE_S = 100.0
NEVER = math.inf

# What a bad side does when; a good one does nothing.
FAULTY = """
    def act(when, fault):
        if fault.startswith(when + ": "):
            exec(fault.partition(": ")[2], globals())

    def end_of_the_conversation():
        import socket
        for name in os.listdir("/proc/self/fd"):
            try:
                if os.readlink("/proc/self/fd/" + name).startswith("socket:"):
                    return int(name)
            except OSError:
                pass

    @sp.benchmark("faulty", params={"fault": [""]})
    def faulty(fault):
        calls = 0
        def work():
            nonlocal calls
            calls += 1
            if calls == 1000:
                act("loop", fault)
        def verify():
            act("verify", fault)
            return 1
        act("setup", fault)
        try:
            yield sp.Operation(work, verify=verify)
        finally:
            act("teardown", fault)
    """


@pytest.fixture
def measure(environment_of: EnvironmentOf) -> Callable[..., None]:
    """Return a function that measures a pair with a fault on one side."""
    side = environment_of(FAULTY)

    def measure(fault: str, timeout_s: float = PATIENCE_S) -> None:
        questions = {
            which: {
                "modules": list(side.modules),
                "benchmark": "faulty",
                "backend": "cpu",
                "params": {"fault": fault if which == "current" else ""},
            }
            for which in SIDES
        }
        source = WorkerPairs(dict.fromkeys(SIDES, side), questions, timeout_s)
        arms = source.measure("baseline", 1, verify=True, deadline=NEVER)
        assert arms["current"].checked == 1

    return measure


def test_without_a_fault_a_pair_is_measured(measure: Callable[..., None]) -> None:
    measure("")


@pytest.mark.parametrize("when", ["setup", "loop", "verify"])
@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("raise ValueError('no such key')", "ValueError: no such key"),
        ("sys.exit('giving up')", "SystemExit: giving up"),
        (
            "print('bye', flush=True); os._exit(3)",
            says("status 3", "bye"),
        ),
        ("os.kill(os.getpid(), signal.SIGSEGV)", says("signal SIGSEGV")),
        ("os._exit(0)", says("status 0")),
        ("raise KeyboardInterrupt", "KeyboardInterrupt"),
        ("raise GeneratorExit", "GeneratorExit"),
        ("import asyncio; raise asyncio.CancelledError", "CancelledError"),
        ("raise type('Mute', (BaseException,), {'__str__': lambda self: 1 / 0})", "Mute"),
        ("raise ValueError('\\udcff' + 'x' * 1_000_000)", r"ValueError: \\udcffxxx"),
    ],
)
def test_code_that_does_not_go_on_is_told_with_its_reason(
    measure: Callable[..., None], when: str, does: str, why: str
) -> None:
    with pytest.raises(SideFailed) as caught:
        measure(f"{when}: {does}")
    assert caught.value.side == "current"
    assert re.search(why, str(caught.value))


@pytest.mark.parametrize(
    ("does", "why"),
    [
        ("raise ValueError('not empty')", says("ValueError: not empty")),
        ("sys.exit(4)", says("status 4", "teardown")),
        ("sys.exit()", says("status 1", "teardown")),
        ("raise GeneratorExit", says("status 1", "teardown")),
        ("os._exit(5)", says("status 5", "teardown")),
        ("os.abort()", says("SIGABRT", "teardown")),
    ],
)
def test_a_teardown_that_fails_is_told(measure: Callable[..., None], does: str, why: str) -> None:
    with pytest.raises(SideFailed) as caught:
        measure(f"teardown: {does}")
    assert caught.value.side == "current"
    assert re.search(why, str(caught.value))


@pytest.mark.slow("waits for the timeout of 10 s")
@pytest.mark.parametrize("when", ["setup", "loop", "verify", "teardown"])
def test_a_worker_that_hangs_is_killed_at_the_timeout(
    measure: Callable[..., None], leftovers: Callable[[], None], when: str
) -> None:
    begin = time.monotonic()
    hang = "os.system('sleep 1000 &'); print('waiting', flush=True); time.sleep(1000)"
    with pytest.raises(SideFailed, match=says("10 s", "end", "timeout_s", "raise")) as caught:
        measure(f"{when}: {hang}", timeout_s=10.0)
    assert caught.value.side == "current"
    assert time.monotonic() - begin >= 10.0
    leftovers()


def test_what_the_code_prints_is_harmless(measure: Callable[..., None]) -> None:
    noise = "print('{}'); os.write(1, b'garbage' * 1000); os.write(2, bytes(256))"
    for when in ("setup", "loop", "verify", "teardown"):
        measure(f"{when}: {noise}")


def test_closing_the_standard_descriptors_is_harmless(measure: Callable[..., None]) -> None:
    measure("setup: os.close(0); os.close(1); os.close(2)")
    measure("setup: sys.stdout.close(); sys.stderr.close()")
    measure("teardown: sys.stdout = sys.stderr = None")


@pytest.mark.parametrize("garbage", ["b'hello\\n'", "b'{}\\n'", "bytes(100) + b'\\n'"])
def test_garbage_in_the_conversation_is_told_from_the_answers(
    measure: Callable[..., None], garbage: str
) -> None:
    with pytest.raises(SideFailed, match=says("something", "worker")) as caught:
        measure(f"loop: os.write(end_of_the_conversation(), {garbage})")
    assert caught.value.side == "current"


def test_a_forged_answer_is_refused(measure: Callable[..., None]) -> None:
    forged = b'{"protocol": "stratoperf.worker/1", "type": "samples", "started_ns": 1}\n'
    with pytest.raises(SideFailed, match=r"'samples' where 'ready' was expected"):
        measure(f"setup: os.write(end_of_the_conversation(), {forged!r})")
    forged = forged.replace(b"samples", b"ready")
    with pytest.raises(SideFailed, match=says("'ready'", "protocol", "batch")):
        measure(f"setup: os.write(end_of_the_conversation(), {forged!r})")


def test_a_worker_that_closes_the_conversation_fell_silent(measure: Callable[..., None]) -> None:
    with pytest.raises(SideFailed) as caught:
        measure("setup: os.close(end_of_the_conversation()); print('ready?', flush=True)")
    # Its own end notices first.
    assert "the worker" in str(caught.value)


def test_a_wrong_outcome_is_told_as_such(measure: Callable[..., None]) -> None:
    with pytest.raises(SideFailed, match="3 of 7 votes are lost"):
        measure("verify: raise sp.VerificationFailed('3 of 7 votes are lost')")


def test_the_other_side_tears_down_when_one_fails(
    environment_of: EnvironmentOf, tmp_path: Path
) -> None:
    side = environment_of(
        f"""
        @sp.benchmark("tidy", params={{"fails": [False]}})
        def tidy(fails):
            path = {str(tmp_path)!r} + f"/scratch-{{fails}}"
            open(path, "w").close()
            def work():
                if fails:
                    raise ValueError("it fails")
            yield work
            time.sleep(0.2)
            os.remove(path)
        """
    )
    with pytest.raises(sp.StratoperfError, match="it fails"):
        _raise_failures(
            sp.compare_live(
                sp.Environment(side.python, {"fails": False}, side.modules),
                sp.Environment(side.python, {"fails": True}, side.modules),
                "tidy",
                duration_s=PATIENCE_S,
            )
        )
    assert list(tmp_path.glob("scratch-*")) == []


def _raise_failures(comparison: sp.Comparison) -> None:
    for failure in comparison.failures:
        assert failure.side == "current"
        raise sp.StratoperfError(failure.why)


class TestInterpreters:
    def ask(self, python: str) -> None:
        here, there = sp.Environment(sys.executable), sp.Environment(python)
        sp.compare_live(here, there, "clock.overhead", duration_s=0.01, timeout_s=PATIENCE_S)

    def script(self, path: Path, content: str) -> str:
        path.write_text(f"#!/bin/sh\n{content}\n")
        path.chmod(0o755)
        return str(path)

    @pytest.mark.parametrize("python", ["/no/such/python", "/dev", "/proc/self/maps"])
    def test_one_that_cannot_be_started_is_wrong_usage(self, python: str) -> None:
        with pytest.raises(sp.InvalidParameter, match=r"current: the interpreter .* cannot be"):
            self.ask(python)

    def test_one_that_is_no_python_is_wrong_usage(self) -> None:
        with pytest.raises(sp.InvalidParameter, match=r"current .*ended with status 0"):
            self.ask("/bin/true")

    def test_one_without_stratoperf_is_told_how_to_get_it(self, tmp_path: Path) -> None:
        python = self.script(tmp_path / "python", f'exec {sys.executable} -I -S "$@"')
        with pytest.raises(
            sp.PrerequisiteMissing, match=r"current: .* has no stratoperf"
        ) as caught:
            self.ask(python)
        assert f"{python} -m pip install --upgrade stratoperf" in str(caught.value)

    def test_one_with_an_older_stratoperf_is_told_to_upgrade(self, tmp_path: Path) -> None:
        package = tmp_path / "stratoperf"
        package.mkdir()
        (package / "__init__.py").write_text("__version__ = '0.0.1'")
        run = f'PYTHONPATH={tmp_path} exec {sys.executable} -S "$@"'
        with pytest.raises(sp.PrerequisiteMissing, match="install --upgrade stratoperf"):
            self.ask(self.script(tmp_path / "python", run))

    def test_one_of_another_protocol_is_told_to_match(self, tmp_path: Path) -> None:
        # Its first arguments are -c and a program; the descriptor comes next.
        hello = b'{"protocol": "stratoperf.worker/9", "type": "hello"}\n'.hex()
        speak = f"import os, sys; os.write(int(sys.argv[3]), bytes.fromhex('{hello}'))"
        run = f'{sys.executable} -I -S -c "{speak}" "$@"'
        python = self.script(tmp_path / "python", run)
        with pytest.raises(sp.StratoperfError, match=r"current: .* speaks 'stratoperf.worker/9'"):
            self.ask(python)

    def test_a_virtual_environment_without_packages_has_none(self, tmp_path: Path) -> None:
        import venv

        venv.create(tmp_path / "empty", with_pip=False, symlinks=True)
        with pytest.raises(sp.PrerequisiteMissing, match=says("stratoperf", "live")):
            self.ask(str(tmp_path / "empty" / "bin" / "python"))


LIMITED = """
    @sp.benchmark("limited", params={"iterations": [100]})
    def limited(iterations):
        left = iterations
        def work():
            nonlocal left
            left -= 1
            if left < 0:
                raise RuntimeError("used up")
        yield sp.Operation(work, max_iterations=iterations)
    """


@pytest.mark.parametrize("iterations", [6, 7, 100, 5000])
def test_an_operation_that_may_run_only_so_often_is_compared_within_that(
    environment_of: EnvironmentOf, iterations: int
) -> None:
    arm = limited_pairs(environment_of, iterations).measure(
        "baseline", 1, verify=True, deadline=NEVER
    )["current"]
    assert 1 <= len(arm.latency) * arm.batch < iterations


def test_an_operation_that_may_run_too_rarely_is_refused_by_name(
    environment_of: EnvironmentOf,
) -> None:
    with pytest.raises(SideFailed, match=says("max_iterations", "process")):
        limited_pairs(environment_of, 3).measure("baseline", 1, verify=True, deadline=NEVER)


def limited_pairs(environment_of: EnvironmentOf, iterations: int) -> WorkerPairs:
    side = environment_of(LIMITED)
    question = {
        "modules": list(side.modules),
        "benchmark": "limited",
        "backend": "cpu",
        "params": {"iterations": iterations},
    }
    return WorkerPairs(dict.fromkeys(SIDES, side), dict.fromkeys(SIDES, question), PATIENCE_S)
