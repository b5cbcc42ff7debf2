"""What can go wrong with a round on a device, as its user sees it."""

from __future__ import annotations

import time
from typing import Any

import pytest

import stratoperf as sp
from faults import at_once, check_a_forked_child_is_told, check_threads_are_refused
from stratoperf.stratoswarm.consensus import Round, VoteBatch
from stratoperf.stratoswarm.consensus.device_operations import resident_operation

MODES = ["launch", "graph", "persistent"]
OUT_OF_MEMORY = 2


def round_with(mode: str) -> Round:
    """Return a round that has decided a batch."""
    round = Round(nodes=20, proposals=3, backend="cuda", mode=mode)
    decide(round)
    return round


def decide(round: Round, votes: int = 60) -> None:
    """Let a round decide a batch, and hold it to the reference."""
    batch = VoteBatch.generate(votes, nodes=20, proposals=3, byzantine=0.3)
    expected = Round(nodes=20, proposals=3, backend="reference").decide(batch)
    assert round.decide(batch).difference(expected) is None


def test_without_a_device_that_is_said(emulated_cuda: Any) -> None:
    emulated_cuda.set_device_count(0)
    with pytest.raises(sp.BackendUnavailable, match="no CUDA device"):
        Round(backend="cuda")
    assert Round().backend == "cpu"


@pytest.mark.parametrize("mode", MODES)
def test_a_device_lost_between_rounds_is_an_error(mode: str, emulated_cuda: Any) -> None:
    round = round_with(mode)
    operation = round.operation([VoteBatch.generate(10, nodes=20)])
    emulated_cuda.lose_device()
    for _ in range(2):
        with pytest.raises(sp.StratoperfError, match=r"device 0.* failed"):
            decide(round)
    with pytest.raises(sp.StratoperfError, match="failed"):
        sp.measure(operation, warmup_s=0, max_duration_s=0.1, min_iterations=1)
    begin = time.monotonic()
    del round, operation
    assert time.monotonic() - begin < 30


@pytest.mark.parametrize("mode", MODES)
def test_a_batch_too_large_for_memory_leaves_the_round_usable(
    mode: str, emulated_cuda: Any
) -> None:
    round = round_with(mode)
    emulated_cuda.fail_next("cudaHostAlloc", OUT_OF_MEMORY)
    with pytest.raises(sp.BackendUnavailable, match=r"cudaHostAlloc .* for .* ask for less"):
        decide(round, votes=500)
    decide(round, votes=60)
    decide(round, votes=500)


def test_out_of_device_memory_is_said_with_sizes(emulated_cuda: Any) -> None:
    emulated_cuda.set_memory(1 << 16)
    round = Round(nodes=20, proposals=3, backend="cuda")
    batch = VoteBatch.generate(6000, nodes=20, proposals=3)
    with pytest.raises(
        sp.BackendUnavailable, match=r"cudaMalloc on device 0 for .* free of 64 KiB"
    ):
        resident_operation(round, [batch])
    decide(round)
    table = Round(nodes=1000, proposals=1000, backend="cuda", mode="graph")
    with pytest.raises(sp.BackendUnavailable, match=r"cudaMalloc on device 0 for 976\.6 KiB"):
        table.decide(batch)


def test_a_capacity_beyond_memory_is_refused_at_once(emulated_cuda: Any) -> None:
    emulated_cuda.fail_next("cudaHostAlloc", OUT_OF_MEMORY)
    with pytest.raises(sp.BackendUnavailable, match="cudaHostAlloc"):
        Round(backend="cuda", capacity=1000)


@pytest.mark.parametrize("mode", ["auto", *MODES])
@pytest.mark.usefixtures("device")
def test_a_batch_larger_than_the_capacity_still_works(mode: str) -> None:
    round = Round(nodes=20, proposals=3, backend="cuda", mode=mode, capacity=10)
    for votes in (10, 11, 200, 5):
        decide(round, votes)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("device")
def test_two_rounds_work_at_once(mode: str) -> None:
    def work() -> None:
        round = round_with(mode)
        for _ in range(5):
            decide(round)

    at_once(work)


@pytest.mark.usefixtures("device")
def test_a_round_used_by_two_threads_at_once_says_so_and_stays_right() -> None:
    round = round_with("launch")
    batch = VoteBatch.generate(2000, nodes=20, proposals=3, byzantine=0.2)
    expected = Round(nodes=20, proposals=3, backend="reference").decide(batch)
    check_threads_are_refused(lambda: round.decide(batch) == expected, "own Round")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.usefixtures("device")
def test_a_forked_child_is_told_so_and_the_parent_goes_on(mode: str) -> None:
    round = round_with(mode)
    for problem in check_a_forked_child_is_told(
        lambda: decide(round), lambda: Round(backend="cuda")
    ):
        assert "get_context('spawn')" in problem
    decide(round)
