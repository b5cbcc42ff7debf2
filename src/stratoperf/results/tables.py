"""A run as a table: for pandas, and for a notebook."""

from __future__ import annotations

import html as markup
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from stratoperf.errors import PrerequisiteMissing
from stratoperf.results.schema import QUANTILES, Metric, Result
from stratoperf.statistics import Estimate

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


def html(run: Run) -> str:
    """Return an HTML table of every metric, with percentiles, intervals and verdicts."""
    head = ("benchmark", "parameters", "backend", "status", "metric", *QUANTILES, "verdict")
    lines = ["<table>", _html_row("th", head)]
    for result in run.results:
        parameters = ", ".join(f"{name}={value}" for name, value in result.params.items())
        about = (result.benchmark, parameters, result.backend, result.status)
        for name, metric in result.metrics.items():
            quantiles = [_interval(metric.statistic(quantile)) for quantile in QUANTILES]
            verdict = metric.target.verdict if metric.target else ""
            lines.append(_html_row("td", (*about, f"{name} [{metric.unit}]", *quantiles, verdict)))
        if not result.metrics:
            lines.append(_html_row("td", (*about, result.reason or "", *[""] * len(QUANTILES), "")))
    lines.append("</table>")
    return "\n".join(lines)


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
        for name in ("count", "mean", "stdev", "min", "max"):
            row[name] = getattr(metric.summary, name)
    for name in QUANTILES:
        estimate = metric.statistic(name)
        row[name] = estimate.value if estimate else None
        row[f"{name}_low"] = estimate.low if estimate else None
        row[f"{name}_high"] = estimate.high if estimate else None
    row["verdict"] = metric.target.verdict if metric.target else None
    return row


def _interval(estimate: Estimate | None) -> str:
    if estimate is None:
        return ""
    low, high = (
        "none" if side is None else f"{side:.4g}" for side in (estimate.low, estimate.high)
    )
    return f"{estimate.value:.4g} [{low}, {high}]"


def _html_row(tag: str, cells: tuple[str, ...]) -> str:
    return f"<tr>{''.join(f'<{tag}>{markup.escape(cell)}</{tag}>' for cell in cells)}</tr>"
