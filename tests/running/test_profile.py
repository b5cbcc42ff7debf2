"""Profiles: what they tell, and that they cost the measurement nothing."""

from __future__ import annotations

import errno
import signal
from typing import Any, NamedTuple

import pytest

import stratoperf as sp
from stratoperf.running import Registry, profile

pytestmark = pytest.mark.usefixtures("benchmarks")


class Count(NamedTuple):
    """As `stratoperf._core.perf_counters.PerfCount`."""

    name: str
    value: float
    error: int


def spend() -> int:
    """Take a while, in a function that a profile can name."""
    return sum(range(200))


def run(**options: Any) -> sp.Run:
    return sp.run(
        "x.spend", preset="ci", duration_s=0.05, warmup_s=0.0, **{"profile": True, **options}
    )


@pytest.fixture(autouse=True)
def declared(benchmarks: Registry) -> None:
    sp.benchmark("x.spend")(lambda: lambda: spend())


def test_every_event_is_counted_or_says_why_not() -> None:
    found = run().results[0].profile
    assert found is not None
    assert found["iterations"] > 100
    assert {"cycles", "instructions", "cache misses", "involuntary switches"} <= set(
        found["counters"]
    )
    for entry in found["counters"].values():
        assert (entry["per_iteration"] is None) == bool(entry.get("why"))


def test_the_functions_of_a_python_callable_are_named() -> None:
    found = run().results[0].profile
    assert found is not None
    by_name = {row["function"]: row for row in found["functions"]}
    assert by_name["spend"]["file"] == "test_profile.py"
    assert by_name["spend"]["calls_per_iteration"] == pytest.approx(1.0)
    assert by_name["<built-in method builtins.sum>"]["own_ns_per_iteration"] > 0


def test_a_native_operation_has_counters_alone() -> None:
    sp.benchmark("x.clock")(lambda: sp.clock.read_operation())
    found = sp.run("x.clock", preset="ci", duration_s=0.05, warmup_s=0.0, profile=True)
    assert found.results[0].profile is not None
    assert "functions" not in found.results[0].profile


def test_without_being_asked_for_there_is_none() -> None:
    assert run(profile=False).results[0].profile is None


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (errno.EACCES, "perf_event_paranoid"),
        (errno.ENOENT, "virtual machines"),
        (errno.ENOSYS, "no perf_event_open"),
        (errno.EMFILE, "Too many open files"),
    ],
)
def test_an_event_that_is_refused_has_no_number(
    monkeypatch: pytest.MonkeyPatch, error: int, hint: str
) -> None:
    class Refused:
        def start(self) -> None:
            pass

        def stop(self) -> list[Count]:
            return [Count("cycles", 0.0, error), Count("instructions", 0.0, error)]

    monkeypatch.setattr(profile, "PerfCounters", Refused)
    found = run().results[0].profile
    assert found is not None
    assert found["counters"]["cycles"]["per_iteration"] is None
    assert hint in found["counters"]["cycles"]["why"]
    assert found["instructions_per_cycle"] is None


def test_the_ratio_of_counted_events_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    class Counting:
        def start(self) -> None:
            pass

        def stop(self) -> list[Count]:
            return [Count("cycles", 1e6, 0), Count("instructions", 3e6, 0)]

    monkeypatch.setattr(profile, "PerfCounters", Counting)
    found = run().results[0].profile
    assert found is not None
    assert found["instructions_per_cycle"] == pytest.approx(3.0)


@pytest.mark.parametrize("pressed", [True, False])
def test_a_profile_that_fails_does_not_take_the_measurement_away(
    monkeypatch: pytest.MonkeyPatch, pressed: bool
) -> None:
    def fail(*arguments: object) -> None:
        if pressed:
            signal.raise_signal(signal.SIGINT)
        raise RuntimeError("broken")

    monkeypatch.setattr(profile, "take_profile", fail)
    if pressed:
        with pytest.raises(sp.Interrupted) as ending:
            run()
        assert isinstance(ending.value.run, sp.Run)
        result = ending.value.run.results[0]
    else:
        result = run().results[0]
    assert result.status == "ok"
    assert result.metrics["latency"].statistic("p50") is not None
    assert result.profile is not None
    assert ("interrupted" if pressed else "broken") in result.profile["why"]
