"""Benchmarks that raise anything: each fails alone, and all that runs is stored and loads."""

from __future__ import annotations

import asyncio
import builtins
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp

FAST: dict[str, Any] = {"preset": "ci", "warmup_s": 0.0, "duration_s": 0.02}

pytestmark = pytest.mark.usefixtures("benchmarks")


class OwnBase(BaseException):
    """What nobody expects."""


class Unspeakable(Exception):
    """Cannot be shown."""

    def __str__(self) -> str:
        raise OwnBase

    __repr__ = __str__


class NotAString(Exception):
    """Is shown as no string."""

    def __str__(self) -> str:
        return 5  # type: ignore[return-value]


class Text(str):
    """A string that cannot be used."""

    __slots__ = ()

    def encode(self, *arguments: Any) -> bytes:
        raise OwnBase

    def __format__(self, specification: str) -> str:
        raise OwnBase


class Shown(Exception):
    """Is shown as a string that cannot be used."""

    def __str__(self) -> str:
        return Text("as text")


class Meta(type):
    """Has no name."""

    @property
    def __name__(cls) -> str:  # type: ignore[override]
        raise OwnBase


class Nameless(Exception, metaclass=Meta):
    """Its type does not tell its name."""


class Untouchable(Exception):
    """Has no attributes: no traceback, no class."""

    def __getattribute__(self, name: str) -> Any:
        raise OwnBase


class HostileFailure(sp.VerificationFailed):
    """Has no measurement."""

    def __getattribute__(self, name: str) -> Any:
        raise OwnBase


def endless() -> None:
    endless()


def raising(make: Callable[[], BaseException]) -> Callable[[], None]:
    def work() -> None:
        raise make()

    return work


RAISED: dict[str, Callable[[], BaseException]] = {
    "CancelledError": asyncio.CancelledError,
    "GeneratorExit": GeneratorExit,
    "Skipped": lambda: pytest.skip.Exception("not today"),
    "SystemExit": lambda: SystemExit(0),
    "KeyboardInterrupt": lambda: KeyboardInterrupt("own"),
    "Interrupted": lambda: sp.Interrupted("own"),
    "StopIteration": StopIteration,
    "StopAsyncIteration": StopAsyncIteration,
    "OwnBase": OwnBase,
    "Unspeakable": Unspeakable,
    "NotAString": NotAString,
    "as text": Shown,
    "Nameless": Nameless,
    "Untouchable": Untouchable,
    "MemoryError": MemoryError,
    "megabytes": lambda: ValueError("megabytes " * 1_000_000),
    r"\udcff": lambda: ValueError("\udcff"),
    "nothing is right": lambda: HostileFailure("nothing is right"),
    "UnicodeDecodeError": lambda: UnicodeDecodeError("utf-8", b"\xff", 0, 1, "bad"),
}

PHASES = ("setup", "work", "verify", "details", "observe", "teardown")


def misbehaving(phase: str, misbehave: Callable[[], Any]) -> Callable[[], Iterator[sp.Operation]]:
    """Return a benchmark that does something in one of its phases."""

    def benchmark() -> Iterator[sp.Operation]:
        def when(now: str, outcome: Any) -> Any:
            if now == phase:
                misbehave()
            return outcome

        when("setup", None)
        yield sp.Operation(
            lambda: when("work", None),
            verify=lambda: when("verify", 1),
            details=lambda: when("details", {}),
            observe=lambda: when("observe", {}),
        )
        when("teardown", None)

    return benchmark


@pytest.mark.parametrize("phase", PHASES)
def test_whatever_a_benchmark_raises_fails_it_alone(tmp_path: Path, phase: str) -> None:
    for number, make in enumerate(RAISED.values()):
        sp.benchmark(f"a.bad{number:02}")(misbehaving(phase, raising(make)))
    sp.benchmark("b.good")(lambda: lambda: None)
    run = sp.run(None, output=tmp_path, **FAST)
    *bad, good = run.results
    for result, word in zip(bad, RAISED, strict=True):
        assert (result.status, result.metrics, result.series) == ("failed", {}, ())
        assert result.reason is not None
        assert word in result.reason
        assert len(result.reason) < 3000
    assert good.status == "ok"
    loaded = sp.load(tmp_path / "latest.json")
    assert [result.reason for result in loaded.results] == [each.reason for each in run.results]
    # Nothing is left to be done.
    resumed = sp.run(resume=tmp_path / "latest.json")
    assert [result.status for result in resumed.results] == ["failed"] * len(bad) + ["ok"]


def test_a_deep_recursion_and_a_group_of_exceptions_fail_their_benchmark() -> None:
    sp.benchmark("a.deep")(lambda: endless)
    group: Any = getattr(builtins, "ExceptionGroup", None)
    if group is not None:
        sp.benchmark("b.group")(lambda: raising(lambda: group("two", [ValueError("x")])))
    for result in sp.run(None, **FAST).results:
        assert result.status == "failed"
        assert result.reason is not None
        assert "RecursionError" in result.reason or "ExceptionGroup: two" in result.reason


def twice() -> Iterator[Callable[[], None]]:
    try:
        yield lambda: None
    finally:
        yield lambda: None


def never() -> Iterator[Callable[[], None]]:
    yield from ()


@pytest.mark.parametrize(("generator", "words"), [(twice, "more than once"), (never, "without")])
def test_a_generator_must_yield_once(
    generator: Callable[[], Iterator[Callable[[], None]]], words: str
) -> None:
    sp.benchmark("x")(generator)
    (result,) = sp.run("x", **FAST).results
    assert result.status == "failed"
    assert result.reason is not None
    assert words in result.reason


@pytest.mark.parametrize("field", ["check", "disk_bytes", "setup_s"])
@pytest.mark.parametrize("make", [KeyboardInterrupt, OwnBase, Unspeakable, ZeroDivisionError])
def test_a_broken_function_of_the_declaration_fails_its_case(
    field: str, make: Callable[[], BaseException]
) -> None:
    broken: dict[str, Any] = {field: raising(make)}
    sp.benchmark("a.broken", **broken)(lambda: lambda: None)
    sp.benchmark("b.good")(lambda: lambda: None)
    bad, good = sp.run(None, **FAST).results
    assert (bad.status, good.status) == ("failed", "ok")
    assert bad.reason is not None
    assert bad.reason.startswith(f"{field} of a.broken: ")


@pytest.mark.parametrize(("field", "value"), [("setup_s", -5), ("disk_bytes", float("nan"))])
def test_a_function_of_the_declaration_that_returns_nonsense_fails_its_case(
    field: str, value: float
) -> None:
    nonsense: dict[str, Any] = {field: lambda: value}
    sp.benchmark("x", **nonsense)(lambda: lambda: None)
    (result,) = sp.run("x", **FAST).results
    assert result.status == "failed"
    assert result.reason is not None
    assert result.reason.startswith(f"{field} of x: ")
    assert str(value) in result.reason


@pytest.mark.parametrize("phase", PHASES)
@pytest.mark.parametrize("swallow", [True, False])
def test_ctrl_c_ends_the_run_even_where_the_benchmark_swallows_it(
    phase: str, swallow: bool
) -> None:
    def press() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            if not swallow:
                raise RuntimeError("something else") from None

    sp.benchmark("a.pressed")(misbehaving(phase, press))
    sp.benchmark("b.never")(lambda: lambda: None)
    with pytest.raises(sp.Interrupted) as caught:
        sp.run(None, **FAST)
    assert isinstance(caught.value.run, sp.Run)
    (result,) = caught.value.run.results
    assert (result.key, result.status) == ("a.pressed[backend=cpu]", "interrupted")


def test_what_a_handler_of_the_users_own_raises_ends_the_run_with_that() -> None:
    class Enough(Exception):
        pass

    def enough(*arguments: Any) -> None:
        raise Enough

    sp.benchmark("x")(misbehaving("work", lambda: signal.raise_signal(signal.SIGUSR1)))
    previous = signal.signal(signal.SIGUSR1, enough)
    try:
        with pytest.raises(Enough):
            sp.run("x", **FAST)
        assert signal.getsignal(signal.SIGUSR1) is enough
    finally:
        signal.signal(signal.SIGUSR1, previous)


def test_an_interrupt_in_a_measurement_within_a_check_is_not_taken_for_the_case() -> None:
    def check() -> int:
        sp.measure(
            misbehaving_once(lambda: signal.raise_signal(signal.SIGINT)),
            warmup_s=0,
            max_duration_s=5,
        )
        return 1

    sp.benchmark("x")(lambda: sp.Operation(lambda: None, verify=check))
    with pytest.raises(sp.Interrupted) as caught:
        sp.run("x", **FAST)
    assert isinstance(caught.value.run, sp.Run)
    (result,) = caught.value.run.results
    assert result.metrics["latency"].summary is not None
    assert result.metrics["latency"].summary.count > 500


def misbehaving_once(misbehave: Callable[[], None]) -> Callable[[], None]:
    calls = iter(range(10**9))

    def work() -> None:
        if next(calls) == 100:
            misbehave()

    return work
