"""A run in GitHub's Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stratoperf.presentation.markdown import markdown_row
from stratoperf.results import Result, Run
from stratoperf.results.schema import Metric
from stratoperf.statistics.estimates import QUANTILES
from stratoperf.text.safety import markdown
from stratoperf.text.units import NOTHING, interval, parameters, quantity

_SHOWN = ("p50", "p95", "p99")


def run_markdown(run: Run) -> str:
    """Render a run in GitHub's Markdown: a table for each benchmark, then what went wrong."""
    lines = [f"### Benchmark run of {markdown(run.created)}", ""]
    for name in dict.fromkeys(result.benchmark for result in run.results):
        lines += _benchmark(name, [each for each in run.results if each.benchmark == name])
    for machine, system in run.systems.items():
        facts = [str(fact) for fact in (system.cpu, system.os, system.kernel) if fact]
        lines += [f"<sub>{markdown(f'{machine}: ' + '; '.join(facts))}</sub>", ""]
    return "\n".join(lines)


def _benchmark(name: str, results: Sequence[Result]) -> Iterator[str]:
    yield f"#### {markdown(name)}"
    yield ""
    rows = [row for result in results for row in _rows(result)]
    if rows:
        yield markdown_row(["case", "metric", *_SHOWN, "over", "claim"])
        yield markdown_row(["---", "---", *["--:"] * len(_SHOWN), "---", "---"], plain=True)
        yield from (markdown_row(row) for row in rows)
        yield ""
    for result in results:
        if result.status != "ok":
            case = parameters({**result.params, "backend": result.backend}.items())
            yield markdown(f"{case}: {result.status}: {result.reason or 'no reason is known'}")
            yield ""


def _rows(result: Result) -> Iterator[list[str]]:
    case = parameters({**result.params, "backend": result.backend}.items())
    for name, metric in result.metrics.items():
        scope = (metric.summary.scope if metric.summary else None) or NOTHING
        yield [
            case,
            name,
            *(_value(metric, statistic) for statistic in _SHOWN),
            scope,
            metric.target.verdict if metric.target else NOTHING,
        ]


def _value(metric: Metric, statistic: str) -> str:
    estimate = metric.statistic(statistic)
    if estimate is not None:
        return interval(estimate, metric.unit)
    if statistic == next(iter(QUANTILES)) and metric.summary and metric.summary.mean is not None:
        return f"mean {quantity(metric.summary.mean, metric.unit)}"
    return NOTHING
