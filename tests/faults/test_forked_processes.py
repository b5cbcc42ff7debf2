"""What a forked process inherits: every use is refused, and its end leaves the parent's alone."""

from __future__ import annotations

import gc
import multiprocessing
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import stratoperf as sp
from faults import PATIENCE_S
from stratoperf._core.perf_counters import PerfCounters

BLOCK = 1 << 20

# Python warns that the child of a process with threads may hang: that it does not is tested here.
pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")


def in_child(work: Callable[[], object]) -> object:
    """Return what a forked child returns, which must end well."""

    def child() -> None:
        try:
            sender.send(work())
        except BaseException as error:
            sender.send(f"{type(error).__name__}: {error}")

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=child)
    process.start()
    try:
        assert receiver.poll(PATIENCE_S), "the child hangs"
        answer: object = receiver.recv()
        process.join(PATIENCE_S)
        assert process.exitcode == 0, "the child did not end well"
    finally:
        process.kill()
        process.join()
    return answer


def refusals(*uses: Callable[[], object]) -> None:
    """Check that a child is refused every use, by name of the reason and the remedy."""

    def attempt() -> list[str]:
        said = []
        for use in uses:
            try:
                use()
                said.append("nothing")
            except sp.StratoperfError as error:
                said.append(str(error))
        return said

    answers = in_child(attempt)
    assert isinstance(answers, list), answers
    for answer in answers:
        assert "forked" in answer
        assert "another" in answer or "create one in this process" in answer


@pytest.fixture(params=["cpu", "ssd"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[sp.memory.TierManager]:
    """Return a manager with one tier in memory and one on a disk."""
    with sp.memory.TierManager({"ssd": tmp_path}, use=["cpu", request.param]) as opened:
        yield opened


def content() -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(1).integers(256, size=BLOCK, dtype=np.uint8)


def test_a_manager_of_memory_tiers_belongs_to_the_process_that_made_it(
    manager: sp.memory.TierManager,
) -> None:
    tier = manager.tiers[-1]
    block = manager.allocate(BLOCK, tier, content())
    refusals(
        lambda: manager.allocate(BLOCK, tier),
        lambda: manager.write(block, content()),
        lambda: manager.read(block),
        lambda: manager.verify(block),
        lambda: manager.migrate(block, "cpu"),
        lambda: manager.free(block),
        manager.trim,
        lambda: manager.calibrate("cpu", tier, BLOCK),
        lambda: manager.tier_of(block),
        lambda: block.tier,
        manager.details,
        manager.__enter__,
        lambda: manager.store,
    )
    assert np.array_equal(manager.read(block), content())


def test_the_native_store_refuses_too(manager: sp.memory.TierManager) -> None:
    block = manager.allocate(BLOCK, manager.tiers[-1], content())
    store = manager.store
    refusals(
        lambda: store.allocate(BLOCK, 0, main_thread=False),
        lambda: store.write(block.number, content()),
        lambda: store.read(block.number, main_thread=False),
        lambda: store.verify(block.number, main_thread=False),
        lambda: store.migrate([block.number], 0, main_thread=False),
        lambda: store.free(block.number),
        store.trim,
    )
    manager.verify(block)


def test_the_end_of_a_child_leaves_blocks_and_threads_alone(
    manager: sp.memory.TierManager,
) -> None:
    tier = manager.tiers[-1]
    manager.calibrate("cpu", tier, BLOCK)
    block = manager.allocate(BLOCK, "cpu", content())
    manager.migrate(block, tier)
    held = [manager]

    def end() -> str:
        # Closed, dropped and collected.
        held[0].close()
        held.clear()
        gc.collect()
        return "ended"

    assert in_child(end) == "ended"
    manager.migrate(block, "cpu")
    assert np.array_equal(manager.read(block), content())


def test_threads_of_a_round_and_a_matcher_are_not_waited_for() -> None:
    round_ = sp.consensus.Round(backend="cpu", threads=2)
    votes = sp.consensus.VoteBatch.generate(5000)
    table = sp.synthesis.encode("x = f(1)\n" * 5000)
    matcher = sp.synthesis.Matcher(table, "f($x)", "cpu", threads=2)
    before = round_.decide(votes), len(matcher.match())
    held: list[object] = [round_, matcher]

    def use() -> str:
        said = []
        for each in (lambda: round_.decide(votes), matcher.match):
            try:
                each()
                said.append("worked")
            except sp.StratoperfError as error:
                said.append(str(error))
        held.clear()
        gc.collect()
        assert all("forked" in words or words == "worked" for words in said), said
        return "ended"

    assert in_child(use) == "ended"
    assert (round_.decide(votes), len(matcher.match())) == before


def test_counters_of_the_processor_stay_with_their_process() -> None:
    counters = PerfCounters()
    counters.start()
    refusals(counters.start, counters.stop)
    assert len(counters.stop()) > 0


def test_a_histogram_that_another_thread_fills_does_not_hang_a_child() -> None:
    histogram = sp.Histogram()
    values = np.arange(1, 1_000_000)
    ending = threading.Event()

    def fill() -> None:
        while not ending.is_set():
            histogram.record_many(values)

    filling = threading.Thread(target=fill)
    filling.start()
    try:
        for _ in range(10):
            answer = in_child(lambda: histogram.count)
            assert isinstance(answer, int) or "forked" in str(answer)
    finally:
        ending.set()
        filling.join()


def test_what_owns_nothing_works_in_a_child() -> None:
    sp.clock.now_ns()
    measured = in_child(lambda: sp.measure(lambda: None, warmup_s=0, max_duration_s=0.05).count)
    assert isinstance(measured, int)
    assert measured > 0
