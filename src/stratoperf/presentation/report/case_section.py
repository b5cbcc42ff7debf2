"""One case: what was measured and how, its figures, and what disturbed it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from stratoperf.presentation.charts.chart import Chart, Table
from stratoperf.presentation.charts.distribution import distribution_chart
from stratoperf.presentation.charts.processes import processes_chart
from stratoperf.presentation.charts.samples import QUANTILE_NAMES, Sampled, case_text, primary
from stratoperf.presentation.charts.timeline import timeline_chart
from stratoperf.presentation.charts.trend import trend_chart
from stratoperf.presentation.elements import Child, Markup, element
from stratoperf.presentation.report.subject import Case
from stratoperf.presentation.report.summary import classes, filter_text
from stratoperf.presentation.report.tables import chip, facts, figure, items, plain_table
from stratoperf.presentation.variation_words import variation_words
from stratoperf.results.schema import Result
from stratoperf.text.safety import one_line
from stratoperf.text.units import interval, percent, quantity

_FEWEST_EACH = 5

_ENVIRONMENT = {
    "steal_percent": "CPU taken by the host [%]",
    "waiting_percent": "waiting for a CPU [%]",
    "other_load": "load of other processes [CPUs]",
    "involuntary_switches": "involuntary context switches",
    "voluntary_switches": "voluntary context switches",
    "page_faults": "page faults",
    "major_faults": "page faults from a disk",
    "cpu_frequency": "frequency of the CPU",
    "throttled": "thermal throttling",
    "gpu_utilization": "use of the GPU [%]",
}
"""What a run records beside the samples, in words; further facts keep their own name."""


def case_section(case: Case, sampled: Sampled | None, *, opened: bool, points: int) -> Markup:
    """Return the details of one case, which a reader opens.

    Parameters
    ----------
    case
        The case.
    sampled
        Its samples, where it has metrics.
    opened
        Whether they are open at first.
    points
        Largest number of points of a curve.
    """
    result = case.result
    charts = list(_charts(case, sampled, points))
    return element(
        "details",
        element("summary", _head(case)),
        element(
            "div",
            facts(list(_facts(case, sampled))),
            items(list(_remarks(result)), "remarks"),
            element("p", f"No figures of the samples: {sampled.missing}.", class_="note")
            if sampled is not None and sampled.missing
            else None,
            element("div", map(figure, charts), class_="figures") if charts else None,
            _use(result),
            # The target of links: a browser opens what they lead into.
            id=case.id,
        ),
        class_=" ".join(filter(None, ["one", classes(case)])),
        data_f=filter_text(case),
        open=opened or result.status == "failed",
    )


def _head(case: Case) -> list[Child]:
    result = case.result
    named = primary(result)
    median = named[1].statistic("p50") if named else None
    head: list[Child] = [element("span", case.text, class_="case")]
    if named is not None and median is not None:
        head += [" ", element("b", quantity(median.value, named[1].unit))]
    texts: list[str] = [] if result.status == "ok" else [result.status]
    texts += [case.verdict] if case.verdict else []
    return [*head, *([" ", chip(text)] for text in texts)]


def _facts(case: Case, sampled: Sampled | None) -> Iterator[tuple[str, Child]]:
    result = case.result
    yield "case", f"{result.benchmark} {case_text(result)}"
    for name, metric in result.metrics.items():
        values = [
            f"{title} {interval(estimate, metric.unit)}"
            for quantile, title in QUANTILE_NAMES.items()
            if (estimate := metric.statistic(quantile)) is not None
        ]
        if metric.mean is not None:
            values.append(f"mean {interval(metric.mean, metric.unit)}")
        elif metric.summary is not None and metric.summary.mean is not None:
            values.append(f"mean {quantity(metric.summary.mean, metric.unit)}")
        yield name, "; ".join(values) or "no statistics"
        if metric.target is not None:
            target = metric.target
            text = f" {target.statistic} {target.direction} {quantity(target.value, target.unit)}"
            why = f": {target.why}" if target.why else ""
            yield "claim", [chip(target.verdict.replace("-", " ")), text, why]
    named = primary(result)
    summary = named[1].summary if named else None
    if summary is not None:
        one_sample = f", each {sampled.what}" if sampled is not None and not sampled.missing else ""
        yield "samples", f"{summary.count}{one_sample}"
        if summary.scope:
            yield "intervals of", summary.scope
        if summary.outliers is not None:
            yield "beyond 3 sigma", f"{summary.outliers.count} samples (kept)"
    if result.warmup is not None:
        yield "warm-up", f"{result.warmup.seconds:.3g} s, {result.warmup.iterations} iterations"
    if result.verification is not None:
        check = result.verification
        yield "verified", f"{check.checked} outcomes, {'all right' if check.passed else 'WRONG'}"
    if result.stopped_because:
        yield "stopped by", result.stopped_because.replace("_", " ")
    words = variation_words(result)
    if words:
        yield "variation", "; ".join(words)
    if result.variation is not None and result.variation.within is not None:
        own = result.variation
        yield (
            "scatter",
            f"within a process {percent(own.within, 2)}, "
            f"between processes {percent(own.between, 2)}",
        )
    if case.run.path is not None:
        yield "samples in", element("code", case.run.path.name)


def _remarks(result: Result) -> Iterator[str]:
    if result.reason:
        yield f"{result.status}: {one_line(result.reason)}"
    if result.disturbed:
        yield f"disturbed: {one_line(result.disturbed)}"
    for title, texts in (
        ("warning", result.warnings),
        ("below the standard", result.below_standard),
        ("note", result.notes),
    ):
        yield from (f"{title}: {one_line(text)}" for text in texts)


def _charts(case: Case, sampled: Sampled | None, points: int) -> Iterator[Chart]:
    if sampled is not None and not sampled.missing:
        yield distribution_chart(sampled, _alike(case.baseline, sampled), points)
        yield timeline_chart(sampled, points // 2)
        processes = len(sampled.processes)
        # The single sample of a command has no variation within.
        if processes > 1 and sampled.size >= _FEWEST_EACH * processes:
            yield processes_chart(sampled)
    if case.trend is not None:
        chart = trend_chart(case.trend)
        if chart is not None:
            yield chart


def _alike(baseline: Sampled | None, sampled: Sampled) -> Sampled | None:
    """Return the samples of the baseline where they are of the same metric."""
    if baseline is None or baseline.missing:
        return None
    same = (baseline.metric, baseline.unit) == (sampled.metric, sampled.unit)
    return baseline if same else None


def _use(result: Result) -> Markup | None:
    """Return what the machine did meanwhile, with each process where there are several."""
    rows = [
        (_ENVIRONMENT.get(name, name.replace("_", " ")), plain(value))
        for name, value in result.environment.items()
        if value not in (None, [], {})
    ]
    rows += [(name.replace("_", " "), plain(value)) for name, value in result.details.items()]
    if not rows:
        return None
    return element(
        "details",
        element("summary", "the machine during the measurement, and details"),
        plain_table(Table(("fact", "value"), rows)),
        class_="data",
    )


def plain(value: Any) -> str:
    """Return a fact in words, whatever its type."""
    if isinstance(value, Mapping):
        return ", ".join(f"{name.replace('_', ' ')} {plain(own)}" for name, own in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(map(plain, value))
    return f"{value:.4g}" if isinstance(value, float) else str(value)
