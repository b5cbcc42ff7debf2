"""Targets and their verdicts."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

import stratoperf as sp
from stratoperf.running.targets import most_severe
from stratoperf.running.units import conversion


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
