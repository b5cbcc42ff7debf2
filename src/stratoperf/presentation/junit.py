"""A comparison as JUnit XML, which CI systems show as tests."""

from __future__ import annotations

from xml.etree import ElementTree

from stratoperf.analysis.comparison import ComparedMetric, Comparison, metrics_with_verdicts
from stratoperf.analysis.gate import Decision
from stratoperf.presentation.comparison_words import (
    RATIO,
    basis_text,
    change_text,
    difference_text,
    failure_text,
    ratio_text,
    remaining_differences,
    statistic_text,
    threshold_text,
    value_text,
)
from stratoperf.text.safety import one_line, visible, visible_lines

_SUITE = "stratoperf"


def comparison_junit(comparison: Comparison, decision: Decision) -> str:
    """Render a comparison as JUnit XML.

    A judged result is a test. It fails when it is slower, and errs when the current side failed;
    without a verdict it is skipped, or fails where the policy says so. What was not compared is
    skipped.
    """
    suite = ElementTree.Element("testsuite", name=_SUITE)
    unsettled = "failure" if decision.policy == "fail" else "skipped"
    for metric in metrics_with_verdicts(comparison):
        _add_metric(suite, metric, unsettled)
    missing = {difference.key for difference in decision.not_compared}
    for failure in comparison.failures:
        case = add_case(suite, failure.key, f"{failure.key} on the {failure.side} side")
        kind = "error" if failure in decision.failures else "skipped"
        add_outcome(case, unsettled if failure.key in missing else kind, failure.why)
        add_output(case, failure_text(failure))
    for number, difference in enumerate(remaining_differences(comparison)):
        if not difference.compared:
            name = difference.key or f"{difference.what} {number}"
            case = add_case(suite, name, f"{name} not compared")
            add_outcome(
                case,
                unsettled if difference.key in missing else "skipped",
                difference_text(difference),
            )
    seconds = sum(metric.seconds or 0 for metric in comparison.judged)
    _add_remarks(suite, comparison)
    return junit_text(suite, seconds)


def junit_text(suite: ElementTree.Element, seconds: float) -> str:
    """Return the document with one suite, whose tests are counted here."""
    for kind, plural in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(plural, str(len(suite.findall(f"./testcase/{kind}"))))
    suite.set("tests", str(len(suite.findall("./testcase"))))
    suite.set("time", f"{seconds:.3f}")
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    body: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _add_metric(suite: ElementTree.Element, metric: ComparedMetric, unsettled: str) -> None:
    case = add_case(suite, metric.key, f"{metric.key} {statistic_text(metric)}", metric.benchmark)
    if metric.seconds is not None:
        case.set("time", f"{metric.seconds:.3f}")
    if metric.verdict == "slower":
        change = f"{change_text(metric.ratio)}, threshold {threshold_text(metric)}"
        add_outcome(case, "failure", f"{change}: {metric.why}")
    elif metric.verdict == "inconclusive":
        add_outcome(case, unsettled, metric.why)
    add_output(
        case,
        f"{metric.verdict}: baseline {value_text(metric.baseline, metric.unit)}, current "
        f"{value_text(metric.current, metric.unit)}, {RATIO} {ratio_text(metric)}, "
        f"{basis_text(metric)}; {metric.why}",
    )


def add_case(
    suite: ElementTree.Element, key: str, name: str, benchmark: str | None = None
) -> ElementTree.Element:
    """Add a test; its class is the benchmark, by default that of the key."""
    owner = benchmark or key.partition("[")[0]
    return ElementTree.SubElement(
        suite, "testcase", classname=visible(f"{_SUITE}.{owner}"), name=visible(name)
    )


def add_outcome(case: ElementTree.Element, kind: str, message: str) -> None:
    """Add a ``failure``, an ``error`` or a ``skipped`` to a test."""
    element = ElementTree.SubElement(case, kind, message=visible(one_line(message)))
    if kind != "skipped":
        element.set("type", "performance" if kind == "failure" else "failed")
        element.text = visible_lines(message)


def add_output(case: ElementTree.Element, text: str) -> None:
    """Add what a test printed."""
    ElementTree.SubElement(case, "system-out").text = visible_lines(text)


def _add_remarks(suite: ElementTree.Element, comparison: Comparison) -> None:
    about = [
        f"baseline: {comparison.baseline}",
        f"current: {comparison.current}",
        comparison.method,
        *(f"warning: {warning}" for warning in comparison.warnings),
    ]
    ElementTree.SubElement(suite, "system-out").text = visible_lines("\n".join(about))
