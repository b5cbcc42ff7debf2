"""Signals that ask to stop, and blocks that end first."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.running.interrupts import STOP_SIGNALS, StopSignals, deferred_interrupt


@pytest.fixture(autouse=True)
def handlers() -> Iterator[None]:
    """Put the handlers of this process back."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@contextlib.contextmanager
def stopping() -> Iterator[StopSignals]:
    stop = StopSignals(lambda number, count: None)
    try:
        yield stop
    finally:
        stop.restore(exiting=False)


def all_handlers() -> list[Any]:
    return [signal.getsignal(number) for number in STOP_SIGNALS]


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_block_ends_before_a_signal_stops_it(number: signal.Signals) -> None:
    with stopping() as stop, deferred_interrupt() as pressed:
        signal.raise_signal(number)
        done = True
    assert done
    assert pressed == [number]
    assert stop.numbers == [number]


def test_nothing_is_pressed_where_nothing_came() -> None:
    before = all_handlers()
    with deferred_interrupt() as pressed:
        pass
    assert pressed == []
    assert all_handlers() == before


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_that_is_ignored_stays_ignored(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_IGN)
    with stopping() as stop:
        signal.raise_signal(number)
        with deferred_interrupt() as pressed:
            signal.raise_signal(number)
        signal.raise_signal(number)
    assert pressed == stop.numbers == []
    assert signal.getsignal(number) == signal.SIG_IGN


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_without_a_handler_is_left_alone(number: signal.Signals) -> None:
    signal.signal(number, signal.SIG_DFL)
    with deferred_interrupt():
        assert signal.getsignal(number) == signal.SIG_DFL


def test_a_handler_of_the_user_runs_when_the_block_has_ended() -> None:
    calls = []

    def note(number: int, frame: FrameType | None) -> None:
        calls.append(number)

    signal.signal(signal.SIGTERM, note)
    with deferred_interrupt() as pressed:
        signal.raise_signal(signal.SIGTERM)
        assert calls == []
    # It does not ask to stop.
    assert pressed == []
    assert calls == [signal.SIGTERM]


def test_what_a_handler_of_the_user_raises_is_raised_after_the_block() -> None:
    def leave(number: int, frame: FrameType | None) -> None:
        raise SystemExit(3)

    signal.signal(signal.SIGTERM, leave)
    ended = []

    def saving() -> None:
        with deferred_interrupt():
            signal.raise_signal(signal.SIGTERM)
            ended.append(True)

    with pytest.raises(SystemExit):
        saving()
    assert ended == [True]


def test_the_first_signal_stops_the_second_waits_and_the_third_gives_up() -> None:
    with stopping() as stop:
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGHUP)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert stop.numbers == [signal.SIGHUP, signal.SIGTERM, signal.SIGINT]


def pressed_within_a_block(times: int) -> int:
    """Press Ctrl-C in a block and return how often it was possible."""
    count = 0
    with contextlib.suppress(KeyboardInterrupt), deferred_interrupt():
        for _ in range(times):
            count += 1
            signal.raise_signal(signal.SIGINT)
    return count


@pytest.mark.parametrize("before", [0, 1, 2])
def test_the_third_signal_ends_a_block(before: int) -> None:
    with stopping():
        for _ in range(before):
            with contextlib.suppress(KeyboardInterrupt):
                signal.raise_signal(signal.SIGINT)
        assert pressed_within_a_block(10) == 3 - before


def test_ctrl_c_three_times_ends_a_block_in_a_script_too() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert pressed_within_a_block(10) == 3
    assert signal.getsignal(signal.SIGINT) == signal.default_int_handler


def test_blocks_may_be_nested() -> None:
    before = all_handlers()
    with deferred_interrupt() as outer:
        with deferred_interrupt() as inner:
            signal.raise_signal(signal.SIGINT)
        assert inner == outer == []
    assert outer == [signal.SIGINT]
    assert all_handlers() == before


def test_a_signal_that_comes_while_handlers_are_put_back_is_not_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install = signal.signal
    before = all_handlers()

    def press(number: int, handler: Any) -> Any:
        result = install(number, handler)
        if handler is signal.default_int_handler:
            signal.raise_signal(signal.SIGINT)
        return result

    install(signal.SIGINT, signal.default_int_handler)
    with stopping() as stop:
        install(signal.SIGINT, signal.default_int_handler)
        with pytest.raises(KeyboardInterrupt), deferred_interrupt():
            monkeypatch.setattr(signal, "signal", press)
        monkeypatch.undo()
        # Those that were not put back any more pass on what comes.
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGTERM)
    assert stop.numbers == [signal.SIGTERM]
    assert all_handlers() == before


def test_other_threads_change_no_handlers() -> None:
    before = all_handlers()
    seen: list[Any] = []

    def work() -> None:
        with deferred_interrupt() as pressed:
            seen.extend([*all_handlers(), pressed])

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert seen == [*before, []]


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_what_comes_at_the_end_of_a_process_shows_nothing(number: signal.Signals) -> None:
    stop = StopSignals(lambda number, count: None)
    stop.end()
    signal.raise_signal(number)
    stop.restore(exiting=True)
    assert signal.getsignal(number) == signal.SIG_DFL


def test_nothing_is_installed_for_a_script(tmp_path: Path) -> None:
    before = all_handlers()
    seen: list[Any] = []
    sp.measure(lambda: seen.append(all_handlers()), warmup_s=0.0, max_duration_s=0.01)
    run = sp.run("clock.overhead", duration_s=0.01, warmup_s=0.0, output=tmp_path)
    sp.compare_live(sp.Command(("true",)), sp.Command(("true",)), duration_s=0.2)
    assert [result.status for result in run.results] == ["ok"]
    assert seen[0] == seen[-1] == before
    assert all_handlers() == before
