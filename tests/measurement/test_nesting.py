"""Measurements within measurements, and on threads with small stacks."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

import pytest

import stratoperf as sp


def measure(work: Callable[[], object]) -> sp.Measurement:
    return sp.measure(work, warmup_s=0.0, max_duration_s=0.001, min_iterations=1, batch=1)


def test_a_measurement_within_a_measurement_is_fine() -> None:
    inner: list[int] = []
    outer = measure(lambda: inner.append(measure(lambda: None).count))
    assert outer.count > 0
    assert all(count > 0 for count in inner)


def test_a_callable_that_measures_itself_ends_in_a_sentence() -> None:
    def work() -> None:
        measure(work)

    with pytest.raises(sp.InvalidParameter, match=r"^work: 8 measurements .*measure itself"):
        measure(work)
    # And all is as before.
    assert measure(lambda: None).count > 0


def test_a_check_that_measures_its_own_operation_ends_in_a_recursion_error() -> None:
    def check() -> int:
        measure_operation()
        return 1

    operation = sp.Operation(lambda: None, verify=check)

    def measure_operation() -> None:
        sp.measure(operation, warmup_s=0.0, max_duration_s=0.0001, min_iterations=1, batch=1)

    with pytest.raises((RecursionError, sp.InvalidParameter)):
        measure_operation()


PROGRAM = """
import sys, threading
import stratoperf as sp

sp.clock.now_ns()
brief = dict(warmup_s=0.0, max_duration_s=0.01, min_iterations=1, batch=1)
sp.measure(lambda: None, **brief)
said = []

def work():
    sp.measure(work, **brief)

def on_thread():
    said.append(sp.measure(lambda: None, **brief).count > 0)
    said.append(sp.measure(sp.clock.read_operation(), **brief).count > 0)
    try:
        sp.measure(work, **brief)
    except sp.InvalidParameter as error:
        said.append("another" in str(error))

threading.stack_size(int(sys.argv[1]) << 10)
thread = threading.Thread(target=on_thread)
thread.start()
thread.join()
print(said)
"""


@pytest.mark.skipif(
    "asan" in os.environ.get("LD_PRELOAD", ""), reason="sanitizers make frames larger"
)
@pytest.mark.parametrize("kibibytes", [64, 128, 256, 8192])
def test_threads_with_small_stacks_can_measure(kibibytes: int) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(kibibytes)],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (ended.returncode, ended.stdout) == (0, "[True, True, True]\n"), ended
