"""HTML tables for notebooks; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from stratoperf.text.safety import html


def html_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table with a row of titles."""
    lines = [_row("th", head), *(_row("td", row) for row in rows)]
    return "\n".join(["<table>", *lines, "</table>"])


def html_facts(facts: Iterable[tuple[str, object]], caption: str = "") -> str:
    """Return a table with a name and a value in each row."""
    head = f"<caption>{html(caption)}</caption>\n" if caption else ""
    rows = "".join(
        f"<tr><th style='text-align:left'>{html(name)}</th><td>{html(str(value))}</td></tr>\n"
        for name, value in facts
    )
    return f"<table>\n{head}{rows}</table>"


def _row(tag: str, cells: Sequence[str]) -> str:
    return f"<tr>{''.join(f'<{tag}>{html(cell)}</{tag}>' for cell in cells)}</tr>"
