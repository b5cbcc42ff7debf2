"""Notes on high quantiles: which events they cannot show."""

from __future__ import annotations

import numpy as np

from stratoperf.running.live.pair_source import SIDES
from stratoperf.running.live.session import Session
from stratoperf.statistics.estimates import QUANTILES

FAR = 10.0
"""Times the median, on both sides, from which a quantile tells of waiting rather than of work."""


def tail_notes(key: str, session: Session, statistic: str) -> list[str]:
    """Return a sentence for each kind of tail that a high quantile of a case cannot show.

    Parameters
    ----------
    key
        Key of the case.
    session
        What was measured.
    statistic
        The quantile by which the sides are judged.
    """
    if not session.pairs:
        return []
    typical = {
        name: [float(np.median(session.values(side, name))) for side in SIDES]
        for name in ("p50", statistic)
    }
    notes = []
    batch = max(arm.batch for pair in session.pairs for arm in pair.arms.values())
    if batch > 1:
        notes.append(
            f"{key}: {statistic} is that of means of {batch} iterations, since the clock cannot "
            f"time single ones of {min(typical['p50']):.3g} ns: what happens to a few of them is "
            "averaged away; let an iteration do more work to see it"
        )
    times = [tail / median for tail, median in zip(typical[statistic], typical["p50"], strict=True)]
    if min(times) > FAR:
        share = 100 * (1 - QUANTILES[statistic])
        notes.append(
            f"{key}: {statistic} is {times[0]:.0f} times the median on the baseline side and "
            f"{times[1]:.0f} times on the current one, so more than {share:.2g} % of the "
            "iterations waited, as for a CPU, and what makes others slower by less does not show; "
            "take a lower quantile or a quieter machine to see it"
        )
    return notes
