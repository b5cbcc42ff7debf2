"""A stored comparison's verdicts and methods in words."""

from __future__ import annotations

import math
from collections.abc import Sequence

from stratoperf.analysis.comparison import Verdict
from stratoperf.analysis.stored.intervals import RatioInterval
from stratoperf.analysis.verdicts import ratio_name, why_decided
from stratoperf.results.schema import Better


def reason(estimate: RatioInterval, threshold: float, verdict: Verdict, better: Better) -> str:
    """Return why a verdict is what it is; of an inconclusive one, what would settle it."""
    ratio = estimate.ratio
    if estimate.kind == "same":
        return f"both sides are the same; {estimate.advice}"
    if ratio.low is None and ratio.high is None:
        few = "pairs" if estimate.kind in ("live", "pairs") else "samples"
        return f"too few {few} for an interval; {estimate.advice}"
    bounds = ["no bound" if bound is None else f"{bound:.4g}" for bound in (ratio.low, ratio.high)]
    interval = f"the interval of {ratio_name(better)}, {' to '.join(bounds)},"
    decided = why_decided(interval, verdict, threshold)
    if decided is not None:
        return f"{decided}; {estimate.assumed}" if estimate.assumed else decided
    upper = 1 + threshold
    lower = 1 / upper
    crossed = " and ".join(
        f"{bound:.4g}"
        for bound in (lower, upper)
        if (ratio.low or 0.0) < bound < (math.inf if ratio.high is None else ratio.high)
    )
    assumed = f"{estimate.assumed}; " if estimate.assumed else ""
    return f"{interval} holds {crossed}; {assumed}{estimate.advice}"


def method_text(kinds: Sequence[str], count: int, error: float) -> str:
    """Return how the intervals were found.

    Parameters
    ----------
    kinds
        Kinds of the intervals; see `RatioInterval`.
    count
        How many verdicts share the error.
    error
        The admissible error of the whole.
    """
    if not kinds:
        return "nothing was compared"
    shared = f" shared out among {count} verdicts by Holm's method (1979)" if count > 1 else ""
    sentences = ", ".join(_SENTENCES[kind] for kind in kinds)
    return f"{sentences}; error {error:.2g}{shared}"


_SENTENCES = {
    "runs": "Student's t on two levels, processes within runs",
    "live": "signed ranks of live pairs (Hollander & Wolfe, section 3.2), at the error of one of "
    "the looks that end a live comparison",
    "pairs": "signed ranks of runs that alternate in time (Hollander & Wolfe, section 3.2)",
    "blocks": "Student's pivot between blocks of runs, under a random walk",
    "history": "the scatter of the history",
    "single": "the widest known drift, since there are too few runs and no history",
    "same": "nothing to bound, since both sides are the same",
}
