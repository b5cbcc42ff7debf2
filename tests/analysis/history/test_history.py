"""Trends of stored runs: what counts, what is a gap, and what changed."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

import pytest

import stratoperf as sp
from stratoperf.analysis.history import Trend

MakeRun = Callable[..., sp.Run]


def only(history: sp.History) -> Trend:
    (trend,) = history.trends
    return trend


def test_a_change_is_told_with_its_moment_levels_and_what_else_is_new(
    stepped: list[sp.Run],
) -> None:
    pytest.importorskip("ruptures")
    trend = only(sp.history(stepped))
    assert trend.change_points is not None
    (change,) = trend.change_points
    assert (change.index, change.created) == (15, "2026-11-16T03:00:00Z")
    assert (change.run, change.previous_run) == (stepped[15].id, stepped[14].id)
    assert change.before == pytest.approx(1000, rel=0.01)
    assert change.after == pytest.approx(1200, rel=0.01)
    assert change.ratio == pytest.approx(1.2, rel=0.01)
    assert 0 < change.significance < 0.01
    assert change.also_changed == ("stratoperf 0.1.0 → 0.2.0",)


def test_a_trend_has_every_run_with_its_interval_version_and_machine(
    stepped: list[sp.Run],
) -> None:
    trend = only(sp.history(stepped))
    assert trend.key == "kv.put[backend=cpu,size=64]"
    assert (trend.metric, trend.statistic, trend.unit, trend.better) == (
        "latency",
        "p50",
        "ns",
        "lower",
    )
    assert (trend.machine, trend.machine_name, trend.benchmark_version) == ("box", "any", 1)
    assert [moment.run for moment in trend.moments] == [run.id for run in stepped]
    assert trend.moments[0].stratoperf_version == "0.1.0"
    estimate = trend.moments[0].estimate
    assert estimate == stepped[0].results[0].metrics["latency"].statistic("p50")


def test_the_trend_as_a_whole_compares_both_ends(stepped: list[sp.Run]) -> None:
    trend = only(sp.history(stepped))
    assert trend.ratio == pytest.approx(1.2, rel=0.01)
    assert trend.first is not None
    assert trend.last is not None
    assert trend.last / trend.first == trend.ratio


def test_the_scatter_is_that_within_levels(stepped: list[sp.Run]) -> None:
    pytest.importorskip("ruptures")
    scatter = only(sp.history(stepped)).scatter
    assert scatter is not None
    assert 0.001 < scatter < 0.01


def test_of_a_throughput_less_is_slower(stepped: list[sp.Run]) -> None:
    pytest.importorskip("ruptures")
    trend = only(sp.history(stepped, statistic="throughput"))
    assert (trend.metric, trend.statistic, trend.better) == ("throughput", "mean", "higher")
    assert trend.change_points
    assert trend.change_points[0].after < trend.change_points[0].before
    assert trend.change_points[0].ratio == pytest.approx(1.2, rel=0.01)


@pytest.mark.parametrize("statistic", ["p95", "p99"])
def test_other_quantiles_are_shown_on_request(stepped: list[sp.Run], statistic: str) -> None:
    trend = only(sp.history(stepped, statistic=statistic))
    assert trend.statistic == statistic
    assert trend.first is not None
    assert trend.first > 1010


def test_runs_are_sorted_by_their_date_whatever_their_order(stepped: list[sp.Run]) -> None:
    trend = only(sp.history(stepped[::-1]))
    assert [moment.run for moment in trend.moments] == [run.id for run in stepped]


def test_runs_of_one_second_are_sorted_by_the_clock_of_the_machine(dated: MakeRun) -> None:
    late, early = dated(0, started=2_000), dated(0, started=1_000)
    trend = only(sp.history([late, early]))
    assert [moment.run for moment in trend.moments] == [early.id, late.id]


def test_machines_are_never_mixed(dated: MakeRun) -> None:
    runs = [dated(day, system=("box", "other")[day % 2]) for day in range(6)]
    found = sp.history(runs)
    assert [(trend.machine, len(trend.moments)) for trend in found.trends] == [
        ("box", 3),
        ("other", 3),
    ]
    assert any("2 machines" in warning for warning in found.warnings)


def test_versions_of_a_benchmark_are_never_mixed(dated: MakeRun) -> None:
    runs = [dated(day, benchmark_version=1 + (day > 2)) for day in range(6)]
    found = sp.history(runs)
    assert [trend.benchmark_version for trend in found.trends] == [1, 2]
    assert any("kv.put" in warning and "version" in warning for warning in found.warnings)


def test_different_presets_are_a_warning(dated: MakeRun) -> None:
    found = sp.history([dated(0), dated(1, header={"preset": "standard"})])
    assert any("quick, standard" in warning for warning in found.warnings)


@pytest.mark.parametrize("status", ["failed", "skipped", "interrupted"])
def test_what_was_not_measured_is_a_gap(dated: MakeRun, status: str) -> None:
    gap = dated(1, status=status, reason="out of memory", metrics={}, series=[])
    trend = only(sp.history([dated(0), gap, dated(2)]))
    assert [moment.estimate is None for moment in trend.moments] == [False, True, False]
    assert trend.moments[1].gap == f"{status}: out of memory"
    assert len(trend.values) == 2


def test_a_change_after_a_gap_has_the_index_of_its_moment(
    stepped: list[sp.Run], dated: MakeRun
) -> None:
    pytest.importorskip("ruptures")
    gap = dated(14.5, status="failed", metrics={}, series=[])
    (change,) = only(sp.history([*stepped, gap])).change_points or ()
    assert change.index == 16
    assert (change.run, change.previous_run) == (stepped[15].id, stepped[14].id)


@pytest.mark.parametrize("value", [0.0, -1.0])
def test_a_value_without_a_ratio_is_a_gap(dated: MakeRun, value: float) -> None:
    broken = dated(1)
    metric = broken.document["results"][0]["metrics"]["latency"]
    metric["summary"]["p50"]["value"] = value
    trend = only(sp.history([dated(0), sp.Run(dict(broken.document)), dated(2)]))
    assert len(trend.values) == 2
    assert trend.moments[1].gap is not None
    assert "finite and above 0" in trend.moments[1].gap


def test_a_result_without_the_statistic_is_a_gap(dated: MakeRun) -> None:
    bare = dated(1, metrics={"latency": {"unit": "ns", "better": "lower"}}, series=[])
    trend = only(sp.history([dated(0), bare, dated(2)]))
    assert trend.moments[1].gap == "there is no p50 of latency"


def test_another_unit_is_a_gap(dated: MakeRun) -> None:
    other = dated(0)
    other.document["results"][0]["metrics"]["latency"]["unit"] = "us"
    trend = only(sp.history([sp.Run(dict(other.document)), dated(1)]))
    assert trend.moments[0].gap == "latency is in 'us', and in 'ns' in the newest run"


def test_a_key_that_is_there_twice_is_a_gap(dated: MakeRun) -> None:
    run = dated(1)
    results = run.document["results"]
    twice = sp.Run({**run.document, "results": [*results, *results]})
    trend = only(sp.history([dated(0), twice, dated(2)]))
    assert len(trend.moments) == 3
    assert trend.moments[1].gap is not None
    assert "there twice" in trend.moments[1].gap


def test_a_benchmark_that_some_runs_lack_has_no_gaps_there(dated: MakeRun) -> None:
    found = sp.history([dated(0, {"kv.put": 1.0, "kv.get": 2.0}), dated(1, {"kv.put": 1.0})])
    assert [(trend.benchmark, len(trend.moments)) for trend in found.trends] == [
        ("kv.put", 2),
        ("kv.get", 1),
    ]


def test_one_run_is_a_history_without_change_points(dated: MakeRun) -> None:
    trend = only(sp.history(dated(0)))
    assert trend.change_points is None
    assert trend.not_searched is not None
    assert trend.ratio == 1.0
    assert trend.scatter is None


def test_too_few_runs_say_how_many_are_needed(dated: MakeRun) -> None:
    pytest.importorskip("ruptures")
    trend = only(sp.history([dated(day) for day in range(9)]))
    assert trend.change_points is None
    assert trend.not_searched is not None
    assert trend.not_searched.startswith("9 values; at least 10 are needed")


def test_constant_values_have_no_change_point(dated: MakeRun) -> None:
    pytest.importorskip("ruptures")
    runs = [dated(day, samples=[7.0] * 100) for day in range(20)]
    trend = only(sp.history(runs))
    assert trend.change_points == ()
    assert trend.scatter == 0.0
    assert trend.ratio == 1.0


def test_the_error_is_shared_out_among_the_trends(dated: MakeRun) -> None:
    pytest.importorskip("ruptures")
    medians = {"kv.put": 1000.0, "kv.get": 500.0}
    found = sp.history([dated(day, medians) for day in range(12)])
    assert "among 2 trends" in found.method


def test_without_ruptures_the_trends_are_still_shown(
    stepped: list[sp.Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(name: str) -> Any:
        raise ImportError(name)

    monkeypatch.setattr(importlib, "import_module", missing)
    found = sp.history(stepped)
    trend = only(found)
    assert trend.change_points is None
    assert trend.ratio == pytest.approx(1.2, rel=0.01)
    assert trend.not_searched is not None
    assert "stratoperf[history]" in trend.not_searched
    assert found.warnings == (trend.not_searched,)
