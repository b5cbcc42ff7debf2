"""Signals that come while the handlers of signals are put back: none is lost, nor any handler."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.running.containment import Containment
from stratoperf.running.kept_handlers import KeptHandlers

NUMBERS = (signal.SIGUSR1, signal.SIGUSR2, signal.SIGTERM)
FAST: dict[str, Any] = {"preset": "ci", "warmup_s": 0.0, "duration_s": 0.02}

pytestmark = pytest.mark.usefixtures("benchmarks")


class Came(Exception):
    """A handler of the user's own was called."""


def handle(number: int, frame: object) -> None:
    raise Came(number)


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Install handlers that raise, and put back what was there."""
    before = {number: signal.signal(number, handle) for number in NUMBERS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


def change_all() -> None:
    """Do what a benchmark should not."""
    for number in (*NUMBERS, signal.SIGINT):
        signal.signal(number, signal.SIG_IGN)


@pytest.mark.parametrize("does", [lambda: None, change_all])
@pytest.mark.parametrize("number", [*NUMBERS, signal.SIGINT])
@pytest.mark.parametrize("is_after", [False, True])
def test_a_signal_at_any_moment_of_putting_back_is_noted_and_all_is_put_back(
    monkeypatch: pytest.MonkeyPatch,
    does: Callable[[], None],
    number: signal.Signals,
    is_after: bool,
) -> None:
    before = {each: signal.getsignal(each) for each in signal.valid_signals()}
    install = signal.signal
    for moment in range(30):
        calls = 0

        def signaling(each: int, handler: Any, moment: int = moment) -> Any:
            nonlocal calls
            calls += 1
            comes = calls == moment + 1
            if comes and not is_after:
                signal.raise_signal(number)
            previous = install(each, handler)
            if comes and is_after:
                signal.raise_signal(number)
            return previous

        with Containment() as around:
            does()
            monkeypatch.setattr("signal.signal", signaling)
        monkeypatch.undo()
        assert {each: signal.getsignal(each) for each in before} == before
        if calls <= moment:
            break
        assert around.losses == []
        # It was ignored until the handler was put in its place again.
        assert len(around.interrupts) == 1 or (does is change_all and not around.interrupts)
    assert moment >= len(NUMBERS)


def test_ctrl_c_right_after_the_handlers_are_back_loses_no_measurement(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    has_run = False
    put_back = KeptHandlers.put_back

    def pressed(kept: KeptHandlers) -> None:
        nonlocal has_run
        put_back(kept)
        if has_run:
            has_run = False
            signal.raise_signal(signal.SIGINT)

    monkeypatch.setattr(KeptHandlers, "put_back", pressed)

    @sp.benchmark("a.measured")
    def measured() -> Callable[[], None]:
        nonlocal has_run
        has_run = True
        return lambda: None

    sp.benchmark("b.never")(lambda: lambda: None)
    with pytest.raises(sp.Interrupted) as caught:
        sp.run(None, **FAST)
    assert isinstance(caught.value.run, sp.Run)
    (result,) = caught.value.run.results
    assert (result.benchmark, result.status) == ("a.measured", "ok")


def test_the_third_signal_ends_what_saves_a_result() -> None:
    def finish(around: Containment) -> None:
        for _ in range(3):
            signal.raise_signal(signal.SIGINT)
        raise AssertionError("the user could not give up")

    with pytest.raises(KeyboardInterrupt), Containment(finish=finish):
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_handler_of_the_block_is_replaced_before_anything_is_put_back() -> None:
    with Containment() as around:
        signal.signal(signal.SIGALRM, handle)
        signal.signal(signal.SIGRTMIN + 1, handle)
        # Long enough for the block to end before: pytest has a handler of its own, which raises.
        signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
    assert around.losses == []
    assert around.interrupts == []
    assert f"signal {signal.SIGRTMIN + 1}" in around.sentences[0]
    assert signal.getsignal(signal.SIGRTMIN + 1) is signal.SIG_DFL
