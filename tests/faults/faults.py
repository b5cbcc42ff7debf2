"""What the tests of faults share: children, and threads that meet."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Callable

import stratoperf as sp

PATIENCE_S = 60


def check_a_forked_child_is_told(*uses: Callable[[], object]) -> list[str]:
    """Let a forked child try each use of CUDA; return what it was told about each.

    The child must refuse each with `BackendUnavailable` and end well.
    """

    def child() -> None:
        problems = []
        for use in uses:
            try:
                use()
            except sp.BackendUnavailable as error:
                problems.append(str(error))
        sender.send(problems)

    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=child)
    process.start()
    assert receiver.poll(PATIENCE_S)
    problems: list[str] = receiver.recv()
    assert len(problems) == len(uses)
    for problem in problems:
        assert "before it forked this one" in problem
    process.join(PATIENCE_S)
    assert process.exitcode == 0
    return problems


def at_once(work: Callable[[], None], threads: int = 2) -> None:
    """Do the same work on several threads, and raise what the first of them raised."""
    failures: list[BaseException] = []

    def guarded() -> None:
        try:
            work()
        except BaseException as failure:
            failures.append(failure)

    running = [threading.Thread(target=guarded) for _ in range(threads)]
    for thread in running:
        thread.start()
    for thread in running:
        thread.join()
    for failure in failures:
        raise failure


def check_threads_are_refused(use: Callable[[], bool], reason: str) -> None:
    """Let three threads use one thing at once, until three uses were refused.

    Parameters
    ----------
    use
        Returns whether the outcome is right, or raises `RuntimeError`.
    reason
        Part of what that says.
    """
    refused = 0
    end = time.monotonic() + PATIENCE_S

    def work() -> None:
        nonlocal refused
        # On one busy CPU they rarely meet.
        while refused < 3 and time.monotonic() < end:
            try:
                assert use()
            except RuntimeError as error:
                refused += reason in str(error)

    at_once(work, threads=3)
    assert refused > 0
