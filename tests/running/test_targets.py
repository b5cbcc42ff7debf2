"""Targets and their verdicts."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf.results.schema import Metric, MetricSummary
from stratoperf.running.targets import most_severe
from stratoperf.running.unit_conversion import conversion
from stratoperf.statistics.estimates import THIS_PROCESS


def estimate(low: float | None, high: float | None) -> sp.Estimate:
    return sp.Estimate(50.0, low, high, 0.95, "order statistics")


@pytest.mark.parametrize(
    ("direction", "low", "high", "verdict"),
    [
        ("<", 40, 90, "met"),
        ("<", 110, 120, "missed"),
        ("<", 90, 110, "inconclusive"),
        ("<", 40, 100, "inconclusive"),
        ("<=", 40, 100, "met"),
        ("<", 100, 110, "missed"),
        ("<=", 100, 110, "inconclusive"),
        ("<", None, 90, "met"),
        ("<", 110, None, "missed"),
        ("<", 90, None, "inconclusive"),
        ("<", None, 110, "inconclusive"),
        ("<", None, None, "inconclusive"),
        (">", 110, 120, "met"),
        (">", 40, 90, "missed"),
        (">", 90, 110, "inconclusive"),
        (">", 100, 120, "inconclusive"),
        (">=", 100, 120, "met"),
        (">", 40, 100, "missed"),
        (">=", 40, 100, "inconclusive"),
        (">", 110, None, "met"),
        (">", None, 90, "missed"),
        (">", None, 110, "inconclusive"),
    ],
)
def test_the_whole_interval_decides(
    direction: str, low: float | None, high: float | None, verdict: str
) -> None:
    judgment = sp.Target("latency.p95", direction, 100, "ns").judge(estimate(low, high), "ns")
    assert judgment.verdict == verdict
    assert judgment.why


@given(
    st.floats(1, 1e6), st.floats(1, 1e6), st.sampled_from(["<", "<=", ">", ">="]), st.floats(1, 1e6)
)
def test_opposite_directions_never_agree(a: float, b: float, direction: str, value: float) -> None:
    opposite = {"<": ">=", "<=": ">", ">": "<=", ">=": "<"}[direction]
    interval = estimate(min(a, b), max(a, b))
    pair = {
        sp.Target("latency", each, value, "ns").judge(interval, "ns").verdict
        for each in (direction, opposite)
    }
    assert pair in ({"met", "missed"}, {"inconclusive"})


def test_units_are_converted() -> None:
    target = sp.Target("latency.p95", "<", 100, "us")
    assert target.judge(estimate(90_000, 99_000), "ns").verdict == "met"
    assert target.judge(estimate(101_000, 120_000), "ns").verdict == "missed"


@pytest.mark.parametrize(
    ("source", "destination", "factor"),
    [
        ("ns", "us", 1e-3),
        ("ns", "µs", 1e-3),
        ("s", "ms", 1e3),
        ("B/s", "GB/s", 1e-9),
        ("KiB", "B", 1024),
        ("votes/s", "votes/s", 1),
        ("votes/s", "votes/ms", 1e-3),
        ("", "%", 100),
    ],
)
def test_conversion(source: str, destination: str, factor: float) -> None:
    assert conversion(source, destination) == pytest.approx(factor)


@pytest.mark.parametrize(("source", "destination"), [("ns", "B"), ("votes/s", "operations/s")])
def test_units_of_different_quantities_are_refused(source: str, destination: str) -> None:
    with pytest.raises(sp.InvalidParameter, match="cannot be converted"):
        conversion(source, destination)


def test_a_metric_alone_means_its_mean() -> None:
    target = sp.Target("throughput", ">=", 2.6e9, "operations/s")
    assert (target.metric, target.statistic_name) == ("throughput", "mean")


@pytest.mark.parametrize(
    ("statistic", "direction", "value", "message"),
    [
        ("latency.p96", "<", 1, "did you mean 'p99'"),
        ("", "<", 1, "names no statistic"),
        ("latency.max", "<", 1, "names no statistic"),
        ("latency.p95", "=", 1, "direction: '='"),
        ("latency.p95", "<", math.nan, "finite"),
    ],
)
def test_a_wrong_target_is_refused(
    statistic: str, direction: str, value: float, message: str
) -> None:
    with pytest.raises(sp.InvalidParameter, match=message):
        sp.Target(statistic, direction, value, "us")


def test_a_claim_about_another_case_says_which() -> None:
    target = sp.Target("latency.p95", "<", 1, "us", where={"backend": "cuda", "votes": 10_000})
    assert target.mismatch({"backend": "cuda", "votes": 10_000, "more": 1}) is None
    assert (
        target.mismatch({"backend": "cpu", "votes": 10_000})
        == "the claim speaks of backend cuda; this is cpu"
    )
    assert (
        target.mismatch({"backend": "cpu"})
        == "the claim speaks of backend cuda and votes 10000; this is cpu and without votes"
    )


def test_the_verdict_that_needs_attention_comes_first() -> None:
    target = sp.Target("latency.p95", "<", 100, "ns")
    verdicts = [
        target.verdict(target.judge(estimate(*sides), "ns"))
        for sides in ((1, 2), (90, 110), (200, 300))
    ]
    worst = most_severe(verdicts)
    assert worst is not None
    assert worst.verdict == "missed"
    assert most_severe([]) is None


@pytest.mark.parametrize(
    ("direction", "low", "high", "verdict"),
    [
        ("<", 9_000, 9_100, "missed"),
        ("<", 210, 220, "missed"),
        ("<", 110, 190, "inconclusive"),
        ("<", 90, 110, "inconclusive"),
        ("<", 60, 70, "inconclusive"),
        ("<", 40, 45, "met"),
        ("<", None, 45, "met"),
        ("<", 210, None, "missed"),
        (">", 1, 2, "missed"),
        (">", 60, 70, "inconclusive"),
        (">", 110, 190, "inconclusive"),
        (">", 210, 220, "met"),
        (">=", 200, 220, "met"),
    ],
)
@pytest.mark.parametrize("unit", ["ns", "B/s"])
def test_one_process_decides_only_where_another_would_agree(
    direction: str, low: float | None, high: float | None, verdict: str, unit: str
) -> None:
    target = sp.Target("latency.p95", direction, 100, unit)
    judgment = target.judge(estimate(low, high), unit, scope=THIS_PROCESS)
    assert judgment.verdict == verdict
    assert "this process only" in judgment.why


@given(st.floats(1, 1e6), st.floats(1, 1e6), st.sampled_from(["<", "<=", ">", ">="]))
def test_one_process_never_decides_otherwise_than_several(
    a: float, b: float, direction: str
) -> None:
    target, interval = sp.Target("latency", direction, 1e3, "ns"), estimate(min(a, b), max(a, b))
    several = target.judge(interval, "ns", scope="8 processes").verdict
    assert target.judge(interval, "ns", scope=THIS_PROCESS).verdict in {several, "inconclusive"}


def test_what_is_no_matter_of_speed_needs_no_margin() -> None:
    target = sp.Target("utilization.mean", ">", 90, "%")
    judgment = target.judge(estimate(95, 96), "%", scope=THIS_PROCESS)
    assert judgment.verdict == "met"
    assert "this process only" in judgment.why


def test_the_verdict_of_several_processes_says_how_many_it_is_over() -> None:
    target = sp.Target("latency.p95", "<", 100, "ns")
    for sides in ((1, 2), (90, 110), (200, 300), (None, None), (90, None)):
        assert "over 8 processes" in target.judge(estimate(*sides), "ns", scope="8 processes").why


@pytest.mark.parametrize("sides", [(1, 2), (90, 110), (9_000, 9_100), (None, None), (200, None)])
@pytest.mark.parametrize("scope", [None, THIS_PROCESS, "8 processes"])
def test_a_disturbed_measurement_decides_nothing(
    sides: tuple[float | None, float | None], scope: str | None
) -> None:
    target = sp.Target("latency.p95", "<", 0.1, "us")
    judgment = target.judge(estimate(*sides), "ns", scope=scope, disturbed="a busy neighbor")
    assert judgment.verdict == "inconclusive"
    assert judgment.why.startswith("disturbed: a busy neighbor")
    # The value stays, in the unit of the target.
    assert "0.05 us" in judgment.why


def metric(**changed: Any) -> Metric:
    fields: dict[str, Any] = {"unit": "ns", "better": "lower"}
    return Metric(**(fields | changed))


def test_a_metric_is_judged_in_its_unit_and_scope() -> None:
    target = sp.Target("latency.p95", "<", 100, "us")
    summary = MetricSummary(count=9, p95=estimate(60_000, 70_000), scope=THIS_PROCESS)
    assert target.judge_metric(metric(summary=summary), None).verdict == "inconclusive"
    over = msgspec.structs.replace(summary, scope="6 processes")
    assert target.judge_metric(metric(summary=over), None).verdict == "met"
    assert target.judge_metric(metric(summary=over), "steal").why.startswith("disturbed: steal")
    # Of a file of before there were several processes.
    plain = msgspec.structs.replace(summary, scope=None)
    assert target.judge_metric(metric(summary=plain), None).verdict == "met"


def test_a_metric_that_lacks_the_statistic_or_has_another_unit_is_not_measured() -> None:
    target = sp.Target("latency.p95", "<", 100, "us")
    assert target.judge_metric(metric(), "steal") == ("not-measured", "there is no p95")
    summary = MetricSummary(count=9, p95=estimate(1, 2))
    judgment = target.judge_metric(metric(unit="B", summary=summary), None)
    assert judgment.verdict == "not-measured"
    assert "'B'" in judgment.why
