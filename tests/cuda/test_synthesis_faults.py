"""What can go wrong with a match on a device, as its user sees it."""

from __future__ import annotations

import os
import signal
import threading
from typing import Any

import pytest

import stratoperf as sp
from faults import at_once, check_a_forked_child_is_told, check_threads_are_refused
from stratoperf.stratoswarm.synthesis import Matcher, encode, match, synthetic
from wording import says

OUT_OF_MEMORY = 2


def a_matcher(**limits: int) -> Matcher:
    """Return a matcher that finds something."""
    table = synthetic.corpus(900)
    return Matcher(table, synthetic.patterns("medium", table, 20), "cuda", _limits=limits)


def check(matcher: Matcher) -> None:
    """Let it match, and hold it to the CPU."""
    expected = match(matcher.table, matcher.patterns, "cpu")
    assert matcher.match().difference(expected) is None


def test_without_a_device_that_is_said(emulated_cuda: Any) -> None:
    emulated_cuda.set_device_count(0)
    with pytest.raises(sp.BackendUnavailable, match="no CUDA device"):
        match(encode("a"), "a", "cuda")
    assert Matcher(encode("a"), "a").backend == "cpu"


def test_a_table_larger_than_the_memory_of_a_device_is_refused_with_sizes(
    emulated_cuda: Any,
) -> None:
    emulated_cuda.set_memory(1 << 14)
    with pytest.raises(sp.BackendUnavailable, match=r"cudaMalloc on device 0 for .* free of"):
        a_matcher()
    emulated_cuda.set_memory(1 << 30)
    check(a_matcher())


@pytest.mark.parametrize("call", ["cudaMalloc", "cudaHostAlloc"])
def test_no_memory_for_hits_leaves_the_matcher_usable(call: str, emulated_cuda: Any) -> None:
    matcher = a_matcher(capacity=1)
    emulated_cuda.fail_next(call, OUT_OF_MEMORY)
    with pytest.raises(sp.BackendUnavailable, match=f"{call} on device 0 for .* ask for less"):
        matcher.match()
    check(matcher)


@pytest.mark.usefixtures("device")
def test_more_hits_than_max_bytes_has_room_for_are_refused() -> None:
    table = encode("a = b\n" * 50)
    with pytest.raises(sp.InvalidParameter, match=says("7 hits", "max_bytes")):
        match(table, "$x", "cuda", max_bytes=64 + 4 * 7)
    with pytest.raises(sp.InvalidParameter, match=says("max_bytes", "fit")):
        match(table, ["$x", "$y"], "cuda", max_bytes=100)


def test_a_lost_device_is_an_error_each_time(emulated_cuda: Any) -> None:
    matcher = a_matcher()
    operation = matcher.operation()
    emulated_cuda.lose_device()
    for _ in range(2):
        with pytest.raises(sp.StratoperfError, match=r"device 0.* failed"):
            matcher.match()
    with pytest.raises(sp.StratoperfError, match="failed"):
        sp.measure(operation, warmup_s=0, max_duration_s=0.1, min_iterations=1)


@pytest.mark.usefixtures("device")
def test_ctrl_c_ends_a_measurement_and_what_comes_next_is_verified() -> None:
    operation = a_matcher(pass_cells=8).operation()
    sp.measure(operation, warmup_s=0, max_duration_s=0.1, min_iterations=1)
    timer = threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT))
    timer.start()
    with pytest.raises(sp.Interrupted):
        sp.measure(operation, warmup_s=0, max_duration_s=60, precision=0)
    timer.join()
    measured = sp.measure(operation, warmup_s=0, max_duration_s=0.1, min_iterations=1)
    assert measured.verification is not None
    assert measured.verification.passed


@pytest.mark.usefixtures("device")
def test_two_matchers_work_at_once() -> None:
    def work() -> None:
        matcher = a_matcher()
        for _ in range(4):
            check(matcher)

    at_once(work)


@pytest.mark.usefixtures("device")
def test_a_matcher_used_by_two_threads_at_once_says_so_and_stays_right() -> None:
    matcher = a_matcher()
    expected = match(matcher.table, matcher.patterns, "cpu")
    check_threads_are_refused(lambda: matcher.match().difference(expected) is None, "own Matcher")


@pytest.mark.usefixtures("device")
def test_a_forked_child_is_told_so_and_the_parent_goes_on() -> None:
    matcher = a_matcher()
    check(matcher)
    check_a_forked_child_is_told(matcher.match, a_matcher)
    check(matcher)
