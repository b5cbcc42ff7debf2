"""Plans: which cases, how long, how many bytes."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.running import PRESETS, REGISTRY, Case, Plan, Registry, make_plan, make_request
from stratoperf.running.origin import Origin
from stratoperf.running.presets import LEAST_PROCESSES
from wording import says


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
        "processes": None,
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
        ({"check": lambda sise: None}, says("check:", "kv.bad", "'sise'", "'size'")),
        ({"check": 3}, says("check:", "kv.bad", "3")),
        ({"check": lambda duration_s: None}, says("check:", "kv.bad", "'duration_s'")),
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
    with pytest.raises(sp.InvalidParameter, match=says("'mode'", "benchmarks")):
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
        ({"params": {"size": "big"}}, says("'size'", "'big'")),
        ({"params": {"size": "nan"}}, says("'size'", "'nan'")),
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
    with pytest.raises(sp.BackendUnavailable, match=says("backend", "selected")):
        plan(registry, "kv.get", backend="reference")


def test_nothing_registered_is_said(benchmarks: Registry) -> None:
    with pytest.raises(sp.InvalidParameter, match=says("@sp.benchmark")):
        plan(benchmarks, None)


def whole_catalogue(preset: str) -> list[Case]:
    """Return all cases of the suite, as on a machine that has every backend."""
    request = make_request(
        None,
        None,
        preset=preset,
        backend="auto",
        iterations=None,
        duration_s=None,
        warmup_s=None,
        profile=False,
    )
    cases = make_plan(request, REGISTRY, saves=True).cases
    # Without what another test may have declared.
    own = [case for case in cases if case.benchmark.function.__module__.startswith("stratoperf.")]
    return [dataclasses.replace(case, skip_reason=None) for case in own]


@pytest.mark.parametrize(("preset", "hours"), [("ci", 0.5), ("quick", 0.5), ("standard", 6)])
def test_all_of_the_suite_fits_into_the_time_of_its_preset(preset: str, hours: float) -> None:
    cases = whole_catalogue(preset)
    assert sum(case.seconds for case in cases) <= hours * 3600
    for case in cases:
        assert case.most >= case.least
        # Fewer only where it says why.
        assert (case.least < LEAST_PROCESSES) == (case.shortfall is not None)
        assert case.most == 1 or case.disk_bytes <= PRESETS[preset].disk_bytes


@pytest.fixture
def importable(benchmarks: Registry) -> Callable[..., Plan]:
    """Return a function that plans a benchmark as if a module had declared it."""

    def planned(asked: dict[str, Any], **declared: Any) -> Plan:
        sp.benchmark("kv.far", **declared)(work)
        known = dataclasses.replace(benchmarks.find("kv.far"), origin=Origin("far", "far.py", 0))
        benchmarks.remove("kv.far")
        benchmarks.add(known)
        return plan(benchmarks, "kv.far", **asked)

    return planned


def test_the_processes_of_a_case_share_what_is_asked_of_it(importable: Callable[..., Plan]) -> None:
    (case,) = importable(
        {"processes": 4, "iterations": 1000, "duration_s": 2.0, "warmup_s": 1.0}
    ).cases
    assert (case.least, case.most) == (4, 4)
    assert (case.share.min_iterations, case.share.max_duration_s) == (250, 0.5)
    assert case.share.warmup_s == 0.25


@pytest.mark.parametrize(
    ("asked", "least", "most"),
    [
        ({"preset": "standard"}, 6, 10),
        ({"preset": "quick"}, 6, 6),
        ({"duration_s": 1.0}, 6, 6),
        ({"duration_s": 60.0}, 30, 30),
        ({"duration_s": 3600.0}, 30, 30),
        ({"processes": 1}, 1, 1),
        ({"processes": 100, "duration_s": 1.0}, 100, 100),
    ],
)
def test_how_many_processes_there_are(
    importable: Callable[..., Plan], asked: dict[str, Any], least: int, most: int
) -> None:
    (case,) = importable(asked).cases
    assert (case.least, case.most, case.shortfall) == (least, most, None)


@pytest.mark.parametrize(("cases", "processes"), [(11, 500), (51, 100), (900, None)])
def test_more_processes_than_a_run_file_holds_are_refused(
    importable: Callable[..., Plan], cases: int, processes: int | None
) -> None:
    with pytest.raises(sp.InvalidParameter, match=r"^processes: .* [0-9,]+ cases .*fewer"):
        importable({"processes": processes}, params={"size": list(range(cases))}).check_total()


@pytest.mark.parametrize(
    ("declared", "most", "why"),
    [
        ({"setup_s": 8}, 2, "each takes about 8"),
        ({"setup_s": 100}, 1, "each takes about 10"),
        ({"disk_bytes": 0.9e9}, 2, says("0.9 GB", "GB")),
        ({"disk_bytes": 1e12}, 1, "each writes up to 1e[+]03 GB"),
    ],
)
def test_fewer_processes_are_planned_where_each_costs_much(
    importable: Callable[..., Plan], declared: dict[str, Any], most: int, why: str
) -> None:
    (case,) = importable({}, **declared).cases
    assert (case.least, case.most) == (most, most)
    with pytest.raises(AssertionError, match=why):
        raise AssertionError(case.shortfall)


def test_what_must_be_sustained_is_by_every_process(importable: Callable[..., Plan]) -> None:
    (case,) = importable({"preset": "standard"}, sustained_s=20).cases
    assert case.share.max_duration_s == 20
    assert case.share.precision == 0


def test_the_order_of_a_pass_follows_from_the_seed(registry: Registry) -> None:
    request = plan(registry, "kv.*").request
    one, same, other = (make_plan(request, registry, saves=False, seed=seed) for seed in (1, 1, 2))
    passes = [tuple(one.order(number)) for number in range(6)]
    assert passes == [tuple(same.order(number)) for number in range(6)]
    assert passes != [tuple(other.order(number)) for number in range(6)]
    assert all(sorted(order) == list(range(len(one.cases))) for order in passes)
    assert len(set(passes)) > 1
