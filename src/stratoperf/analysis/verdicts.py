"""From the interval of a ratio to a verdict."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from stratoperf.analysis.comparison import Verdict
from stratoperf.arguments import shown
from stratoperf.errors import InvalidParameter
from stratoperf.results.schema import Better
from stratoperf.statistics import Estimate

LARGEST_THRESHOLD = 10.0
"""A threshold above it is a percentage given where a fraction is meant."""


def verdict_of(ratio: Estimate | None, threshold: float) -> Verdict:
    """Return the verdict on the interval of a ratio, above 1 where the current side is slower.

    Parameters
    ----------
    ratio
        With its interval; a missing bound decides nothing on its side.
    threshold
        As a fraction.
    """
    if ratio is None:
        return "inconclusive"
    upper = 1 + threshold
    lower = 1 / upper
    if ratio.low is not None and ratio.low > upper:
        return "slower"
    if ratio.high is not None and ratio.high < lower:
        return "faster"
    if (
        ratio.low is not None
        and ratio.high is not None
        and lower <= ratio.low
        and ratio.high <= upper
    ):
        return "same"
    return "inconclusive"


def ratio_name(better: Better) -> str:
    """Return which ratio of two values is above 1 where the current side is the worse one."""
    return "current / baseline" if better == "lower" else "baseline / current"


def why_decided(interval: str, verdict: Verdict, threshold: float) -> str | None:
    """Return why an interval, given in words, has that verdict; ``None`` if it is inconclusive."""
    upper = 1 + threshold
    lower = 1 / upper
    places = {
        "slower": f"above {upper:.4g}",
        "faster": f"below {lower:.4g}",
        "same": f"between {lower:.4g} and {upper:.4g}",
    }
    return f"{interval} lies {places[verdict]}" if verdict in places else None


def check_threshold(threshold: float, name: str = "threshold") -> None:
    """Raise `InvalidParameter` unless the threshold is a fraction that can be exceeded."""
    is_number = isinstance(threshold, int | float | np.number) and not isinstance(threshold, bool)
    if not (is_number and 0 < threshold <= LARGEST_THRESHOLD):
        raise InvalidParameter(
            f"{name}: must be a fraction above 0 and at most {LARGEST_THRESHOLD:g}, "
            f"got {shown(threshold)}; 5 % is 0.05"
        )


def check_thresholds(thresholds: Mapping[str, float] | None) -> dict[str, float]:
    """Return thresholds by pattern, each of them checked; none for ``None``.

    Raises
    ------
    InvalidParameter
        When `thresholds` is not a mapping, or a value is out of range.
    """
    if thresholds is not None and not isinstance(thresholds, Mapping):
        raise InvalidParameter(
            f"thresholds: expected fractions by pattern such as {{'kv.*': 0.1}}, got {thresholds!r}"
        )
    checked = dict(thresholds or {})
    for pattern, threshold in checked.items():
        check_threshold(threshold, f"thresholds[{pattern!r}]")
    return checked
