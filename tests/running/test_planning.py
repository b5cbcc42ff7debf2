"""Plans: which cases, how long, how many bytes."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.running import PRESETS, Plan, Registry, make_plan, make_request


def work(**_: object) -> Callable[[], None]:
    return lambda: None


@pytest.fixture
def registry(benchmarks: Registry) -> Registry:
    sp.benchmark(
        "kv.put",
        params={"size": [64, 4096], "share": [0, 0.5], "sync": [True], "mode": ["a"]},
        backends=("cpu", "cuda", "reference"),
        disk_bytes=lambda size, **_: 10 * size,
    )(work)
    sp.benchmark("kv.get", params={"size": [1]})(work)
    return benchmarks


def plan(registry: Registry, select: Any = "kv.put", saves: bool = False, **asked: Any) -> Plan:
    defaults: dict[str, Any] = {
        "preset": "quick",
        "backend": "auto",
        "params": None,
        "iterations": None,
        "duration_s": None,
        "warmup_s": None,
        "profile": False,
    }
    return make_plan(make_request(select, **{**defaults, **asked}), registry, saves=saves)


def test_auto_takes_every_backend_but_the_reference(registry: Registry, without_cuda: str) -> None:
    cases = plan(registry).cases
    assert [case.backend for case in cases] == ["cpu"] * 4 + ["cuda"] * 4
    assert all(case.skip_reason is None for case in cases[:4])
    assert all(case.skip_reason == without_cuda for case in cases[4:])


def test_the_reference_is_measured_when_asked_for(registry: Registry) -> None:
    assert {case.backend for case in plan(registry, backend="reference").cases} == {"reference"}


def test_a_benchmark_without_the_backend_is_skipped_visibly(registry: Registry) -> None:
    cases = plan(registry, "kv.*", backend="reference").cases
    reasons = {case.benchmark.name: case.skip_reason for case in cases}
    assert reasons == {"kv.get": "kv.get has no backend reference", "kv.put": None}


def test_seconds_and_bytes_add_up(registry: Registry) -> None:
    sampling = PRESETS["quick"].sampling
    one = sampling.warmup_s + sampling.max_duration_s
    unsaved, saved = plan(registry), plan(registry, saves=True)
    assert unsaved.seconds == pytest.approx(4 * one, rel=0.5)
    assert unsaved.seconds > 4 * one
    assert unsaved.bytes == 2 * 10 * (64 + 4096)
    assert saved.bytes > unsaved.bytes


def test_the_plan_counts_what_a_benchmark_declares_of_its_duration(benchmarks: Registry) -> None:
    sp.benchmark(
        "kv.fill",
        params={"size": [2, 3]},
        disk_bytes=lambda size, duration_s: size * duration_s * 100,
        setup_s=lambda size: 60 * size,
    )(work)
    sp.benchmark("kv.load", setup_s=20)(work)
    assert plan(benchmarks, "kv.fill", duration_s=4.0).bytes == (2 + 3) * 4 * 100
    assert 300 < plan(benchmarks, "kv.fill", duration_s=4.0).seconds < 320
    assert 20 < plan(benchmarks, "kv.load").seconds < 24


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ({"check": lambda sise: None}, r"^check: kv.bad has no parameter 'sise'; .*'size'"),
        ({"check": 3}, r"^check: expected a function of the parameters of kv.bad, got 3"),
        ({"check": lambda duration_s: None}, r"^check: kv.bad has no parameter 'duration_s'"),
        ({"setup_s": -1}, r"^setup_s: .* -1"),
        ({"disk_bytes": "5"}, r"^disk_bytes: .* '5'"),
    ],
)
def test_what_a_benchmark_declares_of_itself_is_checked(
    benchmarks: Registry, declared: dict[str, Any], message: str
) -> None:
    def planned() -> float:
        sp.benchmark("kv.bad", params={"size": [1]}, **declared)(work)
        bad = plan(benchmarks, "kv.bad")
        return bad.seconds + bad.bytes

    with pytest.raises(sp.InvalidParameter, match=message):
        planned()


def test_what_a_benchmark_declares_may_take_any_of_the_parameters(benchmarks: Registry) -> None:
    sp.benchmark("kv.put", params={"size": [1]}, setup_s=lambda: 5, check=lambda **_: None)(work)
    assert 5 < plan(benchmarks, "kv.put").seconds < 10


def test_a_benchmarks_own_check_refuses_a_plan_before_anything_is_run(registry: Registry) -> None:
    def small(size: int) -> None:
        if size > 100:
            raise sp.InvalidParameter(f"size: {size} is too large; choose at most 100")

    sp.benchmark(
        "kv.scan",
        params={"size": [1, 100], "mode": ["a"]},
        backends=("cpu", "cuda"),
        backend_params={"cuda": {"stream": [0]}},
        check=small,
    )(work)
    assert len(plan(registry, "kv.scan", backend="auto").cases) == 4
    with pytest.raises(sp.InvalidParameter, match="size: 101 is too large"):
        plan(registry, "kv.*", params={"size": [1, 101]})


def test_the_quick_preset_is_quick() -> None:
    quick, ci, standard = (PRESETS[name].sampling for name in ("quick", "ci", "standard"))
    assert 16 * (quick.warmup_s + quick.max_duration_s) < 20
    # The claims speak of p95: a first look, too, goes on until it has an interval.
    assert quick.quantile == 0.95
    assert ci.max_duration_s < quick.max_duration_s
    assert (standard.warmup_s, standard.min_iterations) == (10.0, 1000)


def test_what_the_user_asks_for_wins_over_the_preset(registry: Registry) -> None:
    sampling = plan(registry, iterations=5, warmup_s=0, duration_s=2).cases[0].sampling
    assert (sampling.min_iterations, sampling.warmup_s, sampling.max_duration_s) == (5, 0, 2)
    assert sampling.precision == 0
    assert plan(registry, iterations=5).cases[0].sampling.precision > 0


def test_parameters_of_one_backend_make_cases_of_that_backend_alone(
    benchmarks: Registry, without_cuda: str
) -> None:
    sp.benchmark(
        "kv.put",
        params={"size": [1, 2]},
        backend_params={"cuda": {"mode": ["graph", "launch"]}},
        backends=("cpu", "cuda"),
        disk_bytes=lambda size: 10 * size,
    )(lambda size, mode="none": lambda: None)
    keys = [case.key for case in plan(benchmarks, "kv.put", params={"mode": "graph"}).cases]
    assert keys == [
        "kv.put[backend=cpu,size=1]",
        "kv.put[backend=cpu,size=2]",
        "kv.put[backend=cuda,mode=graph,size=1]",
        "kv.put[backend=cuda,mode=graph,size=2]",
    ]
    assert plan(benchmarks, "kv.put").bytes == 30
    with pytest.raises(sp.InvalidParameter, match="none of the selected benchmarks has 'mode'"):
        plan(benchmarks, "kv.put", backend="cpu", params={"mode": "graph"})


@pytest.mark.parametrize(
    ("name", "given", "expected"),
    [
        ("size", "128", 128),
        ("size", 128.0, 128),
        ("size", "1e3", 1000),
        ("share", "0.25", 0.25),
        ("share", 1, 1.0),
        ("sync", "false", False),
        ("mode", 5, "5"),
    ],
)
def test_values_become_what_was_declared(
    registry: Registry, name: str, given: object, expected: object
) -> None:
    values = {case.params[name] for case in plan(registry, params={name: given}).cases}
    assert values == {expected}
    assert {type(value) for value in values} == {type(expected)}


def test_equal_values_are_one_case(registry: Registry) -> None:
    cases = plan(registry, "kv.get", params={"size": ["1", 1, 1.0]}).cases
    assert [case.key for case in cases] == ["kv.get[backend=cpu,size=1]"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"preset": "quik"}, "did you mean 'quick'"),
        ({"backend": "cud"}, "did you mean 'cuda'"),
        ({"select": "kv.pt"}, "did you mean 'kv.put'"),
        ({"params": {"sizes": 1}}, "did you mean 'size'"),
        ({"params": {"size": []}}, "no values"),
        ({"params": {"size": "big"}}, "'size' is a number, got 'big'"),
        ({"params": {"size": "nan"}}, "'size' is a number, got 'nan'"),
        ({"params": {"size": 1.5}}, "whole number"),
        ({"params": {"sync": "maybe"}}, "true or false"),
        ({"iterations": 0}, "iterations: .*got 0"),
        ({"iterations": 1.5}, "iterations"),
        ({"duration_s": math.nan}, "duration_s: .*got nan"),
        ({"duration_s": 0}, "duration_s"),
        ({"duration_s": 1e9}, r"duration_s: .*at most 3\.6e\+06, got 1000000000\.0"),
        ({"warmup_s": 3_600_001}, r"warmup_s: .*at most 3\.6e\+06, got 3600001"),
        ({"iterations": 2**26 + 1}, "iterations: .*at most 67108864, got 67108865"),
        ({"warmup_s": -1}, "warmup_s"),
        ({"warmup_s": math.inf}, "warmup_s"),
        ({"warmup_s": "1"}, "warmup_s"),
    ],
)
def test_wrong_requests_name_the_argument(
    registry: Registry, asked: dict[str, Any], message: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        plan(registry, **asked)


def test_a_backend_that_cannot_run_is_an_error_when_asked_for(
    registry: Registry, without_cuda: str
) -> None:
    with pytest.raises(sp.BackendUnavailable, match=without_cuda):
        plan(registry, backend="cuda")
    with pytest.raises(sp.BackendUnavailable, match="none of the selected"):
        plan(registry, "kv.get", backend="reference")


def test_nothing_registered_is_said(benchmarks: Registry) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"none is registered"):
        plan(benchmarks, None)
