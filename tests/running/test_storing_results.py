"""Whatever a benchmark says of itself is refused with its name, or stored so that it loads."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf.operation import Observed
from stratoperf.running import Registry, registry, runner

FAST: dict[str, Any] = {"preset": "ci", "warmup_s": 0.0, "duration_s": 0.001, "iterations": 1}


def work() -> None:
    """Do nothing."""


def nested(depth: int) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for _ in range(depth):
        tree = {"deeper": tree}
    return tree


class Opaque:
    """Nothing that JSON could hold."""


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("name", 5),
        ("name", ""),
        ("name", "bell\a"),
        ("name", "nul\0"),
        ("name", "\udcff"),
        ("items", 0),
        ("items", math.nan),
        ("items", "5"),
        ("items", True),
        ("items", None),
        ("items", 10**400),
        ("item_unit", 5),
        ("item_unit", None),
        ("item_unit", "\udcff"),
        ("item_unit", "line\nfeed"),
        ("verify", 5),
        ("observe", {}),
        ("details", 5),
        ("details", [("key", 1)]),
        ("max_iterations", 0),
        ("max_iterations", 2.0),
        ("max_iterations", 2**64),
    ],
)
def test_an_operation_refuses_what_no_result_can_hold(argument: str, value: Any) -> None:
    with pytest.raises(sp.InvalidParameter, match=f"^{argument}: "):
        sp.Operation(work, **{argument: value})


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("name", 5),
        ("name", "nul\0"),
        ("name", "\udcff"),
        ("params", [1]),
        ("params", {5: [1]}),
        ("params", {"a=b": [1]}),
        ("params", {"size": ["\udcff"]}),
        ("params", {"size": ["nul\0"]}),
        ("params", {"size": [10**5000]}),
        ("params", {"size": [2**64]}),
        ("params", {"size": [math.nan]}),
        ("params", {"size": [None]}),
        ("backend_params", 5),
        ("backend_params", {"cpu": 5}),
        ("backends", 5),
        ("backends", [5]),
        ("version", "one"),
        ("version", -1),
        ("category", 5),
        ("category", "\udcff"),
        ("target", 5),
        ("target", [5]),
        ("items", -1),
        ("item_unit", 5),
        ("sustained_s", math.inf),
    ],
)
def test_a_declaration_refuses_what_no_result_can_hold(
    benchmarks: Registry, argument: str, value: Any
) -> None:
    declared = {"name": "x", argument: value}
    with pytest.raises(sp.InvalidParameter, match=f"^{argument}: ") as caught:
        sp.benchmark(declared.pop("name"), **declared)(lambda **_: work)
    assert len(str(caught.value)) < 500
    assert not benchmarks.all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"details": lambda: 5}, "details: "),
        ({"details": {5: 1}}, "details: "),
        ({"details": {"key": Opaque()}}, "details: .*'key'"),
        ({"details": {"key": "\udcff"}}, "details: .*'key'"),
        ({"details": {"key": nested(100_000)}}, "details: .*'key'"),
        ({"observe": lambda: 5}, "observe: "),
        ({"observe": lambda: {5: 1}}, "observe: "),
        ({"observe": lambda: {"heat": 1}}, "observe: 'heat'"),
        ({"observe": lambda: {"latency": Observed("K", "lower", [1.0])}}, "observe: 'latency'"),
        ({"observe": lambda: {"heat": Observed("K", "colder", [1.0])}}, "observe: 'heat'"),  # type: ignore[arg-type]
        ({"observe": lambda: {"heat": Observed(5, "lower", [1.0])}}, "observe: 'heat'"),  # type: ignore[arg-type]
        ({"observe": lambda: {"heat": Observed("K", "lower", [])}}, "observe: 'heat'"),
        ({"observe": lambda: {"heat": Observed("K", "lower", [[1.0]])}}, "observe: 'heat'"),
        ({"observe": lambda: {"heat": Observed("K", "lower", [math.nan])}}, "observe: 'heat'"),
        ({"observe": lambda: {"heat": Observed("K", "lower", ["x"])}}, "observe: 'heat'"),
        ({"observe": lambda: {"heat": Observed("K", "lower", [10**400])}}, "observe: 'heat'"),
        ({"verify": lambda: None}, "verify: .*None"),
        ({"verify": lambda: True}, "verify: .*True"),
        ({"verify": lambda: -1}, "verify: .*-1"),
        ({"verify": lambda: 2**64}, "verify: "),
    ],
)
@pytest.mark.usefixtures("benchmarks")
def test_what_a_benchmark_says_too_late_fails_it_by_name(
    tmp_path: Path, options: dict[str, Any], words: str
) -> None:
    sp.benchmark("a.bad")(lambda: sp.Operation(work, **options))
    sp.benchmark("b.good")(lambda: work)
    bad, good = sp.run(None, output=tmp_path, **FAST).results
    assert (bad.status, good.status) == ("failed", "ok")
    assert bad.reason is not None
    assert re.match(words, bad.reason), bad.reason
    assert [each.reason for each in sp.load(tmp_path / "latest.json").results] == [bad.reason, None]


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("item_unit", 5), ("items", "many"), ("items", 10**400), ("name", Opaque())],
)
@pytest.mark.usefixtures("benchmarks")
def test_what_is_changed_behind_our_back_fails_before_it_is_stored(
    tmp_path: Path, attribute: str, value: Any
) -> None:
    def sly() -> sp.Operation:
        operation = sp.Operation(work)
        setattr(operation, attribute, value)
        return operation

    sp.benchmark("x")(sly)
    (result,) = sp.run("x", output=tmp_path, **FAST).results
    assert result.status == ("ok" if attribute == "name" else "failed")
    (loaded,) = sp.load(tmp_path / "latest.json").results
    assert loaded.reason == result.reason


ANY_TEXT = st.text(
    st.characters(exclude_categories=()) | st.sampled_from("\0\udc80\x1b[\u202e\u2028\n"),
    max_size=20,
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT | st.binary(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT | st.integers(), inner),
    max_leaves=8,
)
NUMBERS: list[Any] = [0, 1, 2.5, True, None, "1", np.int64(3), np.float32(2), 2**64, -1, math.inf]


def named(**options: Any) -> Callable[[], sp.Operation]:
    return lambda: sp.Operation(work, **options)


def failing(message: str) -> Callable[[], sp.Operation]:
    def fail() -> sp.Operation:
        raise RuntimeError(message)

    return fail


MADE: st.SearchStrategy[Callable[[], Any]] = st.one_of(
    st.builds(lambda text: named(name=text), ANY_TEXT),
    st.builds(lambda text: named(item_unit=text), ANY_TEXT),
    st.builds(lambda number: named(items=number), st.sampled_from(NUMBERS)),
    st.builds(lambda tree: named(details=tree), st.dictionaries(ANY_TEXT, JSON)),
    st.builds(lambda tree: named(details=lambda: tree), JSON),
    st.builds(
        lambda name, unit, samples: named(observe=lambda: {name: Observed(unit, "lower", samples)}),
        ANY_TEXT,
        ANY_TEXT,
        st.lists(st.floats(), max_size=3) | JSON,
    ),
    st.builds(lambda outcome: named(verify=lambda: outcome), JSON),
    st.builds(failing, ANY_TEXT),
    st.builds(lambda value: lambda: value, JSON),
)

_NUMBERS = itertools.count()


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(made=st.lists(MADE, min_size=1, max_size=3))
def test_whatever_is_written_loads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, made: list[Callable[[], Any]]
) -> None:
    only = Registry()
    monkeypatch.setattr(registry, "REGISTRY", only)
    monkeypatch.setattr(runner, "REGISTRY", only)
    for number, function in enumerate(made):
        sp.benchmark(f"case{number}")(lambda function=function: function())
    directory = tmp_path / str(next(_NUMBERS))
    run = sp.run(None, output=directory, **FAST)
    loaded = sp.load(directory / "latest.json")
    assert [each.status for each in loaded.results] == [each.status for each in run.results]
    assert [each.reason for each in loaded.results] == [each.reason for each in run.results]
    assert [each.details for each in loaded.results] == [each.details for each in run.results]
