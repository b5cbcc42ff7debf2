"""From a session to the verdict on a case, in words and numbers."""

from __future__ import annotations

import math

from stratoperf.analysis.comparison import ComparedMetric, Side
from stratoperf.analysis.live.cases import LiveCase
from stratoperf.analysis.live.session import Session
from stratoperf.analysis.paired import Look
from stratoperf.analysis.verdicts import why_decided
from stratoperf.results.schema import QUANTILES
from stratoperf.statistics import Estimate, quantile

STATISTICS = ("mean", *QUANTILES, "throughput")
"""What a live comparison can judge by; throughput is items over the mean time."""

_LEAST_FACTOR = 1.5
_HOPELESS = 100.0
"""Times the budget beyond which the advice is not to wait longer."""


def compared(
    case: LiveCase,
    session: Session,
    *,
    statistic: str,
    threshold: float,
    confidence: float,
    duration_s: float,
    least_pairs: int,
) -> ComparedMetric:
    """Return what a session says about a case.

    Parameters
    ----------
    case, session
        What was measured.
    statistic
        One of `STATISTICS`.
    threshold, confidence
        Of the verdict, and of the intervals of either side.
    duration_s
        The budget, for the advice.
    least_pairs
        How many the interval of the ratio needs, for the advice.
    """
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
        threshold=threshold,
        verdict="inconclusive" if look is None else look.verdict,
        why=_why(session, look, threshold, duration_s, least_pairs),
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


def _why(
    session: Session, look: Look | None, threshold: float, duration_s: float, least_pairs: int
) -> str:
    if session.failure is not None:
        return f"{session.failure.side} failed: {session.failure}"
    if look is None:
        return "interrupted before the first pair was complete"
    if session.interrupted and look.verdict == "inconclusive":
        return f"interrupted after {look.pairs} pairs, in {session.seconds:.3g} s"
    ratio = look.ratio
    if ratio.low is None or ratio.high is None:
        return (
            f"{look.pairs} pairs fitted into {session.seconds:.3g} s, an interval needs "
            f"{least_pairs}; {_advice(least_pairs / look.pairs, duration_s)}"
        )
    interval = f"the interval of the ratio, {ratio.low:.4g} to {ratio.high:.4g},"
    upper = 1 + threshold
    lower = 1 / upper
    decided = why_decided(interval, look.verdict, threshold)
    if decided is not None:
        return decided
    crossed = upper if ratio.high > upper else lower
    both = ratio.low < lower and ratio.high > upper
    half = math.log(ratio.high / ratio.low) / 2
    distance = min(abs(math.log(ratio.value / bound)) for bound in (lower, upper))
    # The width falls with the square root of the number of pairs. Where the interval is lopsided
    # this budget might seem to be enough; it was not.
    factor = max((half / distance) ** 2, _LEAST_FACTOR) if distance > 0 else math.inf
    reaches = f"reaches beyond {lower:.4g} and {upper:.4g}" if both else f"holds {crossed:.4g}"
    return f"{interval} {reaches}; {_advice(factor, duration_s)}"


def _advice(factor: float, duration_s: float) -> str:
    if factor > _HOPELESS:
        return "the ratio is so near to the threshold that no reasonable time would settle it"
    return f"a budget of about {math.ceil(factor * duration_s):g} s would settle it"
