"""What a gate makes of a comparison: whether a change may pass.

The current side is on trial. It fails when a judged result is slower, and when something could not
be measured on it or was wrong there. The baseline is not on trial: what fails on it alone has no
verdict, which is for the policy on inconclusive results to weigh; but a check that could compare
nothing at all, because of failures, fails whichever side they were on, since it vouches for
nothing.
"""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from stratoperf.analysis.comparison import (
    ComparedMetric,
    Comparison,
    Difference,
    Failure,
    metrics_with_verdicts,
    tally,
)
from stratoperf.analysis.defaults import INCONCLUSIVE
from stratoperf.errors import InvalidParameter, did_you_mean

Outcome = Literal["passed", "failed", "inconclusive", "interrupted"]
Policy = Literal["pass", "fail"]

POLICIES: tuple[Policy, ...] = ("pass", "fail")


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """What a gate decides, and why.

    Attributes
    ----------
    outcome
        ``"failed"`` for a regression or a failure, ``"inconclusive"`` when anything has no
        verdict, ``"interrupted"`` when Ctrl-C ended the comparison, else ``"passed"``.
    policy
        Whether an inconclusive comparison passes the gate.
    slower, undecided
        The results that are slower, and those without a verdict.
    failures
        Those that fail the gate.
    not_compared
        Results that the baseline has and that had no chance of a verdict.
    reason
        In one sentence.
    """

    outcome: Outcome
    policy: Policy
    slower: tuple[ComparedMetric, ...] = ()
    undecided: tuple[ComparedMetric, ...] = ()
    failures: tuple[Failure, ...] = ()
    not_compared: tuple[Difference, ...] = ()
    reason: str = ""

    @property
    def passes(self) -> bool:
        """Whether the change may go in."""
        return self.outcome == "passed" or (
            self.outcome == "inconclusive" and self.policy == "pass"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the decision as plain JSON types; results are named by key and statistic."""
        return {
            "outcome": self.outcome,
            "passes": self.passes,
            "policy": self.policy,
            "reason": self.reason,
            "slower": [_named(metric) for metric in self.slower],
            "undecided": [_named(metric) for metric in self.undecided],
            "failures": msgspec.to_builtins(self.failures),
            "not_compared": msgspec.to_builtins(self.not_compared),
        }


def decide(comparison: Comparison, inconclusive: Policy = INCONCLUSIVE) -> Decision:
    """Decide whether the current side may pass.

    Parameters
    ----------
    comparison
        Live or stored.
    inconclusive
        What becomes of results without a verdict: ``"pass"`` or ``"fail"``.

    Raises
    ------
    InvalidParameter
        For another policy.
    """
    if inconclusive not in POLICIES:
        raise InvalidParameter(
            f"inconclusive: {inconclusive!r} is unknown; {did_you_mean(inconclusive, POLICIES)}"
        )
    metrics = metrics_with_verdicts(comparison)
    failures = failing(comparison)
    settled = {metric.key for metric in metrics} | {failure.key for failure in failures}
    decision = Decision(
        outcome="passed",
        policy=inconclusive,
        slower=tuple(metric for metric in metrics if metric.verdict == "slower"),
        undecided=tuple(metric for metric in metrics if metric.verdict == "inconclusive"),
        failures=failures,
        not_compared=tuple(
            difference for difference in comparison.differences if _is_missing(difference, settled)
        ),
    )
    outcome = _outcome(comparison, decision)
    return msgspec.structs.replace(decision, outcome=outcome, reason=_reason(comparison, decision))


def failing(comparison: Comparison) -> tuple[Failure, ...]:
    """Return the failures that fail a gate: of the current side, or all where nothing else is."""
    if not is_compared(comparison):
        return comparison.failures
    return tuple(failure for failure in comparison.failures if failure.side == "current")


def is_compared(comparison: Comparison) -> bool:
    """Return whether anything was compared at all."""
    return any(metric.ratio is not None for metric in comparison.metrics)


def _outcome(comparison: Comparison, decision: Decision) -> Outcome:
    if comparison.interrupted:
        return "interrupted"
    if decision.slower or decision.failures:
        return "failed"
    if decision.undecided or decision.not_compared or not is_compared(comparison):
        return "inconclusive"
    return "passed"


def _is_missing(difference: Difference, settled: set[str]) -> bool:
    """Whether the baseline has a result that should have been compared, and was not.

    A benchmark that only one side has, or that changed its version, was changed on purpose; it is
    listed and no more.
    """
    if difference.what == "metric":
        return True
    return (
        difference.what == "status"
        and difference.key not in settled
        and difference.baseline is not None
        and not difference.baseline.startswith("skipped")
    )


def _reason(comparison: Comparison, decision: Decision) -> str:
    parts = [tally(comparison)]
    for side in ("current", "baseline"):
        failed = {failure.key for failure in comparison.failures if failure.side == side}
        if failed:
            parts.append(f"{len(failed)} failed{' on the baseline' if side == 'baseline' else ''}")
    failed = {failure.key for failure in comparison.failures}
    others = [missing for missing in decision.not_compared if missing.key not in failed]
    if others:
        parts.append(f"{len(others)} not compared")
    return ", ".join(parts)


def _named(metric: ComparedMetric) -> dict[str, str]:
    return {"key": metric.key, "metric": metric.metric, "statistic": metric.statistic}
