"""Fitting text into the columns of a terminal, in which some letters take two and some none."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size

MARK = "…"
"""Stands where a part of a name is missing."""


def shortened(text: str, room: int, mark: str = MARK) -> str:
    """Return a name in at most so many columns, with a mark where a part is missing."""
    if cell_len(text) <= room:
        return text
    return set_cell_size(text, max(room - cell_len(mark), 0)).rstrip() + mark


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return the lines of a text, broken at spaces.

    Parameters
    ----------
    text
        What to break; the first line keeps the spaces that it begins with.
    width
        Of a line.
    indent
        What the second and all following lines begin with.
    """
    margin = text[: len(text) - len(text.lstrip(" "))]
    return filled(text.split(), width, margin, indent)


def filled(parts: Sequence[str], width: int, margin: str, indent: str) -> list[str]:
    """Return lines with as many parts as fit; one that is wider than a line stays whole.

    Parameters
    ----------
    parts
        What is never broken.
    width
        Of a line.
    margin, indent
        What the first line begins with, and what all others do.
    """
    lines: list[str] = []
    line = margin
    is_empty = True
    for part in parts:
        longer = f"{line}{part}" if is_empty else f"{line} {part}"
        if not is_empty and cell_len(longer) > width:
            lines.append(line)
            longer = f"{indent}{part}"
        line, is_empty = longer, False
    return [*lines, line]
