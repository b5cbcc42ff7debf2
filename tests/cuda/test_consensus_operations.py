"""Operations of rounds on a device: measured, verified, interrupted."""

from __future__ import annotations

import gc
import os
import signal
import threading
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.stratoswarm.consensus import Round, VoteBatch
from stratoperf.stratoswarm.consensus.device_operations import fill_operation, resident_operation
from wording import says

MODES = ["auto", "launch", "graph", "persistent"]


def batches(votes: int = 60) -> list[VoteBatch]:
    """Return four batches for two proposals of 30 nodes."""
    return [VoteBatch.generate(votes, nodes=30, byzantine=0.33, seed=seed) for seed in range(4)]


def small_round(mode: str = "auto") -> Round:
    """Return the round for these batches."""
    return Round(nodes=30, proposals=2, backend="cuda", mode=mode)


def measure(operation: sp.Operation) -> sp.Measurement:
    """Take a few samples, so that every batch has its turn."""
    return sp.measure(
        operation, warmup_s=0, max_duration_s=0.5, min_iterations=8, precision=0, batch=4
    )


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("device")
def test_a_measured_round_is_verified(mode: str) -> None:
    measured = measure(small_round(mode).operation(batches()))
    assert measured.items == 60
    assert measured.item_unit == "votes"
    assert measured.verification is not None
    assert measured.verification.checked == 4


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.usefixtures("device")
def test_device_time_and_the_mode_are_part_of_the_result(mode: str) -> None:
    measured = measure(small_round(mode).operation(batches()))
    assert measured.details == {"mode": mode}
    assert measured.device_ns is not None
    assert (measured.device_ns > 0).all()


@pytest.mark.usefixtures("device")
def test_a_result_records_the_calibration_that_chose_the_mode() -> None:
    measured = measure(small_round().operation(batches()))
    times = measured.details["calibration_us"]
    assert set(times) == set(MODES[1:])
    assert times[measured.details["mode"]] == min(times.values())


@pytest.mark.usefixtures("device")
def test_a_batch_that_does_not_fit_one_block_is_calibrated_without_the_persistent_mode() -> None:
    round = Round(nodes=1000, proposals=64, backend="cuda")
    operation = round.operation([VoteBatch.generate(50, nodes=1000)])
    assert set(operation.final_details()["calibration_us"]) == {"launch", "graph"}


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("device")
def test_votes_and_answers_may_stay_on_the_device(mode: str) -> None:
    measured = measure(resident_operation(small_round(mode), batches()))
    assert measured.verification is not None
    assert measured.verification.checked == 4


@pytest.mark.usefixtures("device")
def test_filling_the_pinned_buffer_is_measured_apart_and_verified() -> None:
    measured = measure(fill_operation(small_round(), batches()))
    assert measured.item_unit == "votes"
    assert measured.verification is not None
    assert measured.verification.checked == 4


@pytest.mark.parametrize("make", [resident_operation, fill_operation])
@pytest.mark.usefixtures("device")
def test_an_operation_needs_votes(make: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("batches:", "least", "vote")):
        make(small_round(), [])


@pytest.mark.usefixtures("device")
def test_every_benchmark_of_consensus_runs_on_a_device() -> None:
    params = {"votes": 10, "byzantine": 0.33}
    run = sp.run("consensus.*", preset="ci", backend="cuda", params=params)
    assert [
        (result.benchmark, result.params.get("mode"), result.status) for result in run.results
    ] == [
        ("consensus.fill", None, "ok"),
        ("consensus.resident", None, "ok"),
        *(("consensus.round", mode, "ok") for mode in MODES),
    ]


@pytest.mark.usefixtures("device")
def test_an_operation_does_not_disturb_the_round_it_came_from() -> None:
    round = small_round("persistent")
    first, second = batches()[:2]
    expected = Round(nodes=30, proposals=2, backend="reference").decide(second)
    operation = round.operation([first])
    for _ in range(2):
        measure(operation)
        assert round.decide(second).difference(expected) is None


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.usefixtures("device")
def test_ctrl_c_ends_a_measurement_and_keeps_its_samples(mode: str) -> None:
    round = small_round(mode)
    operation = round.operation(batches())
    measure(operation)  # the clock is calibrated, the kernel runs
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(sp.Interrupted) as stopped:
        sp.measure(operation, warmup_s=0, max_duration_s=60, precision=0)
    timer.join()
    assert stopped.value.measurement is not None
    # What was under way does not count in what comes next.
    measured = measure(operation)
    assert measured.verification is not None
    assert measured.verification.checked == 4


@pytest.mark.parametrize("mode", MODES[1:])
def test_a_round_that_is_garbage_leaves_nothing_on_the_device(
    mode: str, emulated_cuda: Any
) -> None:
    round = small_round(mode)
    operation = round.operation(batches())
    measure(operation)
    round.decide(batches()[0])
    del round, operation
    gc.collect()
    live = {name: n for name, n in emulated_cuda.statistics().items() if name.startswith("live")}
    assert set(live.values()) == {0}
