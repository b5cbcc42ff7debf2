"""Annotations of GitHub Actions: lines that it shows beside a change.

The form is that of its workflow commands, ``::error title=TITLE::MESSAGE``.
"""

from __future__ import annotations

from collections.abc import Iterator

from stratoperf.analysis.comparison import ComparedMetric, Comparison
from stratoperf.analysis.gate import Decision
from stratoperf.presentation.comparison_words import (
    INVALIDATING,
    RATIO,
    change_text,
    difference_text,
    failure_text,
    ratio_text,
    remaining_differences,
    statistic_text,
    threshold_text,
)
from stratoperf.text.safety import visible, visible_lines

_DATA = {"%": "%25", "\n": "%0A"}
_PROPERTY = {**_DATA, ":": "%3A", ",": "%2C"}


def github_annotations(comparison: Comparison, decision: Decision) -> Iterator[str]:
    """Yield a line for everything that a reviewer must know, and one with the outcome.

    GitHub shows only the first ten of a kind: the most serious come first.
    """
    for warning in comparison.warnings:
        if warning.startswith(INVALIDATING):
            yield annotation("warning", warning.partition(":")[0].lower(), warning)
    unsettled = "error" if decision.policy == "fail" else "warning"
    missing = {difference.key for difference in decision.not_compared}
    for failure in comparison.failures:
        level = "error" if failure in decision.failures else "warning"
        level = unsettled if failure.key in missing else level
        yield annotation(level, failure.key, failure_text(failure))
    for metric in decision.slower:
        yield _on_metric("error", metric)
    for metric in decision.undecided:
        yield _on_metric(unsettled, metric)
    for difference in remaining_differences(comparison):
        if not difference.compared:
            level = unsettled if difference in decision.not_compared else "notice"
            yield annotation(level, difference.key or difference.what, difference_text(difference))
    for metric in comparison.judged:
        if metric.verdict == "faster":
            yield _on_metric("notice", metric)
    level = "error" if not decision.passes else "notice"
    if decision.passes and decision.outcome != "passed":
        level = "warning"
    yield annotation(level, "performance check", f"{decision.outcome}: {decision.reason}")


def annotation(level: str, title: str, message: str) -> str:
    """Return one annotation.

    Parameters
    ----------
    level
        ``"error"``, ``"warning"`` or ``"notice"``.
    title, message
        Whatever they contain; line breaks of the message stay.
    """
    name = _escaped(visible(title), _PROPERTY)
    return f"::{level} title={name}::{_escaped(visible_lines(message), _DATA)}"


def _on_metric(level: str, metric: ComparedMetric) -> str:
    title = f"{metric.verdict}: {metric.key}"
    message = (
        f"{statistic_text(metric)}: {change_text(metric.ratio)} ({RATIO} "
        f"{ratio_text(metric)}, threshold {threshold_text(metric)}); {metric.why}"
    )
    return annotation(level, title, message)


def _escaped(text: str, table: dict[str, str]) -> str:
    return "".join(table.get(letter, letter) for letter in text)
