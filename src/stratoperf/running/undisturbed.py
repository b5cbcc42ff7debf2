"""Which processes of a case count, when some were disturbed from outside.

A disturbed process is measured again in a later pass, when whatever disturbed it may be gone. When
enough processes were quiet, the estimates rest on these alone.

To leave out measurements is dangerous: leaving out what is slow makes any machine fast, and
measuring again until a claim is met would meet it. So nothing here reads a measured value. A part
says whether it was disturbed before its samples are looked at, from counters of the kernel alone
(`stratoperf.monitor.disturbance`), and how often a case is measured again follows from those words
and from counts. What was left out stays in the run file, beside what counts, so that anybody can
see what it would have changed (`Result.left_out`).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from stratoperf.text.alike_warnings import worst_of_each_kind

MOST_TIMES = 2
"""A case is measured in as many extra processes as planned at most: where more than half of the
processes are disturbed, the machine is not quiet enough to judge anything on."""


class Choice(NamedTuple):
    """The processes that the estimates of a case rest on.

    Attributes
    ----------
    kept, left_out
        The parts that count, and those that do not, in the order measured.
    disturbed
        What disturbed them, where all processes were disturbed; the result's ``disturbed``.
    note
        What was left out, for the result's ``notes``; or ``None``.
    """

    kept: list[dict[str, Any]]
    left_out: list[dict[str, Any]]
    disturbed: str | None
    note: str | None


def choose(parts: Sequence[dict[str, Any]], least: int) -> Choice:
    """Return which processes of a case count.

    Parameters
    ----------
    parts
        What each process measured; ``part["disturbed"]`` says what disturbed it.
    least
        How many processes an estimate should rest on.

    Returns
    -------
    Choice
        The undisturbed parts, when they are `least` or more than half of all; else all parts.
    """
    quiet = [part for part in parts if not part.get("disturbed")]
    noisy = [part for part in parts if part.get("disturbed")]
    if not noisy:
        return Choice(quiet, [], None, None)
    causes = (cause for part in noisy for cause in part["disturbed"].split("; "))
    # How many a cause is the worst of is only told where there are several causes.
    of_all = f" (the worst of {len(noisy)})"
    words = "; ".join(cause.removesuffix(of_all) for cause in worst_of_each_kind(causes))
    if len(parts) == 1:
        return Choice(list(parts), [], words, None)
    summary = f"{len(noisy)} of {len(parts)} processes, at worst: {words}"
    if len(quiet) >= least or len(quiet) > len(noisy):
        return Choice(quiet, noisy, None, f"left out as disturbed: {summary}")
    return Choice(list(parts), [], summary, None)


def wants_another(parts: Sequence[dict[str, Any]], planned: int) -> bool:
    """Return whether a case needs another process to reach the planned number of undisturbed ones.

    Parameters
    ----------
    parts
        What each process measured so far, those of an earlier session of the run included.
    planned
        How many undisturbed processes there should be.
    """
    quiet = sum(not part.get("disturbed") for part in parts)
    return quiet < planned and len(parts) < MOST_TIMES * planned
