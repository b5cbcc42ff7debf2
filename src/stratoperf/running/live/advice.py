"""The budget that would probably settle a case, estimated from the pairs so far."""

from __future__ import annotations

import math
import statistics

from stratoperf.analysis.paired_design import LOOKS, SPENDING_EXPONENT, Design

LEAST_FACTOR = 1.5
"""Times the budget that is advised at least: the same once more is settled by chance alone."""

MOST_FACTOR = 100.0
"""Times the budget beyond which the advice is not to wait longer."""

TRUST = 0.9
"""The probability, by the pairs so far, with which a budget that is advised settles a case."""

MARGIN = 1.2
"""For pairs that take longer at another time."""

_STEP = 1.05
_ONE_SIGMA = 0.6827


def settling_factor(design: Design) -> float | None:
    """Return the factor by which more pairs would settle a case that these pairs did not.

    The center of the pairs to come scatters around the true one as the center of those so far
    does, so their difference has both errors; beyond it the interval to come must clear the
    threshold. Both shrink with the square root of the number of pairs. (With equal odds for any
    true center this is its predictive distribution.)

    Parameters
    ----------
    design
        With the pairs so far. All its looks together may have its error; the last one has what
        those before leave.

    Returns
    -------
    float or None
        ``None`` where no number of pairs is likely enough to settle it, or too few are known.
    """
    center = design.center(_ONE_SIGMA)
    if center.low is None or center.high is None:
        return None
    # The error is itself known from few pairs only: a margin of its own relative error.
    sigma = (center.high - center.low) / 2 * (1 + 1 / math.sqrt(2 * design.units))
    bound = math.log1p(design.threshold)
    distance = min(abs(center.value - bound), abs(center.value + bound))
    normal = statistics.NormalDist()
    left = design.error * (1 - LOOKS[-2] ** SPENDING_EXPONENT)
    reach, doubt = normal.inv_cdf(1 - left / 2), normal.inv_cdf(TRUST)
    factor = LEAST_FACTOR
    while factor <= MOST_FACTOR:
        if distance >= sigma * (doubt * math.sqrt(1 + 1 / factor) + reach / math.sqrt(factor)):
            return factor
        factor *= _STEP
    return None


def too_few_pairs(key: str, seconds: float, duration_s: float, least_pairs: int) -> str | None:
    """Return a sentence where a budget cannot hold the pairs that an interval needs.

    Parameters
    ----------
    key
        Key of the case.
    seconds
        What the first pair took, with a trial that may have come before it.
    duration_s
        The budget.
    least_pairs
        How many an interval needs.
    """
    # The shortest that a pair can be: as long as the trial.
    pair_s = seconds / 2
    most = 1 + int((duration_s - seconds) / pair_s)
    if most >= least_pairs:
        return None
    return (
        f"{key}: a pair takes about {pair_s:.3g} s at least, so at most {most} of the "
        f"{least_pairs} pairs that an interval needs fit into the budget of {duration_s:g} s; give "
        f"a budget of at least {budget_text((least_pairs + 1) * pair_s * MARGIN)}"
    )


def budget_text(seconds: float) -> str:
    """Return a budget, rounded up, with the option for it: ``41 s (--duration 41s)``."""
    number = rounded_up(seconds)
    return f"{number} s (--duration {number}s)"


def rounded_up(number: float) -> str:
    """Return a number rounded up to two digits."""
    scale = 10.0 ** (1 - math.floor(math.log10(number)))
    # Less a hair: 4.1 stays 4.1.
    rounded = math.ceil(number * scale * (1 - 1e-9)) / scale
    return f"{rounded:.10g}" if rounded < 1e9 else f"{rounded:.0f}"
