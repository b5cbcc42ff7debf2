"""Fitting text into the columns of a terminal, in which some letters take two and some none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

MARK = "…"
"""Stands where a part of a name is missing."""

_WHOLE_WORDS = re.compile(r".*(?: |,(?![0-9]))")
_AFTER_COMMA = re.compile(r"(?<=,)(?![0-9])")


def shortened(text: str, room: int, mark: str = MARK) -> str:
    """Return a name in at most so many columns, with a mark where a part is missing.

    It is cut behind a word or a comma, so that no parameter in it is cut; a single word anywhere.
    """
    if cell_len(text) <= room:
        return text
    start = set_cell_size(text, max(room - cell_len(mark), 0))
    whole = _WHOLE_WORDS.match(start if text[len(start) : len(start) + 1] != " " else f"{start} ")
    return (whole[0] if whole else start).rstrip() + mark


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return the lines of a text, broken at spaces; see `filled`.

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
    """Return lines with as many parts as fit.

    Parameters
    ----------
    parts
        What is not broken. One that is wider than a line is broken at commas, as the key of a
        result has them; without commas it stays whole, as a path has to.
    width
        Of a line.
    margin, indent
        What the first line begins with, and what all others do.
    """
    lines: list[str] = []
    line = margin
    is_empty = True
    room = width - len(indent)
    for piece in (piece for part in parts for piece in _pieces(part, room)):
        longer = f"{line}{piece}" if is_empty else f"{line} {piece}"
        if not is_empty and cell_len(longer) > width:
            lines.append(line)
            longer = f"{indent}{piece}"
        line, is_empty = longer, False
    return [*lines, line]


def _pieces(part: str, room: int) -> Iterator[str]:
    """Yield a part, or the longest pieces of it that fit and end with a comma."""
    piece = ""
    for item in _AFTER_COMMA.split(part):
        if piece and cell_len(piece + item) > room:
            yield piece
            piece = ""
        piece += item
    yield piece
