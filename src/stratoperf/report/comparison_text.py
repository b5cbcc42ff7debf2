"""How a comparison shows itself at a prompt and in a notebook."""

from __future__ import annotations

from collections.abc import Iterator

from stratoperf.analysis.comparison import Comparison
from stratoperf.analysis.gate import counts
from stratoperf.report.comparison_words import (
    NUMERIC,
    error_text,
    failure_text,
    remaining_texts,
    table,
)
from stratoperf.report.noise_words import worst_of_each_kind
from stratoperf.safe_text import html, log_line, one_line

_COLORS = {"slower": "#b3261e", "inconclusive": "#9a6700", "faster": "#1a7f37", "same": "inherit"}


def tally(comparison: Comparison) -> str:
    """Return how many results have which verdict, such as ``1 slower, 2 same``."""
    counted = ", ".join(f"{count} {verdict}" for verdict, count in counts(comparison).items())
    return counted or "nothing was compared"


def describe_comparison(comparison: Comparison) -> str:
    """Describe a comparison in one line."""
    failed = f", {len(comparison.failures)} failed" if comparison.failures else ""
    return f"<Comparison, {comparison.mode}: {tally(comparison)}{failed}>"


def comparison_text(comparison: Comparison) -> str:
    """Render a comparison as plain text of several lines."""
    # Not needed where nothing is printed.
    from rich.cells import cell_len

    lines = [f"baseline: {comparison.baseline}", f"current:  {comparison.current}"]
    if comparison.metrics:
        titles, texts = table(comparison.metrics)
        rows = [[log_line(text) for text in row] for row in texts]
        widths = [max(map(cell_len, column)) for column in zip(titles, *rows, strict=True)]
        lines.append("")
        for row in [titles, *rows]:
            padded = []
            for title, text, width in zip(titles, row, widths, strict=True):
                space = " " * (width - cell_len(text))
                padded.append(f"{space}{text}" if title in NUMERIC else f"{text}{space}")
            lines.append("  ".join(padded).rstrip())
    notes = list(remarks(comparison))
    whole = [*lines, *([""] if notes else []), *notes, "", closing(comparison)]
    return "\n".join(map(log_line, whole))


def comparison_html(comparison: Comparison) -> str:
    """Render a comparison as HTML."""
    sides = f"{html(comparison.baseline)} &rarr; {html(comparison.current)}"
    parts = [f"<b>{html(tally(comparison))}</b>: {sides}"]
    if comparison.metrics:
        titles, rows = table(comparison.metrics)
        head = "".join(f"<th>{html(title)}</th>" for title in titles)
        parts.append(f"<table><tr>{head}</tr>")
        for metric, row in zip(comparison.metrics, rows, strict=True):
            cells = "".join(f"<td>{html(text)}</td>" for text in row[:-1])
            style = f"color:{_COLORS[metric.verdict]}"
            parts.append(
                f"<tr>{cells}<td style='{style}' title='{html(metric.why)}'>"
                f"<b>{html(row[-1])}</b></td></tr>"
            )
        parts.append("</table>")
    parts += [f"<div>{html(note)}</div>" for note in remarks(comparison)]
    return f"<div>{''.join(parts)}<small>{html(closing(comparison))}</small></div>"


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
