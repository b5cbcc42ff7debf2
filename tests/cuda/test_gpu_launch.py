"""The benchmark of an empty kernel's round trip."""

from __future__ import annotations

import os
import signal
import threading
import time
from typing import Any

import pytest

import stratoperf as sp
from stratoperf import backends
from stratoperf.stratoswarm.benchmarks.single_node.gpu import gpu_launch

MODES = ["launch", "graph", "persistent"]


def measure(operation: sp.Operation, iterations: int = 20) -> sp.Measurement:
    """Take a few samples."""
    return sp.measure(
        operation, warmup_s=0, max_duration_s=0.5, min_iterations=iterations, precision=0, batch=2
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("device")
def test_every_round_trip_is_verified_and_timed_by_the_device_too(mode: str) -> None:
    measured = measure(gpu_launch(mode=mode))
    assert measured.item_unit == "round trips"
    assert measured.device_ns is not None
    assert len(measured.device_ns) > 0
    assert (measured.device_ns >= 0).all()
    assert measured.verification is not None
    timed = 2 * (len(measured.samples_ns) + len(measured.device_ns))
    assert measured.verification.checked >= timed


@pytest.mark.usefixtures("device")
def test_the_suite_measures_all_modes() -> None:
    run = sp.run("gpu.launch", preset="ci", backend="cuda", duration_s=0.1)
    assert [(entry.status, entry.params["mode"]) for entry in run.results] == [
        ("ok", mode) for mode in MODES
    ]
    for result in run.results:
        assert set(result.metrics) == {"latency", "throughput", "device_time"}


@pytest.mark.usefixtures("device")
def test_a_persistent_kernel_that_has_ended_is_started_again() -> None:
    native = backends.cuda_module().round_trip.empty_operation("persistent", life_ns=10_000_000)
    operation = sp.Operation(native)
    for _ in range(2):
        measured = measure(operation)
        assert measured.verification is not None
        assert measured.verification.passed
        time.sleep(0.05)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("device")
def test_ctrl_c_ends_it_and_what_comes_next_is_verified(mode: str) -> None:
    operation = gpu_launch(mode=mode)
    measure(operation)  # the clock is calibrated, the kernel runs
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(sp.Interrupted) as stopped:
        sp.measure(operation, warmup_s=0, max_duration_s=60, precision=0)
    timer.join()
    assert stopped.value.measurement is not None
    measured = measure(operation)
    assert measured.verification is not None
    assert measured.verification.passed


@pytest.mark.parametrize("mode", MODES)
def test_a_lost_device_is_an_error(mode: str, emulated_cuda: Any) -> None:
    operation = gpu_launch(mode=mode)
    emulated_cuda.lose_device()
    with pytest.raises(sp.StratoperfError, match="failed"):
        measure(operation)


def test_an_unknown_mode_is_named(emulated_cuda: Any) -> None:
    (result,) = sp.run("gpu.launch", preset="ci", backend="cuda", params={"mode": "graphs"}).results
    assert result.status == "failed"
    assert result.reason is not None
    assert result.reason.startswith("mode: 'graphs' is unknown; did you mean 'graph'?")


def test_without_a_device_it_is_skipped_or_refused_with_the_reason(emulated_cuda: Any) -> None:
    emulated_cuda.set_device_count(0)
    reason = backends.unavailable_reason("cuda")
    results = sp.run(["gpu.launch", "gpu.device_copy"], preset="ci").results
    assert len(results) > len(MODES)
    assert {(result.status, result.reason) for result in results} == {("skipped", reason)}
    with pytest.raises(sp.BackendUnavailable, match="no CUDA device"):
        sp.run("gpu.launch", preset="ci", backend="cuda")
