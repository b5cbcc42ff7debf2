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
        case = _case(suite, failure.key, f"{failure.key} on the {failure.side} side")
        kind = "error" if failure in decision.failures else "skipped"
        _outcome(case, unsettled if failure.key in missing else kind, failure.why)
        _system_out(case, failure_text(failure))
    for number, difference in enumerate(remaining_differences(comparison)):
        if not difference.compared:
            name = difference.key or f"{difference.what} {number}"
            case = _case(suite, name, f"{name} not compared")
            _outcome(
                case,
                unsettled if difference.key in missing else "skipped",
                difference_text(difference),
            )
    for kind, plural in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(plural, str(len(suite.findall(f"./testcase/{kind}"))))
    suite.set("tests", str(len(suite)))
    suite.set("time", f"{sum(metric.seconds or 0 for metric in comparison.judged):.3f}")
    _add_remarks(suite, comparison)
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    body: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _add_metric(suite: ElementTree.Element, metric: ComparedMetric, unsettled: str) -> None:
    case = _case(suite, metric.key, f"{metric.key} {statistic_text(metric)}", metric.benchmark)
    if metric.seconds is not None:
        case.set("time", f"{metric.seconds:.3f}")
    if metric.verdict == "slower":
        change = f"{change_text(metric.ratio)}, threshold {threshold_text(metric)}"
        _outcome(case, "failure", f"{change}: {metric.why}")
    elif metric.verdict == "inconclusive":
        _outcome(case, unsettled, metric.why)
    _system_out(
        case,
        f"{metric.verdict}: baseline {value_text(metric.baseline, metric.unit)}, current "
        f"{value_text(metric.current, metric.unit)}, {RATIO} {ratio_text(metric)}, "
        f"{basis_text(metric)}; {metric.why}",
    )


def _case(
    suite: ElementTree.Element, key: str, name: str, benchmark: str | None = None
) -> ElementTree.Element:
    owner = benchmark or key.partition("[")[0]
    return ElementTree.SubElement(
        suite, "testcase", classname=visible(f"{_SUITE}.{owner}"), name=visible(name)
    )


def _outcome(case: ElementTree.Element, kind: str, message: str) -> None:
    element = ElementTree.SubElement(case, kind, message=visible(one_line(message)))
    if kind != "skipped":
        element.set("type", "performance" if kind == "failure" else "failed")
        element.text = visible_lines(message)


def _system_out(case: ElementTree.Element, text: str) -> None:
    ElementTree.SubElement(case, "system-out").text = visible_lines(text)


def _add_remarks(suite: ElementTree.Element, comparison: Comparison) -> None:
    about = [
        f"baseline: {comparison.baseline}",
        f"current: {comparison.current}",
        comparison.method,
        *(f"warning: {warning}" for warning in comparison.warnings),
    ]
    ElementTree.SubElement(suite, "system-out").text = visible_lines("\n".join(about))
