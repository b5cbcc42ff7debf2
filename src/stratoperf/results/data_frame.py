"""A run as a pandas data frame."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from stratoperf.errors import PrerequisiteMissing
from stratoperf.results.schema import Metric, Result
from stratoperf.statistics.estimates import QUANTILES

if TYPE_CHECKING:
    import pandas


def data_frame(results: Iterable[Result]) -> pandas.DataFrame:
    """See `Run.to_dataframe`."""
    try:
        import pandas
    except ImportError:
        raise PrerequisiteMissing(
            "to_dataframe needs pandas: pip install 'stratoperf[dataframe]'"
        ) from None
    rows = list(table_rows(results))
    frame: pandas.DataFrame = pandas.DataFrame.from_records(rows)
    return frame


def table_rows(results: Iterable[Result]) -> Iterator[dict[str, Any]]:
    """Yield a row for each result and metric; the columns are those of `Run.to_dataframe`."""
    return (row for result in results for row in _rows(result))


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
