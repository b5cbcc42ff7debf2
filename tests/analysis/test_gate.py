"""What a gate makes of a comparison."""

from __future__ import annotations

from typing import Any, cast

import pytest

import stratoperf as sp
from stratoperf.analysis import Comparison, Difference, Failure, Verdict, decide


def metric(key: str, verdict: Verdict, *, measured: bool = True, **changes: Any) -> Any:
    return sp.ComparedMetric(
        **{
            "key": key,
            "benchmark": key,
            "backend": "cpu",
            "metric": "latency",
            "statistic": "p50",
            "unit": "ns",
            "better": "lower",
            "threshold": 0.05,
            "verdict": verdict,
            "why": "because",
            "ratio": sp.Estimate(1.0, 0.9, 1.1, 0.99, "any") if measured else None,
            **changes,
        }
    )


def comparison(*metrics: sp.ComparedMetric, **changes: Any) -> Comparison:
    sides: dict[str, Any] = {"mode": "live", "baseline": "a", "current": "b"}
    return Comparison(**sides, confidence=0.99, method="any", metrics=metrics, **changes)


def failed(key: str, side: str) -> dict[str, Any]:
    """Return what a live comparison says of a case that one side could not measure."""
    sides: dict[str, Any] = {side: "failed: boom"}
    return {
        "failures": (Failure(key=key, side=cast("Any", side), why="boom"),),
        "differences": (Difference(what="status", key=key, **sides),),
    }


SAME = metric("same", "same")
UNMEASURED = metric("broken", "inconclusive", measured=False)


@pytest.mark.parametrize(
    ("compared", "outcome"),
    [
        (comparison(SAME), "passed"),
        (comparison(SAME, metric("fast", "faster")), "passed"),
        (comparison(SAME, metric("slow", "slower")), "failed"),
        (comparison(metric("open", "inconclusive"), metric("slow", "slower")), "failed"),
        (comparison(SAME, metric("open", "inconclusive")), "inconclusive"),
        (comparison(SAME, metric("info", "slower", judged=False)), "passed"),
        (comparison(), "inconclusive"),
        (comparison(SAME, UNMEASURED, **failed("broken", "current")), "failed"),
        (comparison(SAME, UNMEASURED, **failed("broken", "baseline")), "inconclusive"),
        (comparison(UNMEASURED, **failed("broken", "baseline")), "failed"),
        (comparison(SAME, metric("slow", "slower"), interrupted=True), "interrupted"),
    ],
)
def test_a_comparison_has_the_gravest_outcome(compared: Comparison, outcome: str) -> None:
    assert decide(compared).outcome == outcome


@pytest.mark.parametrize(
    ("difference", "outcome"),
    [
        ({"what": "only in baseline", "baseline": "gone"}, "passed"),
        ({"what": "only in current", "current": "new"}, "passed"),
        ({"what": "benchmark version", "baseline": "1", "current": "2"}, "passed"),
        ({"what": "preset", "key": None, "compared": True}, "passed"),
        ({"what": "status", "baseline": "skipped: no GPU", "current": "skipped: no GPU"}, "passed"),
        ({"what": "status", "baseline": "skipped: no GPU", "current": "ok"}, "passed"),
        ({"what": "status", "baseline": "ok", "current": "skipped: no GPU"}, "inconclusive"),
        ({"what": "status", "baseline": "ok", "current": "interrupted"}, "inconclusive"),
        ({"what": "metric", "baseline": "the current has no p99"}, "inconclusive"),
    ],
)
def test_what_was_not_compared_counts_where_the_baseline_has_it(
    difference: dict[str, Any], outcome: str
) -> None:
    entry = Difference(**{"key": "other", **difference})
    assert decide(comparison(SAME, differences=(entry,))).outcome == outcome


def test_the_policy_decides_on_what_has_no_verdict() -> None:
    undecided = comparison(SAME, metric("open", "inconclusive"))
    assert decide(undecided).passes
    assert not decide(undecided, "fail").passes
    assert decide(comparison(SAME), "fail").passes
    assert not decide(comparison(SAME, interrupted=True), "pass").passes


def test_an_unknown_policy_is_refused() -> None:
    with pytest.raises(sp.InvalidParameter, match="did you mean 'fail'"):
        decide(comparison(SAME), cast("Any", "fails"))


def test_the_reason_counts_every_result_once() -> None:
    compared = comparison(
        SAME,
        metric("slow", "slower"),
        UNMEASURED,
        metric("older", "inconclusive", measured=False),
        failures=(
            Failure(key="broken", side="current", why="boom"),
            Failure(key="older", side="baseline", why="boom"),
        ),
        differences=(
            Difference(what="status", key="broken", current="failed: boom"),
            Difference(what="status", key="older", baseline="failed: boom"),
            Difference(what="metric", key="same", baseline="the current has no p99"),
        ),
    )
    decision = decide(compared)
    assert decision.reason == (
        "1 slower, 1 same, 1 failed, 1 failed on the baseline, 1 not compared"
    )
    assert [failure.key for failure in decision.failures] == ["broken"]
    assert decision.to_dict()["slower"] == [
        {"key": "slow", "metric": "latency", "statistic": "p50"}
    ]
