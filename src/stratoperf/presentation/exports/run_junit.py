"""A run as JUnit XML."""

from __future__ import annotations

from xml.etree import ElementTree

from stratoperf.presentation.junit import add_case, add_outcome, add_output, junit_text
from stratoperf.results import Result, Run
from stratoperf.text.units import interval


def run_junit(run: Run) -> str:
    """Render a run as JUnit XML.

    A result is a test: it errs where the benchmark failed, fails where a claim is missed, and is
    skipped where nothing was measured. A claim without a verdict does not fail it.
    """
    suite = ElementTree.Element("testsuite", name="stratoperf")
    for result in run.results:
        _add_result(suite, result)
    return junit_text(suite, seconds=0.0)


def _add_result(suite: ElementTree.Element, result: Result) -> None:
    case = add_case(suite, result.key, result.key, result.benchmark)
    missed = [
        f"{name}: {metric.target.why or metric.target.verdict}"
        for name, metric in result.metrics.items()
        if metric.target is not None and metric.target.verdict == "missed"
    ]
    if result.status == "failed":
        add_outcome(case, "error", result.reason or "it failed")
    elif missed:
        add_outcome(case, "failure", "; ".join(missed))
    elif result.status != "ok":
        add_outcome(case, "skipped", f"{result.status}: {result.reason or 'no reason is known'}")
    said = [
        f"{name} {statistic} {interval(estimate, metric.unit)}"
        for name, metric in result.metrics.items()
        for statistic in ("p50", "p95", "p99")
        if (estimate := metric.statistic(statistic)) is not None
    ]
    add_output(case, "\n".join([*said, *result.warnings, *result.notes]))
