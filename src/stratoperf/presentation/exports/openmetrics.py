"""A run in OpenMetrics 1.0, the text that Prometheus reads.

See https://prometheus.io/docs/specs/om/open_metrics_spec/. Values are in base units: seconds and
bytes.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from stratoperf.errors import InvalidParameter
from stratoperf.results import Result, Run
from stratoperf.results.moments import moment_of
from stratoperf.results.schema import STATISTICS, Metric
from stratoperf.running.unit_conversion import conversion
from stratoperf.text.safety import one_line

_BASES = (("s", "seconds"), ("B", "bytes"), ("", "ratio"))

_BOUNDS = {"value": "value", "low": "lower", "high": "upper"}


def run_openmetrics(run: Run) -> str:
    """Render a run in OpenMetrics 1.0.

    Each metric is a family of gauges such as ``stratoperf_latency_seconds``, with the labels
    ``benchmark``, ``backend``, ``key``, one for each parameter, ``statistic`` and ``bound``
    (``value``, ``lower`` or ``upper`` end of the 95 % interval). ``stratoperf_result_info`` has the
    status of each result. Samples carry the time of the run.
    """
    moment = f"{moment_of(run.created).timestamp():.3f}"
    families: dict[str, list[str]] = {}
    units: dict[str, str] = {}
    for result in run.results:
        for name, metric in result.metrics.items():
            unit, factor = _base(metric.unit)
            family = "_".join(filter(None, ("stratoperf", _name(name), unit)))
            units[family] = unit
            own = families.setdefault(family, [])
            for labels, value in _values(metric):
                sample = f"{family}{_labels({**_facts(result), **labels})}"
                own.append(f"{sample} {_number(value * factor)} {moment}")
    lines = []
    for family in sorted(families):
        lines.append(f"# TYPE {family} gauge")
        if units[family]:
            lines.append(f"# UNIT {family} {units[family]}")
        lines += [f"# HELP {family} Statistics of benchmark results.", *families[family]]
    lines += ["# TYPE stratoperf_result info", "# HELP stratoperf_result Results of the run."]
    lines += [
        f"stratoperf_result_info{_labels({**_facts(result), 'status': result.status})} 1 {moment}"
        for result in run.results
    ]
    return "\n".join([*lines, "# EOF", ""])


def _base(unit: str) -> tuple[str, float]:
    """Return the name of the base unit and the factor to it; other units give their own name."""
    numerator, slash, denominator = unit.rpartition("/")
    if slash:
        base, factor = _base(numerator)
        try:
            return f"{base}_per_second", factor / conversion(denominator, "s")
        except InvalidParameter:
            return _name(unit), 1.0
    for base, name in _BASES:
        try:
            return name, conversion(unit, base)
        except InvalidParameter:
            continue
    return _name(unit) if unit != "1" else "", 1.0


def _values(metric: Metric) -> Iterator[tuple[dict[str, str], float]]:
    for statistic in STATISTICS:
        estimate = metric.statistic(statistic)
        for field, bound in _BOUNDS.items():
            value = None if estimate is None else getattr(estimate, field)
            if value is not None:
                yield {"statistic": statistic, "bound": bound}, value


def _facts(result: Result) -> Mapping[str, Any]:
    params = {f"param_{_name(name)}": value for name, value in result.params.items()}
    return {
        **params,
        "benchmark": result.benchmark,
        "backend": result.backend,
        "key": result.key,
    }


def _labels(labels: Mapping[str, Any]) -> str:
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: object) -> str:
    text = one_line(str(value))
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _name(text: str) -> str:
    """Return a text as a part of a name: other letters become underscores."""
    return re.sub(r"[^a-zA-Z0-9]+", "_", text).strip("_").lower() or "unnamed"


def _number(value: float) -> str:
    return repr(float(value)) if math.isfinite(value) else "NaN"
