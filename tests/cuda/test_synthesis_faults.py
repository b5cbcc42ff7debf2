"""What can go wrong with a match on a device, as its user sees it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.synthesis import Matcher, encode, match, synthetic

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
    with pytest.raises(sp.InvalidParameter, match="more than 7 hits, which is all that max_bytes"):
        match(table, "$x", "cuda", max_bytes=64 + 4 * 7)
    with pytest.raises(sp.InvalidParameter, match="do not fit into max_bytes"):
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
    failures: list[BaseException] = []

    def work() -> None:
        try:
            matcher = a_matcher()
            for _ in range(4):
                check(matcher)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


@pytest.mark.usefixtures("device")
def test_a_matcher_used_by_two_threads_at_once_says_so_and_stays_right() -> None:
    matcher = a_matcher()
    expected = match(matcher.table, matcher.patterns, "cpu")
    refused = 0
    wrong = 0

    def find() -> None:
        nonlocal refused, wrong
        # On one busy CPU they rarely meet.
        while refused < 3 and time.monotonic() < end:
            try:
                wrong += matcher.match().difference(expected) is not None
            except RuntimeError as error:
                refused += "own Matcher" in str(error)

    end = time.monotonic() + 60
    threads = [threading.Thread(target=find) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert refused > 0
    assert wrong == 0


@pytest.mark.usefixtures("device")
def test_a_forked_child_is_told_so_and_the_parent_goes_on() -> None:
    matcher = a_matcher()
    check(matcher)

    def child() -> None:
        problems = []
        for use in (matcher.match, a_matcher):
            try:
                use()
            except sp.BackendUnavailable as error:
                problems.append(str(error))
        sender.send(problems)

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=child)
    process.start()
    assert receiver.poll(60)
    problems = receiver.recv()
    assert len(problems) == 2
    for problem in problems:
        assert "before it forked this one" in problem
    process.join(60)
    assert process.exitcode == 0
    check(matcher)
