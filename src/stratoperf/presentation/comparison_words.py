"""A comparison in words and numbers: what every rendering of it has in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stratoperf.analysis.comparison import ComparedMetric, Comparison, Difference, Failure
from stratoperf.statistics import Estimate
from stratoperf.statistics.estimates import inverse
from stratoperf.text.alike_cases import cases_of
from stratoperf.text.alike_warnings import worst_of_each_kind
from stratoperf.text.safety import one_line, visible
from stratoperf.text.units import parameter, percent, quantity, ratio_change, ratio_interval

RATIO = "current / baseline"
"""What the ratio is in every rendering: that of the two values as they are shown."""

NUMERIC = ("baseline", "current", RATIO, "threshold", "based on")
"""The columns that stand at their right edge."""

INVALIDATING = ("ANOTHER MACHINE", "THE SAME RUN")
"""How a warning begins that leaves a comparison without meaning."""


def statistic_text(metric: ComparedMetric) -> str:
    """Return what was compared, such as ``latency p50``."""
    return f"{metric.metric} {metric.statistic}"


def params_text(metric: ComparedMetric) -> str:
    """Return the parameters, such as ``size=64 votes=1000``; ``size=64→128`` on the two sides.

    Those of a pair of commands are the commands, which every rendering names at its head.
    """
    if metric.backend == "process":
        return ""
    texts: list[str] = []
    for name, value in metric.params.items():
        side, dot, own = name.partition(".")
        if dot and side == "current" and f"baseline.{own}" in metric.params:
            continue
        text = f"{name}={parameter(value)}"
        if dot and side == "baseline" and f"current.{own}" in metric.params:
            text = f"{own}={parameter(value)}→{parameter(metric.params[f'current.{own}'])}"
        texts.append(text)
    return " ".join(texts)


def value_text(estimate: Estimate | None, unit: str) -> str:
    """Return a value in the unit that reads best, such as ``12.3 µs``."""
    return quantity(None if estimate is None else estimate.value, unit)


def ratio_text(metric: ComparedMetric) -> str:
    """Return current over baseline with its interval, such as ``1.042 [1.031, 1.053]``.

    `ComparedMetric.ratio` is the inverse where higher values are better.
    """
    ratio = metric.ratio
    if ratio is None or metric.better == "lower" or ratio.value == 0:
        return ratio_interval(ratio)
    return ratio_interval(inverse(ratio))


def change_text(ratio: Estimate | None) -> str:
    """Return what a ratio means, such as ``4.2 % slower``."""
    return "not measured" if ratio is None else ratio_change(ratio.value)


def threshold_text(metric: ComparedMetric) -> str:
    """Return the threshold in percent, such as ``5 %``."""
    return f"{100 * metric.threshold:.6g} %"


def table(metrics: Sequence[ComparedMetric]) -> tuple[list[str], list[list[str]]]:
    """Return the titles of the columns, and a row for each metric, with the verdict at its end.

    Parameters and backends have a column where they tell results apart.
    """
    columns: dict[str, list[str]] = {
        "benchmark": [metric.benchmark for metric in metrics],
        "parameters": [params_text(metric) for metric in metrics],
        "backend": [metric.backend for metric in metrics],
        "metric": [statistic_text(metric) for metric in metrics],
        "baseline": [value_text(metric.baseline, metric.unit) for metric in metrics],
        "current": [value_text(metric.current, metric.unit) for metric in metrics],
        RATIO: [ratio_text(metric) for metric in metrics],
        "threshold": [threshold_text(metric) for metric in metrics],
        "based on": [basis_text(metric) for metric in metrics],
        "verdict": [verdict_text(metric) for metric in metrics],
    }
    if len(set(columns["backend"])) < 2:
        del columns["backend"]
    if not any(columns["parameters"]):
        del columns["parameters"]
    rows = [list(row) for row in zip(*columns.values(), strict=True)]
    return list(columns), rows


def verdict_text(metric: ComparedMetric) -> str:
    """Return the verdict, and that it does not count where it is for information."""
    return metric.verdict if metric.judged else f"({metric.verdict})"


def difference_text(difference: Difference) -> str:
    """Return a difference in one sentence."""
    sides = (difference.baseline, difference.current)
    if difference.what.startswith("only in"):
        name = next(filter(None, (difference.key, *sides)), "")
        return f"{visible(name)}: {difference.what}"
    about = f"{visible(difference.key)}: " if difference.key else ""
    named = (("baseline", difference.baseline), ("current", difference.current))
    details = "; ".join(f"{side}: {text}" for side, text in named if text)
    if difference.what == "metric":
        return f"{about}not compared: {difference.baseline or difference.current}"
    if difference.what == "status":
        if difference.baseline is not None and difference.baseline == difference.current:
            details = f"both sides: {difference.current}"
        return f"{about}not compared ({details})"
    compared = "compared anyway" if difference.compared else "not compared"
    return f"{about}{difference.what} differs ({details}), {compared}"


def remaining_differences(comparison: Comparison) -> Iterator[Difference]:
    """Return the differences, without those that a failure explains already."""
    failed = {failure.key for failure in comparison.failures}
    for difference in comparison.differences:
        if difference.what != "status" or difference.key not in failed:
            yield difference


def remaining_texts(comparison: Comparison) -> list[str]:
    """Return the remaining differences in sentences.

    Results that were not compared for one reason share a sentence: without a GPU these are many.
    """
    alike: dict[str, list[Difference]] = {}
    for difference in remaining_differences(comparison):
        text = difference_text(difference)
        if difference.what == "status":
            text = text.removeprefix(visible(difference.key or ""))
        alike.setdefault(text, []).append(difference)
    return [
        difference_text(group[0])
        if len(group) == 1
        else f"{visible(cases_of([_benchmark(difference) for difference in group]))}{reason}"
        for reason, group in alike.items()
    ]


def _benchmark(difference: Difference) -> str:
    return (difference.key or "").partition("[")[0]


def failure_text(failure: Failure) -> str:
    """Return a failure in one sentence."""
    return f"{visible(failure.key)}: {failure.side} failed: {failure.why}"


def error_text(comparison: Comparison) -> str:
    """Return the admissible error in words, such as ``1 %``."""
    return percent(1 - comparison.confidence)


def basis_text(metric: ComparedMetric) -> str:
    """Return on how much a verdict rests, such as ``40 pairs`` or ``5+5 processes``."""
    if metric.pairs is not None:
        return "1 pair" if metric.pairs == 1 else f"{metric.pairs} pairs"
    return f"{metric.baseline_processes}+{metric.current_processes} processes"


def remarks(comparison: Comparison) -> Iterator[str]:
    """Yield warnings, failures, the reasons of all verdicts but ``same``, and differences."""
    for warning in worst_of_each_kind(comparison.warnings):
        yield f"warning: {one_line(warning)}"
    for failure in comparison.failures:
        yield f"failed: {one_line(failure_text(failure))}"
    failed = {failure.key for failure in comparison.failures}
    for metric in comparison.metrics:
        if metric.verdict != "same" and metric.key not in failed:
            yield f"{metric.verdict}: {metric.key} {metric.statistic}: {one_line(metric.why)}"
    for text in remaining_texts(comparison):
        yield f"note: {one_line(text)}"


def closing(comparison: Comparison) -> str:
    """Return how the intervals were found, at which error, and where the samples are."""
    path = f"; samples: {comparison.run_path}" if comparison.run_path else ""
    return (
        f"{comparison.method}; all intervals together err in at most {error_text(comparison)}{path}"
    )
