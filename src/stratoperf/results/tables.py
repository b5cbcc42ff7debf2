"""A run as a table: for pandas, and for a notebook."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from stratoperf.errors import PrerequisiteMissing
from stratoperf.report.markup import html_table
from stratoperf.report.units import interval, parameters
from stratoperf.report.variation_words import usual_speed, variation_words
from stratoperf.results.schema import Metric, Result
from stratoperf.statistics.estimates import QUANTILES

if TYPE_CHECKING:
    import pandas

    from stratoperf.results.run import Run


def dataframe(run: Run) -> pandas.DataFrame:
    """See `Run.to_dataframe`."""
    try:
        import pandas
    except ImportError:
        raise PrerequisiteMissing(
            "to_dataframe needs pandas: pip install 'stratoperf[dataframe]'"
        ) from None
    rows = [row for result in run.results for row in _rows(result)]
    frame: pandas.DataFrame = pandas.DataFrame.from_records(rows)
    return frame


def html(results: Iterable[Result]) -> str:
    """Return an HTML table of every metric, with percentiles, intervals and verdicts."""
    head = ("benchmark", "parameters", "backend", "status", "metric", *QUANTILES, "over", "verdict")
    whole = list(results)
    usual = usual_speed(whole)
    return html_table(head, (row for result in whole for row in _html_rows(result, usual)))


def _html_rows(result: Result, usual: Sequence[Mapping[str, Any]]) -> Iterator[tuple[str, ...]]:
    about = (result.benchmark, parameters(result.params.items()), result.backend, result.status)
    for name, metric in result.metrics.items():
        quantiles = [_interval(metric, quantile) for quantile in QUANTILES]
        verdict = metric.target.verdict if metric.target else ""
        scope = metric.summary.scope if metric.summary is not None else None
        # Where the values vary is known of the primary metric.
        words = variation_words(result, usual) if metric.primary else []
        yield (*about, name, *quantiles, "; ".join(filter(None, [scope, *words])), verdict)
    if not result.metrics:
        yield (*about, result.reason or "", *[""] * len(QUANTILES), "", "")


def _rows(result: Result) -> Iterator[dict[str, Any]]:
    about: dict[str, Any] = {
        "key": result.key,
        "benchmark": result.benchmark,
        "backend": result.backend,
        "status": result.status,
        "reason": result.reason,
        **{f"params.{name}": value for name, value in result.params.items()},
    }
    for name, metric in result.metrics.items():
        yield {**about, "metric": name, "unit": metric.unit, **_statistics(metric)}
    if not result.metrics:
        yield about


def _statistics(metric: Metric) -> dict[str, Any]:
    row: dict[str, Any] = {}
    if metric.summary is not None:
        for name in ("count", "mean", "stdev", "min", "max", "processes", "scope"):
            row[name] = getattr(metric.summary, name)
    for name in QUANTILES:
        estimate = metric.statistic(name)
        row[name] = estimate.value if estimate else None
        row[f"{name}_low"] = estimate.low if estimate else None
        row[f"{name}_high"] = estimate.high if estimate else None
    row["verdict"] = metric.target.verdict if metric.target else None
    return row


def _interval(metric: Metric, quantile: str) -> str:
    estimate = metric.statistic(quantile)
    return "" if estimate is None else interval(estimate, metric.unit)
