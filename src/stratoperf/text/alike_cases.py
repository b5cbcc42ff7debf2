"""Many cases in one phrase, for what holds for all of them, such as that there is no GPU."""

from __future__ import annotations

from collections.abc import Sequence

_MOST_NAMES = 3
"""Names in a phrase; with more of them the reason behind it would be hard to find."""


def cases_of(benchmarks: Sequence[str]) -> str:
    """Return how many cases there are, and of which benchmarks.

    Parameters
    ----------
    benchmarks
        The benchmark of each case.

    Returns
    -------
    str
        Such as ``2 cases of kv.put``, or ``39 cases of kv.get, kv.put, memory.copy and 9 more``.
    """
    count = "1 case" if len(benchmarks) == 1 else f"{len(benchmarks)} cases"
    names = list(dict.fromkeys(benchmarks))
    # A single name takes no more room than the number of those left out.
    shown = names if len(names) <= _MOST_NAMES + 1 else names[:_MOST_NAMES]
    rest = len(names) - len(shown)
    last = [f"{rest} more"] if rest else [shown.pop()] if len(shown) > 1 else []
    return f"{count} of {' and '.join([', '.join(shown), *last])}"
