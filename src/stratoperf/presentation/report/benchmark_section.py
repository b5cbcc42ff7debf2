"""One benchmark: its cases in a table of one unit, how they compare, and each case."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stratoperf.analysis.comparison import ComparedMetric
from stratoperf.presentation.charts.cases import Row as CaseRow
from stratoperf.presentation.charts.cases import cases_chart
from stratoperf.presentation.charts.chart import Chart
from stratoperf.presentation.charts.samples import QUANTILE_NAMES, Sampled, primary
from stratoperf.presentation.charts.scaling import scaling_charts
from stratoperf.presentation.comparison_words import RATIO, ratio_text, value_text
from stratoperf.presentation.elements import Markup, element
from stratoperf.presentation.report.case_section import case_section
from stratoperf.presentation.report.subject import Case
from stratoperf.presentation.report.summary import classes, filter_text
from stratoperf.presentation.report.tables import (
    Cell,
    Row,
    chip,
    common_scale,
    figure,
    in_scale,
    sortable,
    titled,
)
from stratoperf.results.schema import Metric
from stratoperf.statistics import Estimate
from stratoperf.text.units import NOTHING, Scale

THROUGHPUT = "throughput"


def benchmark_section(
    name: str,
    link: str,
    cases: Sequence[tuple[Case, Sampled | None]],
    *,
    compared: bool,
    opened: bool,
    points: int,
) -> Markup:
    """Return the section of one benchmark.

    Parameters
    ----------
    name
        Of the benchmark.
    link
        Its name in links to it.
    cases
        Those that were not skipped, with their samples.
    compared
        Whether there is a baseline.
    opened
        Whether the details of all cases are open at first.
    points
        Largest number of points of a curve.
    """
    groups = _by_metric([case for case, _ in cases])
    tables = [_table(*group, compared=compared) for group in groups]
    charts = [chart for metric, unit, own in groups for chart in _charts(metric, unit, own)]
    return element(
        "section",
        element("h2", element("a", name, href=f"#{link}")),
        tables,
        element("div", map(figure, charts), class_="figures") if charts else None,
        [case_section(case, sampled, opened=opened, points=points) for case, sampled in cases],
        id=link,
        class_=_section_classes([case for case, _ in cases]),
    )


def _section_classes(cases: Sequence[Case]) -> str:
    """Return the classes by which a switch hides the section with all of its cases."""
    own = [(classes(case) or "").split() for case in cases]
    quiet = ["quiet"] if all("quiet" in names for names in own) else []
    slower = ["slower"] if any("slower" in names for names in own) else []
    return " ".join(["benchmark", *quiet, *slower])


def _by_metric(cases: Sequence[Case]) -> list[tuple[str, str, list[Case]]]:
    """Group cases by the name and the unit of their primary metric: one table has one unit."""
    groups: dict[tuple[str, str], list[Case]] = {}
    for case in cases:
        named = primary(case.result)
        kind = (named[0], named[1].unit) if named else ("", "")
        groups.setdefault(kind, []).append(case)
    return [(name, unit, own) for (name, unit), own in groups.items()]


def _table(metric: str, unit: str, cases: Sequence[Case], *, compared: bool) -> Markup:
    quantiles = [
        name for name in QUANTILE_NAMES if any(_statistic(case, metric, name) for case in cases)
    ]
    scale = common_scale([_statistic(case, metric, "p50") for case in cases], unit)
    rates = {case.id: case.result.metrics.get(THROUGHPUT) for case in cases}
    units = {rate.unit for rate in rates.values() if rate is not None and rate.mean is not None}
    # Rates of several units have no column in common.
    rate_unit = next(iter(units)) if len(units) == 1 and metric != THROUGHPUT else None
    rate_scale = common_scale([_mean(rate) for rate in rates.values()], rate_unit or "")
    head = ["case", *(titled(QUANTILE_NAMES[name], scale) for name in quantiles)]
    means = not quantiles and any(_has_mean(case, metric) for case in cases)
    if means:
        head.append(titled("mean", scale))
    if rate_unit is not None:
        head.append(titled(THROUGHPUT, rate_scale))
    if compared:
        head += ["baseline", RATIO]
    processes = {case.id: _processes(case, metric) for case in cases}
    # Old files do not say over how many processes an interval is.
    over = ["processes"] if any(processes.values()) else []
    head += [*over, "status"]
    rows = []
    for case in cases:
        link = element("a", case.text, href=f"#{case.id}")
        cells = [Cell(link)]
        cells += [in_scale(_statistic(case, metric, name), scale) for name in quantiles]
        if means:
            cells.append(_plain_mean(case.result.metrics[metric], scale))
        if rate_unit is not None:
            cells.append(in_scale(_mean(rates[case.id]), rate_scale))
        if compared:
            cells += _compared_cells(case)
        cells += [
            *([Cell(processes[case.id], processes[case.id])] if over else []),
            Cell(_status(case)),
        ]
        rows.append(Row(cells, classes(case) or "", filter_text(case)))
    numeric = [False, *[True] * (len(head) - 2), False]
    return sortable(f"{metric or 'not measured'}, with 95 % intervals", head, numeric, rows)


def _statistic(case: Case, metric: str, name: str) -> Estimate | None:
    own = case.result.metrics.get(metric)
    return own.statistic(name) if own else None


def _mean(metric: Metric | None) -> Estimate | None:
    return metric.mean if metric else None


def _has_mean(case: Case, metric: str) -> bool:
    own = case.result.metrics.get(metric)
    return own is not None and bool(own.mean or (own.summary and own.summary.mean is not None))


def _plain_mean(metric: Metric, scale: Scale) -> Cell:
    if metric.mean is not None:
        return in_scale(metric.mean, scale)
    value = metric.summary.mean if metric.summary else None
    return Cell(NOTHING) if value is None else Cell(f"{value / scale.divisor:.4g}", value)


def _compared_cells(case: Case) -> list[Cell]:
    metric: ComparedMetric | None = next(
        (metric for metric in case.compared if metric.judged), None
    )
    if metric is None:
        return [Cell(NOTHING), Cell(NOTHING)]
    value = metric.baseline.value if metric.baseline else None
    ratio = metric.ratio.value if metric.ratio else None
    return [
        Cell(value_text(metric.baseline, metric.unit), value),
        Cell(ratio_text(metric), ratio),
    ]


def _processes(case: Case, metric: str) -> int | None:
    own = case.result.metrics.get(metric)
    return own.summary.processes if own and own.summary else None


def _status(case: Case) -> list[Markup]:
    result = case.result
    chips: list[str] = [] if result.status == "ok" else [result.status]
    chips += [case.verdict] if case.verdict else []
    chips += [metric.target.verdict for metric in result.metrics.values() if metric.target]
    if result.disturbed is not None or result.warnings:
        chips.append("noisy")
    return [chip(text) for text in dict.fromkeys(chips) if text != "not-measured"] or [chip("ok")]


def _charts(metric: str, unit: str, cases: Sequence[Case]) -> Iterator[Chart]:
    """Yield how the cases scale, or where nothing scales, how they lie beside each other."""
    results = [case.result for case in cases if case.result.metrics]
    wanted = [(metric, "p50", unit)]
    rates = {own.unit for result in results if (own := result.metrics.get(THROUGHPUT))}
    if len(rates) == 1 and metric != THROUGHPUT:
        wanted.append((THROUGHPUT, "mean", rates.pop()))
    for name, statistic, own_unit in wanted:
        charts = list(scaling_charts(results, name, statistic, own_unit))
        if charts:
            yield from charts
            continue
        further = "p99" if statistic == "p50" else ""
        rows = [
            CaseRow(case.text, estimate, _statistic(case, name, further) if further else None)
            for case in cases
            if (estimate := _statistic(case, name, statistic)) is not None
        ]
        if len(rows) > 1:
            label = f"{name} {statistic}"
            yield cases_chart(
                f"{label} of each case",
                label,
                own_unit,
                rows,
                f"{name} {further}" if further else "",
            )
