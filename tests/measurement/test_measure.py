"""What `measure` promises."""

from __future__ import annotations

import asyncio
import functools
import gc
import math
import pickle
import signal
import sys
import threading
import time
import traceback
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any, cast

import numpy as np
import pytest

import stratoperf as sp
from stratoperf import _core, sampling
from stratoperf.errors import InvalidParameter, VerificationFailed
from wording import mentions, says

QUICK: dict[str, Any] = {"warmup_s": 0.01, "max_duration_s": 0.1, "min_iterations": 50}


def empty() -> None:
    """Do nothing."""


def test_a_callable_is_measured_with_intervals() -> None:
    measurement = sp.measure(lambda: sum(range(100)), **QUICK)
    summary = measurement.summary()
    assert summary.count == len(measurement.samples_ns) >= 50
    assert summary.p50.low is not None
    assert summary.p50.high is not None
    assert summary.p50.low <= summary.p50.value <= summary.p50.high
    assert summary.min <= summary.p50.value <= summary.p95.value <= summary.p99.value <= summary.max
    assert summary.stopped_because == measurement.stopped_because


def test_samples_are_float64_and_read_only() -> None:
    samples = sp.measure(empty, **QUICK).samples_ns
    assert samples.dtype == np.float64
    with pytest.raises(ValueError, match="read-only"):
        samples[0] = 1.0


def test_a_sleep_takes_as_long_as_it_says() -> None:
    measurement = sp.measure(lambda: time.sleep(0.002), **QUICK)
    assert measurement.batch == 1
    assert measurement.samples_ns.min() >= 2e6


def test_a_short_operation_is_batched_and_says_so() -> None:
    measurement = sp.measure(_core.operation.empty(), **QUICK)
    assert measurement.batch > 10
    assert "batches of" in measurement.quantile(0.5).method
    assert "batches of" in measurement.summary().p99.method


def test_a_given_batch_is_kept() -> None:
    calls = 0

    def count() -> None:
        nonlocal calls
        calls += 1

    measurement = sp.measure(count, batch=7, **QUICK)
    assert measurement.batch == 7
    assert calls == measurement.warmup.iterations + 7 * measurement.count


def test_sampling_stops_at_the_precision() -> None:
    measurement = sp.measure(empty, warmup_s=0.01, max_duration_s=20, precision=5.0)
    assert measurement.stopped_because == "precision"
    assert measurement.count >= 1000


def test_samples_are_spread_over_a_second_however_soon_the_precision_is_there() -> None:
    started = time.monotonic()
    measurement = sp.measure(lambda: time.sleep(0.0005), warmup_s=0, precision=5.0)
    assert time.monotonic() - started >= 1
    assert measurement.stopped_because == "precision"
    assert measurement.samples_ns.sum() >= 0.9e9


def test_a_slow_operation_has_a_sample_in_each_window_whatever_the_precision() -> None:
    measurement = sp.measure(
        lambda: time.sleep(0.2), warmup_s=0, min_iterations=1, precision=5.0, max_duration_s=20
    )
    assert measurement.stopped_because == "precision"
    assert measurement.count >= 8


def test_time_wins_over_the_spread() -> None:
    started = time.monotonic()
    measurement = sp.measure(lambda: time.sleep(0.001), warmup_s=0, max_duration_s=0.1)
    assert time.monotonic() - started < 1
    assert measurement.count > 8


def test_what_is_measured_in_many_processes_need_not_be_spread() -> None:
    measurement = sampling.measure_here(empty, None, 0.01, 1000, 20.0, 5.0, 0.5)
    assert measurement.stopped_because == "precision"
    assert measurement.count == 1000


def test_a_machine_that_gets_slower_meanwhile_shows_in_the_interval_and_as_drift() -> None:
    started = time.monotonic()

    def slowing() -> None:
        # From 1 ms to 20 ms: more than a busy machine moves by itself.
        time.sleep(0.001 + 0.019 * min(time.monotonic() - started, 1))

    measurement = sp.measure(slowing, warmup_s=0, max_duration_s=1)
    summary = measurement.summary()
    assert summary.drift is not None
    assert summary.drift > 0.2
    assert summary.p50.low is not None
    assert summary.p50.high is not None
    assert summary.p50.high - summary.p50.low > 0.2 * summary.p50.value
    assert "drift" in repr(measurement)
    assert mentions(measurement._repr_html_(), "drift", "median")


def test_intervals_of_one_process_say_so_everywhere() -> None:
    measurement = sp.measure(empty, **QUICK)
    summary = measurement.summary()
    assert (measurement.scope, summary.scope, summary.processes) == (*["this process"] * 2, 1)
    for text in (repr(measurement), measurement._repr_html_(), summary._repr_html_()):
        assert "this process" in text


def test_time_wins_over_the_minimum_of_iterations() -> None:
    measurement = sp.measure(lambda: time.sleep(0.01), warmup_s=0, max_duration_s=0.1)
    assert measurement.stopped_because == "max_duration"
    assert 0 < measurement.count < 50


def test_throughput_counts_items() -> None:
    operation = sp.Operation(lambda: time.sleep(0.001), items=500, item_unit="votes")
    measurement = sp.measure(operation, **QUICK)
    rate = measurement.throughput()
    assert rate.value == pytest.approx(500e9 / measurement.samples_ns.mean())
    assert rate.low is not None
    assert rate.high is not None
    assert rate.low < rate.value < rate.high


def test_an_exception_passes_through_with_its_traceback() -> None:
    def broken() -> None:
        raise LookupError("no such vote")

    with pytest.raises(LookupError, match="no such vote") as caught:
        sp.measure(broken, **QUICK)
    assert "broken" in [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]


def test_an_exception_after_a_while_ends_the_measurement() -> None:
    calls = 0

    def broken_later() -> None:
        nonlocal calls
        calls += 1
        if calls == 500:
            raise LookupError("late")

    with pytest.raises(LookupError, match="late"):
        sp.measure(broken_later, warmup_s=0, max_duration_s=5, batch=1)
    assert calls == 500


def test_with_a_histogram_no_samples_are_kept() -> None:
    measurement = sp.measure(lambda: time.sleep(0.001), keep_samples=False, **QUICK)
    assert len(measurement.samples_ns) == 0
    assert measurement.histogram is not None
    assert measurement.count == measurement.histogram.count > 10
    summary = measurement.summary()
    assert summary.p50.value == pytest.approx(measurement.histogram.quantile(0.5) / 1000)
    assert 1e6 <= summary.min <= summary.p50.value <= summary.max
    assert "histogram" in summary.p50.method


def test_verification_runs_after_the_sampling() -> None:
    done: list[int] = []

    def verify() -> int:
        return len(done)

    operation = sp.Operation(lambda: done.append(1), verify=verify)
    measurement = sp.measure(operation, **QUICK)
    assert measurement.verification == (len(done), True)


def test_wrong_results_are_an_error_that_keeps_the_measurement() -> None:
    def verify() -> int:
        raise VerificationFailed("42 is not 43")

    with pytest.raises(VerificationFailed, match="42 is not 43") as caught:
        sp.measure(sp.Operation(empty, verify=verify), **QUICK)
    assert isinstance(caught.value.measurement, sp.Measurement)
    assert caught.value.measurement.verification == (0, False)


def test_ctrl_c_during_the_verification_keeps_all_samples() -> None:
    def verify() -> int:
        signal.raise_signal(signal.SIGINT)
        return 1

    operation = sp.Operation(lambda: None, name="work", verify=verify)
    with pytest.raises(sp.Interrupted, match=r"work: interrupted while \d+ samples") as caught:
        sp.measure(operation, warmup_s=0, max_duration_s=0.02, precision=0)
    assert isinstance(caught.value.measurement, sp.Measurement)
    assert caught.value.measurement.stopped_because == "max_duration"
    assert caught.value.measurement.count > 100
    assert caught.value.measurement.verification is None


def test_a_native_check_is_used() -> None:
    measurement = sp.measure(sp.clock.read_operation(), **QUICK)
    assert measurement.verification is not None
    assert measurement.verification.checked > 0


def test_measuring_in_a_thread_works() -> None:
    results: list[sp.Measurement] = []
    thread = threading.Thread(target=lambda: results.append(sp.measure(empty, **QUICK)))
    thread.start()
    thread.join()
    assert results[0].count >= 50


def test_a_measured_callable_may_measure() -> None:
    def nested() -> None:
        sp.measure(empty, warmup_s=0, max_duration_s=0.001, min_iterations=1)

    assert sp.measure(nested, **QUICK).count > 1


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("warmup_s", -1.0),
        ("warmup_s", math.nan),
        ("warmup_s", math.inf),
        ("max_duration_s", 0.0),
        ("max_duration_s", math.nan),
        ("max_duration_s", "long"),
        ("precision", -0.1),
        ("precision", math.nan),
        ("quantile", 0.0),
        ("quantile", 1.0),
        ("quantile", math.nan),
        ("min_iterations", 0),
        ("min_iterations", 1.5),
        ("min_iterations", True),
        ("batch", 0),
    ],
)
def test_bad_arguments_are_named(argument: str, value: object) -> None:
    arguments: dict[str, Any] = {argument: value}
    with pytest.raises(InvalidParameter, match=argument) as caught:
        sp.measure(empty, **arguments)
    assert repr(value) in str(caught.value)


def test_what_is_no_operation_is_refused() -> None:
    with pytest.raises(InvalidParameter, match=says("work:", "callable")):
        sp.measure(cast("sp.Operation", 42))
    with pytest.raises(InvalidParameter, match="items"):
        sp.Operation(empty, items=math.nan)


def test_a_measurement_shows_itself() -> None:
    measurement = sp.measure(empty, name="<nothing>", **QUICK)
    assert "p50" in repr(measurement)
    assert "&lt;nothing&gt;" in measurement._repr_html_()


def test_a_measurement_can_be_plotted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="needs the extra plot")
    axes = sp.measure(empty, **QUICK).plot()
    assert "samples" in axes.get_title()
    pyplot.close("all")


def test_stray_samples_and_wide_intervals_do_not_stretch_a_plot(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MPLBACKEND", "agg")
    pyplot = pytest.importorskip("matplotlib.pyplot", reason="needs the extra plot")
    samples = np.linspace(100.0, 110.0, 1000)
    # The upper bound of p99 is one of these.
    samples[-8:] = 1e7
    measurement = sp.Measurement("work", np.random.default_rng(1).permutation(samples))
    assert measurement.quantile(0.99).high == 1e7
    left, right = measurement.plot().get_xlim()
    assert 95 < left < 100
    assert 110 < right < 150
    assert sp.Measurement("same", np.full(100, 5.0)).plot().get_xlabel().endswith("right)")
    pyplot.close("all")


def test_a_measurement_can_be_pickled() -> None:
    measurement = sp.measure(empty, **QUICK)
    copy = pickle.loads(pickle.dumps(measurement))
    assert np.array_equal(copy.samples_ns, measurement.samples_ns)
    assert copy.summary() == measurement.summary()


def test_details_tell_how_the_work_was_done() -> None:
    details = {"chosen": "fast", "figures": {"fast": 1.5, "slow": 2}}
    measurement = sp.measure(sp.Operation(empty, details=lambda: details), **QUICK)
    assert measurement.details == details
    assert "<th style='text-align:left'>chosen</th><td>fast</td>" in measurement._repr_html_()
    assert sp.measure(sp.Operation(empty, details={"a": 1}), **QUICK).details == {"a": 1}
    assert sp.measure(empty, **QUICK).details == {}


def test_details_that_json_cannot_hold_are_named() -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^details: JSON cannot hold 'chosen' of empty"):
        sp.measure(sp.Operation(empty, details={"fine": 1, "chosen": object()}), **QUICK)


def test_sampling_ends_when_a_file_could_hold_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sampling, "MOST_NUMBERS", 5000)
    options: dict[str, Any] = {"warmup_s": 0, "max_duration_s": 30, "precision": 0}
    measurement = sp.measure(lambda: None, **options)
    assert measurement.count == 5000
    assert measurement.stopped_because == "max_samples"
    assert "max_samples" in repr(measurement)
    with pytest.raises(sp.InvalidParameter, match=r"min_iterations: .*5000, got 5001"):
        sp.measure(lambda: None, min_iterations=5001)
    # A histogram has the same size however many there are.
    options["precision"] = 0.5
    counted = sp.measure(lambda: None, min_iterations=5001, keep_samples=False, **options)
    assert counted.stopped_because != "max_samples"
    assert counted.count > 5000


@pytest.mark.parametrize("argument", ["warmup_s", "max_duration_s"])
def test_what_would_last_longer_than_anything_is_refused(argument: str) -> None:
    too_long: dict[str, Any] = {argument: 3_600_001}
    with pytest.raises(sp.InvalidParameter, match=rf"{argument}: .*3\.6e\+06, got 3600001"):
        sp.measure(lambda: None, **too_long)


async def _coroutine() -> None:
    await asyncio.sleep(0)


async def _stream() -> AsyncIterator[int]:
    yield 1


def _numbers() -> Iterator[int]:
    yield 1


class _Called:
    """An object whose call is a function of this module."""

    def __init__(self, function: Any) -> None:
        self.function = function

    async def __call__(self) -> None:
        await self.function()


@pytest.mark.parametrize(
    "function",
    [_stream, _numbers, functools.partial(_numbers), lambda: _numbers(), lambda: _stream()],
)
def test_what_does_its_work_after_the_call_is_refused(function: Callable[[], object]) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("work:", "generator", "runs it")):
        sp.measure(function, **QUICK)


def test_a_function_that_returns_a_coroutine_is_refused() -> None:
    with pytest.raises(sp.InvalidParameter, match=says("work:", "coroutine", "function itself")):
        sp.measure(lambda: _coroutine(), **QUICK)


def test_a_coroutine_can_run_once_only() -> None:
    called: Any = _coroutine()
    with pytest.raises(sp.InvalidParameter, match=says("work:", "once", "function")):
        sp.measure(called)


@pytest.mark.parametrize(
    "function", [_coroutine, functools.partial(_coroutine), _Called(_coroutine)]
)
def test_each_call_of_a_coroutine_function_is_awaited(function: Any) -> None:
    measured = sp.measure(function, **QUICK)
    assert measured.details["event_loop_ns"] > 0


def test_coroutines_run_in_order_and_to_their_end() -> None:
    done: list[int] = []

    async def step() -> None:
        number = len(done)
        await asyncio.sleep(0)
        done.append(number)

    measured = sp.measure(step, **QUICK)
    assert done == list(range(len(done)))
    assert len(done) == measured.warmup.iterations + measured.batch * len(measured.samples_ns)


def test_coroutines_are_measured_while_another_loop_runs() -> None:
    async def notebook() -> int:
        measured = sp.measure(_coroutine, **QUICK)
        await asyncio.sleep(0)
        return len(measured.samples_ns)

    assert asyncio.run(notebook()) > 0


def test_an_error_of_a_coroutine_is_raised() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise KeyError("gone")

    with pytest.raises(KeyError, match="gone"):
        sp.measure(fail, **QUICK)


def test_what_an_interrupt_leaves_in_the_loop_is_cancelled() -> None:
    ended = []

    async def wait() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(1000)
        finally:
            ended.append(True)

    with pytest.raises(KeyboardInterrupt):
        sp.measure(wait, **QUICK)
    gc.collect()
    assert ended == [True]


@pytest.mark.parametrize(("kind", "named"), [("trace", "trace"), ("profile", "profile")])
def test_an_active_tracer_is_warned_of(kind: str, named: str) -> None:
    before = getattr(sys, f"get{kind}")()
    try:
        getattr(sys, f"set{kind}")(lambda *_: None)
        with pytest.warns(RuntimeWarning, match=says(named, "function", "without it")):
            sp.measure(lambda: sum(range(100)), **QUICK)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            # Its loop does not pass through Python.
            sp.measure(_core.operation.empty(), **QUICK)
    finally:
        getattr(sys, f"set{kind}")(before)


def test_coroutines_are_measured_in_fresh_processes() -> None:
    measured = sp.measure(_coroutine, processes=2, **QUICK)
    assert measured.details["event_loop_ns"] > 0
