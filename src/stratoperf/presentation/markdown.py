"""A comparison in Markdown, for the summary of a CI job or a comment."""

from __future__ import annotations

from stratoperf.analysis.comparison import Comparison
from stratoperf.analysis.gate import Decision
from stratoperf.presentation.comparison_words import NUMERIC, closing, remarks, table
from stratoperf.text.safety import markdown

_SIGNS = {
    "passed": "✅ passed",
    "failed": "❌ failed",
    "inconclusive": "⚠️ inconclusive",
    "interrupted": "⚠️ interrupted",
}


def comparison_markdown(comparison: Comparison, decision: Decision | None = None) -> str:
    """Render a comparison in GitHub's Markdown.

    Parameters
    ----------
    comparison
        What to render.
    decision
        Decision of a gate, for the heading.
    """
    heading = "Performance comparison"
    if decision is not None:
        tolerated = ", tolerated" if decision.passes and decision.outcome != "passed" else ""
        why = markdown(decision.reason)
        heading = f"Performance check: {_SIGNS[decision.outcome]}{tolerated} ({why})"
    lines = [
        f"### {heading}",
        "",
        f"baseline: {markdown(comparison.baseline)}  ",
        f"current: {markdown(comparison.current)}",
        "",
    ]
    if comparison.metrics:
        lines += [*_table(comparison), ""]
    notes = [f"- {markdown(note)}" for note in remarks(comparison)]
    if notes:
        lines += [*notes, ""]
    return "\n".join([*lines, f"<sub>{markdown(closing(comparison))}</sub>", ""])


def _table(comparison: Comparison) -> list[str]:
    titles, rows = table(comparison.metrics)
    lines = [
        markdown_row(titles),
        markdown_row(["--:" if title in NUMERIC else "---" for title in titles], plain=True),
    ]
    for metric, row in zip(comparison.metrics, rows, strict=True):
        cells = [markdown(cell) for cell in row]
        if metric.verdict in ("slower", "faster"):
            cells[-1] = f"**{cells[-1]}**"
        lines.append(markdown_row(cells, plain=True))
    return lines


def markdown_row(cells: list[str], *, plain: bool = False) -> str:
    """Return a row of a table; ``plain`` cells are Markdown already."""
    return f"| {' | '.join(cells if plain else map(markdown, cells))} |"
