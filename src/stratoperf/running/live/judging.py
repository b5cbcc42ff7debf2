"""The verdict on a case from its session, in words and numbers."""

from __future__ import annotations

import math

from stratoperf.analysis.comparison import ComparedMetric, Side
from stratoperf.analysis.paired_design import Look
from stratoperf.analysis.verdicts import ratio_name, why_decided
from stratoperf.door import LONGEST_S
from stratoperf.results.schema import Better
from stratoperf.running.live.advice import MARGIN, budget_text, rounded_up, settling_factor
from stratoperf.running.live.cases import LiveCase
from stratoperf.running.live.pair_source import BudgetSpent
from stratoperf.running.live.session import Session
from stratoperf.statistics import Estimate, quantile
from stratoperf.statistics.estimates import QUANTILES

STATISTICS = ("mean", *QUANTILES, "throughput")
"""What a live comparison can judge by; throughput is items over the mean time."""

_SHORTEST_PAIR_S = 1e-3
"""No two processes are quicker, though a budget may end before one is started."""


def compared(
    case: LiveCase,
    session: Session,
    *,
    statistic: str,
    duration_s: float,
) -> ComparedMetric:
    """Return the comparison of a case from its session.

    Parameters
    ----------
    case, session
        What was measured.
    statistic
        One of `STATISTICS`.
    duration_s
        The budget, for the advice.
    """
    confidence = 1 - session.design.error
    look = None if session.failure is not None else session.look
    is_rate = statistic == "throughput"
    return ComparedMetric(
        key=case.key,
        benchmark=case.benchmark,
        backend=case.backend,
        params=case.params,
        metric="throughput" if is_rate else "latency",
        statistic="mean" if is_rate else statistic,
        unit=f"{session.item_unit}/s" if is_rate else "ns",
        better="higher" if is_rate else "lower",
        threshold=session.design.threshold,
        verdict="inconclusive" if look is None else look.verdict,
        why=_Reasons(session, duration_s, "higher" if is_rate else "lower").why(look),
        baseline=_typical(session, "baseline", statistic, confidence),
        current=_typical(session, "current", statistic, confidence),
        ratio=None if look is None else look.ratio,
        effect=None if look is None else look.effect,
        baseline_processes=len(session.pairs),
        current_processes=len(session.pairs),
        pairs=len(session.pairs),
        seconds=session.seconds,
    )


def _typical(session: Session, side: Side, statistic: str, confidence: float) -> Estimate | None:
    """Return the median over the processes of one side."""
    if not session.pairs:
        return None
    median = quantile(session.values(side, statistic), 0.5, confidence)
    method = f"median of {len(session.pairs)} processes; {median.method}"
    if statistic != "throughput":
        return Estimate(median.value, median.low, median.high, confidence, method)
    low, high = (None if bound is None else 1e9 / bound for bound in (median.high, median.low))
    return Estimate(1e9 / median.value, low, high, confidence, method)


class _Reasons:
    """Why a verdict is what it is; of an inconclusive one, what would settle it.

    Parameters
    ----------
    session, duration_s
        As for `compared`.
    better
        Whether lower or higher values are better.
    """

    def __init__(self, session: Session, duration_s: float, better: Better) -> None:
        self._session = session
        self._threshold = session.design.threshold
        self._duration_s = duration_s
        self._ratio = ratio_name(better)
        self._least_pairs = session.design.least_pairs()

    def why(self, look: Look | None) -> str:
        """Return the reason in words."""
        session = self._session
        if session.failure is not None:
            return f"{session.failure.side} failed: {session.failure}"
        if look is None:
            if session.spent is not None:
                return self._no_pair(session.spent)
            return "interrupted before the first pair was complete"
        if session.interrupted and look.verdict == "inconclusive":
            return f"interrupted after {look.pairs} pairs, in {session.seconds:.3g} s"
        ratio = look.ratio
        if ratio.low is None or ratio.high is None:
            return self._no_interval(look.pairs)
        interval = f"the interval of {self._ratio}, {ratio.low:.4g} to {ratio.high:.4g},"
        decided = why_decided(interval, look.verdict, self._threshold)
        return decided or self._no_verdict(interval, ratio.low, ratio.high)

    def _no_pair(self, spent: BudgetSpent) -> str:
        # Before the first pair each side may run once for a trial.
        times = math.ceil((self._least_pairs + 1) * MARGIN)
        pair_s = max(spent.pair_s, _SHORTEST_PAIR_S)
        needed = (
            f"of {times} times what a pair takes (--duration), which is more than "
            f"{rounded_up(times * pair_s)} s"
            if spent.at_least
            else f"of at least {budget_text(times * pair_s)}"
        )
        return (
            f"no pair fits into the budget of {self._duration_s:g} s: {spent.why}; an "
            f"interval needs {self._least_pairs} pairs: give a budget {needed}"
        )

    def _no_interval(self, pairs: int) -> str:
        # All the time so far, trial included, which errs on the safe side.
        pair_s = self._session.seconds / pairs
        needed = (self._least_pairs + 1) * pair_s * MARGIN
        fitted = "1 pair" if pairs == 1 else f"{pairs} pairs"
        return (
            f"{fitted} fitted into {self._session.seconds:.3g} s, an interval needs "
            f"{self._least_pairs}; give a budget of at least {budget_text(needed)}"
        )

    def _no_verdict(self, interval: str, low: float, high: float) -> str:
        upper = 1 + self._threshold
        lower = 1 / upper
        both = low < lower and high > upper
        crossed = f"holds {upper if high > upper else lower:.4g}"
        reaches = f"reaches beyond {lower:.4g} and {upper:.4g}" if both else crossed
        factor = settling_factor(self._session.design)
        if factor is None or factor * self._duration_s > LONGEST_S:
            advice = (
                "these pairs do not tell what budget would settle it; a quieter machine, longer "
                "runs or another threshold may"
            )
        else:
            budget = budget_text(factor * self._duration_s)
            advice = f"a budget of {budget} would probably settle it"
        return f"{interval} {reaches}; {advice}"
