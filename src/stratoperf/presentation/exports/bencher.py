"""A run in the Bencher Metric Format.

See https://bencher.dev/docs/reference/bencher-metric-format: for each benchmark the measures, each
with a value and its bounds.
"""

from __future__ import annotations

from typing import Any

from stratoperf.results import Run
from stratoperf.results.storage import encode_line
from stratoperf.statistics.estimates import Estimate


def run_bmf(run: Run) -> str:
    """Render a run as JSON in the Bencher Metric Format.

    The measure ``latency`` is the median in nanoseconds, with its 95 % interval; ``latency-p95``
    and the like are the other statistics. Results without values are left out.
    """
    document = {
        result.key: measures for result in run.results if (measures := _measures(result.metrics))
    }
    return encode_line(document).decode()


def _measures(metrics: Any) -> dict[str, Any]:
    measures = {}
    for name, metric in metrics.items():
        slug = name.replace("_", "-")
        for statistic in ("p50", "p95", "p99", "p999", "mean"):
            estimate = metric.statistic(statistic)
            if estimate is not None:
                suffix = "" if statistic == "p50" else f"-{statistic}"
                measures[f"{slug}{suffix}"] = _measure(estimate)
    return measures


def _measure(estimate: Estimate) -> dict[str, float]:
    bounds = {"lower_value": estimate.low, "upper_value": estimate.high}
    return {"value": estimate.value, **{k: v for k, v in bounds.items() if v is not None}}
