"""Declaring, registering and selecting benchmarks."""

from __future__ import annotations

import importlib.metadata
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf.running import REGISTRY, PluginWarning, Registry
from stratoperf.running.keys import case_key
from wording import says


def nothing() -> None:
    pass


@pytest.mark.usefixtures("benchmarks")
class TestDeclaring:
    def test_a_backend_can_have_parameters_of_its_own(self) -> None:
        @sp.benchmark(
            "kv.put",
            params={"size": [64, 4096]},
            backend_params={"cuda": {"mode": ["graph", "launch"]}},
            backends=("cpu", "cuda"),
            target=sp.Target("device_time.p95", "<", 5, "us", where={"mode": "graph"}),
        )
        def kv_put(size: int, mode: str = "none") -> Callable[[], None]:
            assert (size, mode) == (64, "graph")
            return nothing

        assert list(kv_put.combinations({}, "cpu")) == [{"size": 64}, {"size": 4096}]
        assert list(kv_put.combinations({"size": (1,)}, "cuda")) == [
            {"size": 1, "mode": "graph"},
            {"size": 1, "mode": "launch"},
        ]
        with kv_put.operation({"size": 64, "mode": "graph"}, "cuda", 1.0) as operation:
            assert operation.work is nothing

    def test_wrong_parameters_of_a_backend_are_named(self) -> None:
        def declare(**options: Any) -> None:
            sp.benchmark("kv.put", params={"size": [1]}, **options)(lambda size, mode: nothing)

        with pytest.raises(sp.InvalidParameter, match=says("backend_params:", "kv.put", "backend")):
            declare(backend_params={"cuda": {"mode": ["graph"]}})
        with pytest.raises(sp.InvalidParameter, match=says("params:", "argument", "default")):
            declare(backend_params={"cpu": {"mode": ["a"]}}, backends=("cpu", "cuda"))
        with pytest.raises(sp.InvalidParameter, match=says("backend_params:", "'size'", "among")):
            declare(backend_params={"cpu": {"mode": ["a"], "size": [1]}})
        with pytest.raises(sp.InvalidParameter, match=r"^params: 'kind' .* has no values|not take"):
            declare(backend_params={"cpu": {"kind": []}})

    def test_parameters_become_cases(self) -> None:
        @sp.benchmark("kv.put", params={"size": [64, 4096], "mode": "fast"})
        def kv_put(size: int, mode: str) -> Callable[[], None]:
            """Put."""
            return nothing

        assert list(kv_put.combinations({}, "cpu")) == [
            {"size": 64, "mode": "fast"},
            {"size": 4096, "mode": "fast"},
        ]
        assert list(kv_put.combinations({"size": (1,)}, "cpu")) == [{"size": 1, "mode": "fast"}]
        assert kv_put.description == "Put."
        assert kv_put(1, "slow") is nothing

    def test_a_second_benchmark_of_a_name_is_refused(self) -> None:
        sp.benchmark("kv.put")(lambda: nothing)
        with pytest.raises(sp.InvalidParameter, match=says("'kv.put'", "benchmark")):
            sp.benchmark("kv.put")(lambda: nothing)

    def test_a_notebook_cell_can_be_run_again(self, benchmarks: Registry) -> None:
        def cell() -> Callable[[], None]:
            return nothing

        cell.__module__ = "__main__"
        first = sp.benchmark("kv.put")(cell)
        second = sp.benchmark("kv.put")(cell)
        assert benchmarks.find("kv.put") is second is not first

    @pytest.mark.parametrize(
        ("declaration", "message"),
        [
            ({"params": {"sise": [1]}}, "does not take 'sise'; did you mean 'size'"),
            ({}, says("'size'", "value")),
            ({"params": {"size": []}}, says("'size'", "values")),
            ({"params": {"size": [None]}}, "has the value None"),
            ({"params": {"size": [float("nan")]}}, says("value", "nan")),
            ({"params": {"size": [1], "backend": ["cpu"]}}, says("backends=", "declare")),
            ({"params": {"size": [1]}, "backends": ("cudda",)}, "is unknown"),
            ({"params": {"size": [1]}, "backends": ()}, "has none"),
            ({"params": {"size": [1]}, "items": "bytes"}, says("items:", "'bytes'", "known: size")),
            (
                {"params": {"size": [1]}, "target": sp.Target("latancy.p95", "<", 1, "us")},
                "did you mean 'latency'",
            ),
            (
                {"params": {"size": [1]}, "target": sp.Target("latency.p95", "<", 1, "GB")},
                "cannot be converted",
            ),
            (
                {
                    "params": {"size": [1]},
                    "target": sp.Target("latency.p95", "<", 1, "us", where={"sizes": 1}),
                },
                "did you mean 'size'",
            ),
        ],
    )
    def test_a_wrong_declaration_is_refused(
        self, declaration: dict[str, Any], message: str
    ) -> None:
        def function(size: int) -> Callable[[], None]:
            return nothing

        with pytest.raises(sp.InvalidParameter, match=message):
            sp.benchmark("x", **declaration)(function)

    @pytest.mark.parametrize("name", ["", "a*", "a[b]", "a b", "single-node", "stress"])
    def test_a_name_that_selects_something_else_is_refused(self, name: str) -> None:
        sp.category("stress", "Select what stresses.")
        with pytest.raises(sp.InvalidParameter, match="name"):
            sp.benchmark(name)(lambda: nothing)

    def test_the_backend_is_handed_to_who_asks_for_it(self) -> None:
        seen = []

        @sp.benchmark("x", backends=("cpu", "reference"))
        def function(backend: str) -> Callable[[], None]:
            seen.append(backend)
            return nothing

        with function.operation({}, "reference", 1.0):
            pass
        assert seen == ["reference"]
        assert function.measured_backends == ("cpu",)

    def test_the_duration_is_handed_to_who_asks_for_it(self, benchmarks: Registry) -> None:
        durations: list[float] = []

        @sp.benchmark("kv.put")
        def kv_put(duration_s: float) -> Callable[[], object]:
            durations.append(duration_s)
            return nothing

        sp.run("kv.put", duration_s=0.125, warmup_s=0, iterations=1)
        assert durations == [0.125]

    def test_items_can_be_a_parameter(self) -> None:
        made = sp.benchmark("x", params={"size": [5]}, items="size", item_unit="keys")
        with made(lambda size: nothing).operation({"size": 5}, "cpu", 1.0) as operation:
            assert (operation.items, operation.item_unit) == (5.0, "keys")


def generator_benchmark(log: list[str], yields: int = 1) -> Any:
    def function() -> Iterator[Callable[[], None]]:
        log.append("setup")
        for _ in range(yields):
            yield nothing
        log.append("teardown")

    return sp.benchmark("x")(function)


@pytest.mark.usefixtures("benchmarks")
@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_the_teardown_runs_however_the_measurement_ends(
    error: type[BaseException] | None,
) -> None:
    log: list[str] = []

    def measure() -> None:
        with generator_benchmark(log).operation({}, "cpu", 1.0):
            log.append("measured")
            if error is not None:
                raise error

    if error is None:
        measure()
    else:
        with pytest.raises(error):
            measure()
    assert log == ["setup", "measured", "teardown"]


@pytest.mark.usefixtures("benchmarks")
def test_a_failing_teardown_does_not_hide_ctrl_c() -> None:
    def function() -> Iterator[Callable[[], None]]:
        yield nothing
        raise ValueError("teardown")

    made = sp.benchmark("x")(function)
    with pytest.raises(KeyboardInterrupt), made.operation({}, "cpu", 1.0):
        raise KeyboardInterrupt
    with pytest.raises(ValueError, match="teardown"), made.operation({}, "cpu", 1.0):
        pass


@pytest.mark.usefixtures("benchmarks")
@pytest.mark.parametrize(("yields", "message"), [(0, "without yielding"), (2, "more than once")])
def test_a_generator_yields_once(yields: int, message: str) -> None:
    made = generator_benchmark([], yields)
    with pytest.raises(sp.InvalidParameter, match=message), made.operation({}, "cpu", 1.0):
        pass


def test_the_key_is_readable_and_canonical() -> None:
    key = case_key("consensus.round", {"votes": 10_000, "byzantine": 0.33}, "cpu")
    assert key == "consensus.round[backend=cpu,byzantine=0.33,votes=10000]"
    for votes in (10_000.0, np.int64(10_000).item()):
        assert case_key("consensus.round", {"byzantine": 0.33, "votes": votes}, "cpu") == key


@given(st.lists(st.booleans() | st.integers() | st.text(), min_size=2, max_size=2, unique_by=repr))
def test_different_values_have_different_keys(values: list[bool | int | str]) -> None:
    first, second = (case_key("x", {"a": value}, "cpu") for value in values)
    assert first != second


class TestSelecting:
    @pytest.fixture
    def registry(self, benchmarks: Registry) -> Registry:
        for name, category in (("a.one", "single-node"), ("a.two", "stress"), ("b", "stress")):
            sp.benchmark(name, category=category)(lambda: nothing)
        return benchmarks

    @pytest.mark.parametrize(
        ("selection", "names"),
        [
            (None, ["a.one", "a.two", "b"]),
            ([], ["a.one", "a.two", "b"]),
            ("b", ["b"]),
            ("a.*", ["a.one", "a.two"]),
            ("stress", ["a.two", "b"]),
            (["b", "a.*", "b"], ["b", "a.one", "a.two"]),
        ],
    )
    def test_by_name_glob_and_category(
        self, registry: Registry, selection: Any, names: list[str]
    ) -> None:
        assert [benchmark.name for benchmark in registry.select(selection)] == names

    @pytest.mark.parametrize(
        ("word", "message"),
        [("a.tow", "did you mean 'a.two'"), ("stres", "'stress'"), ("z*", "selects nothing")],
    )
    def test_nothing_found_suggests_the_nearest(
        self, registry: Registry, word: str, message: str
    ) -> None:
        with pytest.raises(sp.InvalidParameter, match=message):
            registry.select(word)

    def test_removed_benchmarks_are_gone(self, registry: Registry) -> None:
        registry.remove("b")
        with pytest.raises(sp.InvalidParameter, match="'b' is unknown"):
            registry.find("b")


class TestPlugins:
    @pytest.fixture
    def entry_points(self, monkeypatch: pytest.MonkeyPatch) -> list[importlib.metadata.EntryPoint]:
        points: list[importlib.metadata.EntryPoint] = []
        monkeypatch.setattr(
            importlib.metadata,
            "entry_points",
            lambda group: [p for p in points if p.group == group],
        )
        return points

    def test_a_broken_plugin_is_a_warning_with_its_name(
        self, entry_points: list[importlib.metadata.EntryPoint]
    ) -> None:
        entry_points.append(importlib.metadata.EntryPoint("broken", "no_such_module", "group"))
        registry = Registry("group")
        with pytest.warns(PluginWarning, match="'broken' .*no_such_module"):
            assert registry.all() == []
        assert "ModuleNotFoundError" in registry.warnings[0]

    def test_a_plugin_registers_its_benchmarks_on_import(
        self,
        entry_points: list[importlib.metadata.EntryPoint],
        benchmarks: Registry,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        class Plugin(types.ModuleType):
            def __getattr__(self, name: str) -> Any:
                return sp.benchmark(f"plugin.{name}")(lambda: nothing)

        monkeypatch.setitem(sys.modules, "a_plugin", Plugin("a_plugin"))
        entry_points.append(importlib.metadata.EntryPoint("p", "a_plugin:sum", "group"))
        benchmarks._entry_points = "group"
        assert [benchmark.name for benchmark in benchmarks.all()] == ["plugin.sum"]


def test_the_catalogue_comes_first() -> None:
    with pytest.raises(sp.InvalidParameter, match=r"clock\.overhead"):
        sp.benchmark("clock.overhead")(lambda: nothing)
    assert REGISTRY.find("clock.overhead").category == "single-node"
