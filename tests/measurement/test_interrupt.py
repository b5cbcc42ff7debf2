"""Ctrl-C in the middle of a measurement."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap
import time
from typing import Any

import pytest

import stratoperf as sp

# How soon it stops is wall time.
pytestmark = pytest.mark.timing

PROGRAM = """
import signal, sys, time
import stratoperf as sp
from stratoperf import _core

{setup}

sp.measure(work, warmup_s=0, max_duration_s=0.01, min_iterations=1)  # calibrates the clock
print("ready", flush=True)
try:
    measurement = sp.measure(work, warmup_s={warmup}, max_duration_s=60, precision=0)
    print("returned", measurement.stopped_because, measurement.count)
except sp.Interrupted as stop:
    kept = 0 if stop.measurement is None else stop.measurement.count
    print("interrupted", time.clock_gettime_ns(time.CLOCK_MONOTONIC), kept)
"""


def interrupt(setup: str, *, warmup: float = 0.0, number: int = signal.SIGINT) -> tuple[str, float]:
    """Run the program, interrupt it, and return its last line and the seconds it took to stop."""
    code = PROGRAM.format(setup=textwrap.dedent(setup), warmup=warmup)
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline() == "ready\n", process.stderr.read()
        time.sleep(0.3)
        sent = time.clock_gettime_ns(time.CLOCK_MONOTONIC)
        process.send_signal(number)
        line = process.stdout.readline().strip()
        assert line, process.stderr.read()
    stopped = int(line.split()[1]) if line.startswith("interrupted") else sent
    return line, (stopped - sent) / 1e9


# Short calls first, so that the clock is calibrated and sampling begins; then one that lasts.
SLEEPING = """
short = iter(range(1000))
work = lambda: time.sleep(30 if next(short, None) is None else 1e-5)
"""


@pytest.mark.parametrize(
    "setup",
    [
        "work = _core.operation.empty()",
        "work = lambda: None",
        SLEEPING,
        # A callable that never reaches Python's own check for signals.
        "work = [].clear",
    ],
    ids=["native", "python", "sleeping", "builtin"],
)
def test_it_stops_within_a_fifth_of_a_second(setup: str) -> None:
    line, seconds = interrupt(setup)
    assert line.startswith("interrupted")
    assert seconds < 0.2


@pytest.mark.parametrize("work", ["_core.operation.empty()", "lambda: None"])
def test_it_stops_while_the_clock_is_calibrated_too(work: str) -> None:
    # The first measurement of a process calibrates the clock, for 40 ms at least.
    code = f"""
import os, subprocess, time
import stratoperf as sp
from stratoperf import _core, sampling
work = {work}
subprocess.Popen(["sh", "-c", f"sleep 0.01; kill -INT {{os.getpid()}}"])
try:
    sp.measure(work, warmup_s=0, max_duration_s=60, precision=0)
except KeyboardInterrupt:
    print("stopped")
"""
    process = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=30)
    assert process.stdout == b"stopped\n"


def test_what_was_sampled_is_kept() -> None:
    line, _ = interrupt("work = _core.operation.empty()")
    assert int(line.split()[2]) > 100


def test_an_interrupt_during_the_warm_up_has_no_samples() -> None:
    line, seconds = interrupt("work = _core.operation.empty()", warmup=30.0)
    assert line.startswith("interrupted")
    assert line.endswith(" 0")
    assert seconds < 0.2


def test_a_handler_that_does_not_raise_gets_the_partial_measurement() -> None:
    line, _ = interrupt(
        """
        work = _core.operation.empty()
        signal.signal(signal.SIGINT, lambda *_: None)
        """
    )
    assert line.startswith("returned interrupted")
    assert int(line.split()[2]) > 100


HANDLED = """
def handler(*_):
    raise KeyboardInterrupt
signal.signal({number}, handler)
"""


@pytest.mark.parametrize("setup", ["work = _core.operation.empty()", SLEEPING])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT])
def test_other_signals_with_a_handler_stop_it_too(number: signal.Signals, setup: str) -> None:
    line, seconds = interrupt(setup + HANDLED.format(number=int(number)), number=number)
    assert line.startswith("interrupted")
    assert seconds < 0.2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGTERM])
def test_a_signal_that_is_ignored_stops_nothing(number: signal.Signals) -> None:
    code = f"""
import os, signal
import stratoperf as sp
from stratoperf import _core
signal.signal({int(number)}, signal.SIG_IGN)
work = _core.operation.empty()
signal.setitimer(signal.ITIMER_REAL, 0.1, 0.02)
signal.signal(signal.SIGALRM, lambda *_: os.kill(os.getpid(), {int(number)}))
measurement = sp.measure(work, warmup_s=0, max_duration_s=0.5, precision=0)
print(measurement.stopped_because)
"""
    process = subprocess.run([sys.executable, "-c", code], stdout=subprocess.PIPE, timeout=60)
    assert process.stdout == b"max_duration\n"


def test_an_interrupt_while_details_are_asked_keeps_the_samples() -> None:
    def details() -> dict[str, Any]:
        raise KeyboardInterrupt

    with pytest.raises(sp.Interrupted) as stop:
        sp.measure(sp.Operation(lambda: None, details=details), warmup_s=0.0, max_duration_s=0.02)
    assert stop.value.measurement is not None
    assert stop.value.measurement.count > 0
