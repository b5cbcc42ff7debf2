"""How objects look as plain text of several lines."""

from __future__ import annotations

from stratoperf import media
from stratoperf.analysis.comparison import Comparison
from stratoperf.presentation.comparison_words import NUMERIC, closing, remarks, table
from stratoperf.text.safety import log_line


@media.plain_text.shows(Comparison)
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
