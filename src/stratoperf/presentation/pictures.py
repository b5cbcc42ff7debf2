"""What `plot` of each object draws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from stratoperf import media
from stratoperf.analysis.comparison import Comparison
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.measurement import Measurement
from stratoperf.presentation.charts.cases import Row, cases_chart, comparison_chart
from stratoperf.presentation.charts.chart import Chart
from stratoperf.presentation.charts.distribution import distribution_chart
from stratoperf.presentation.charts.picture import Picture
from stratoperf.presentation.charts.processes import processes_chart
from stratoperf.presentation.charts.samples import (
    Sampled,
    distinct_texts,
    primary,
    samples_of_measurement,
    samples_of_result,
)
from stratoperf.presentation.charts.timeline import timeline_chart
from stratoperf.results import Run
from stratoperf.results.schema import Result

KINDS: Mapping[str, Callable[[Sampled], Chart]] = {
    "distribution": distribution_chart,
    "samples": timeline_chart,
    "processes": processes_chart,
}
"""What can be drawn of samples."""


@media.picture.shows(Measurement)
def measurement_picture(measurement: Measurement, kind: str = "distribution") -> Picture:
    """Draw the samples of a measurement; see `Measurement.plot`."""
    return _of_samples(samples_of_measurement(measurement), kind)


@media.picture.shows(Result)
def result_picture(result: Result, kind: str = "distribution") -> Picture:
    """Draw the samples of a result; see `Result.plot`."""
    sampled = samples_of_result(result)
    if sampled is None:
        raise InvalidParameter(
            f"{result.key}: nothing to plot, it is {result.status}: {result.reason or 'no metrics'}"
        )
    return _of_samples(sampled, kind)


def _of_samples(sampled: Sampled, kind: str) -> Picture:
    draw = KINDS.get(kind)
    if draw is None:
        raise InvalidParameter(f"kind: {kind!r} is unknown; {did_you_mean(kind, KINDS)}")
    if sampled.missing:
        raise InvalidParameter(
            f"{sampled.name}: nothing to plot, {sampled.missing}; measure with keep_samples=True"
        )
    if draw is processes_chart and len(sampled.processes) < 2:
        raise InvalidParameter(
            f"kind: {sampled.name} was measured in one process; measure with processes=8 to plot "
            "how processes differ"
        )
    chart = draw(sampled)
    return Picture(chart, f"{sampled.name}: {chart.title.lower()}")


@media.picture.shows(Run)
def run_picture(run: Run) -> Picture:
    """Draw the primary metric of each result; see `Run.plot`."""
    rows: list[tuple[tuple[str, str], Row]] = []
    texts = distinct_texts(run.results)
    for result in run.results:
        named = primary(result)
        estimate = named[1].statistic("p50") if named else None
        if named is not None and estimate is not None:
            name, metric = named
            row = Row(f"{result.benchmark} {texts[result.key]}", estimate, metric.statistic("p99"))
            rows.append(((name, metric.unit), row))
    if not rows:
        raise InvalidParameter(f"run {run.id}: no result has a median to plot")
    (name, unit), _ = Counter(kind for kind, _ in rows).most_common(1)[0]
    drawn = [row for kind, row in rows if kind == (name, unit)]
    return Picture(
        cases_chart("Run", f"{name} p50", unit, drawn, f"{name} p99"), f"Run of {run.created}"
    )


@media.picture.shows(Comparison)
def comparison_picture(comparison: Comparison) -> Picture:
    """Draw the ratios of a comparison; see `Comparison.plot`."""
    chart = comparison_chart(comparison)
    if chart is None:
        raise InvalidParameter("comparison: no metric has a ratio to plot")
    return Picture(chart, f"{comparison.baseline} → {comparison.current}")
