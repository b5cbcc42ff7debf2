"""Numbers and verdicts of results as cells of a table."""

from __future__ import annotations

import math

from stratoperf.presentation.terminal.tables import Cell
from stratoperf.results import Result
from stratoperf.running.targets import most_severe
from stratoperf.statistics import Estimate
from stratoperf.text import units

VERDICT_STYLES = {
    "met": "green",
    "missed": "bold red",
    "inconclusive": "yellow",
    "not-measured": "dim",
}
STATUS_STYLES = {"failed": "bold red", "interrupted": "yellow", "skipped": "dim"}
WIDEST_PERCENT = 99
NOTHING = Cell(units.NOTHING, "dim")
NO_CLAIM = Cell("no claim", "dim")


def latency(estimate: Estimate | None, *, compact: bool) -> Cell:
    """Show nanoseconds with their interval: ``12.3 [12.1, 12.7] µs``, or ``12.3 µs ±3%``.

    A ``?`` stands for a side that too few samples leave open.
    """
    if estimate is None:
        return NOTHING
    if compact:
        return Cell(f"{units.quantity(estimate.value, 'ns')} {relative(estimate)}")
    return Cell(units.interval(estimate, "ns"))


def relative(estimate: Estimate) -> str:
    """Return the wider half of the interval in percent of the value, rounded up: ``±3%``."""
    if estimate.low is None or estimate.high is None or estimate.value == 0:
        return "±?"
    half = max(estimate.high - estimate.value, estimate.value - estimate.low)
    share = 100 * half / abs(estimate.value)
    if not math.isfinite(share):
        return "±?"
    percent = math.ceil(share)
    # Beyond that the number of digits says nothing more, and only widens the column.
    return f"±{percent}%" if percent <= WIDEST_PERCENT else f">{WIDEST_PERCENT}%"


def parameter(value: object) -> Cell:
    """Show a parameter's value; a missing one as a dash."""
    return NOTHING if value is None else Cell(units.parameter(value))


def throughput(result: Result) -> Cell:
    """Show the mean rate, or a dash."""
    metric = result.metrics.get("throughput")
    estimate = metric.statistic("mean") if metric is not None else None
    if metric is None or estimate is None:
        return NOTHING
    return Cell(units.quantity(estimate.value, metric.unit))


def verdict_of(result: Result) -> str | None:
    """Return the verdict that needs attention first, or ``None`` without a target."""
    verdicts = [each.target for each in result.metrics.values() if each.target is not None]
    worst = most_severe(verdicts)
    return None if worst is None else worst.verdict


def verdict(result: Result) -> Cell:
    """Show the status if it is not ``ok``, else the verdict on the target in words."""
    if result.status != "ok":
        return Cell(result.status, STATUS_STYLES[result.status])
    word = verdict_of(result)
    # "not measured" beside measured numbers would puzzle; the claim's line says more.
    if word is None or word == "not-measured":
        return NO_CLAIM
    return verdict_cell(word)


def verdict_cell(word: str) -> Cell:
    """Show a verdict in words and color."""
    return Cell(word.replace("-", " "), VERDICT_STYLES.get(word, ""))
