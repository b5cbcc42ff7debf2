"""Fit text into the columns of a terminal, where some letters take two columns and some none."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from rich.cells import cell_len, set_cell_size

MARK = "…"
"""Stands where a part of a name is missing."""

_WHOLE_WORDS = re.compile(r".*(?: |,(?![0-9]))")
_UNIT = r"(?:[nµum]?s|min|h|days|[kKMGTPE]?i?B|[kMGTPE])\b|%"
_BREAKS = re.compile(rf" (?!\S+/s\b)(?:(?<![0-9\]] )|(?!{_UNIT}))")
"""Spaces, but not those between a number and its unit, such as ``12.3 µs`` or ``2.6 G votes/s``."""

_AFTER_COMMA = re.compile(r"(?<=,)(?![0-9])")


def fitted_name(text: str, room: int, mark: str = MARK) -> str:
    """Shorten a name to a width in columns, with a mark where a part is missing.

    It is cut behind a word or a comma, so that no parameter in it is cut; a single word anywhere.
    """
    if cell_len(text) <= room:
        return text
    start = set_cell_size(text, max(room - cell_len(mark), 0))
    if not text.startswith(start):
        # A letter of two columns became a space where only one column had room.
        start = start[:-1]
    whole = _WHOLE_WORDS.match(start)
    return (whole[0] if whole else start.rstrip()) + mark


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """Return the lines of a text, broken at spaces except those before units; see `filled`.

    Parameters
    ----------
    text
        What to break; within a line it keeps all its spaces.
    width
        Width of a line.
    indent
        What the second and all following lines begin with.
    """
    words = text.lstrip(" ")
    return filled(words_of(words), width, " " * (len(text) - len(words)), indent)


def words_of(text: str) -> list[str]:
    """Return the words of a text; a number and its unit are one."""
    return _BREAKS.split(text)


def filled(parts: Sequence[str], width: int, margin: str, indent: str) -> list[str]:
    """Return lines with as many parts as fit.

    Parameters
    ----------
    parts
        What is not broken. One that is wider than a line is broken at commas, as the key of a
        result has them; without commas it stays whole, as a path has to.
    width
        Width of a line.
    margin, indent
        What the first line begins with, and what all others do.
    """
    lines: list[str] = []
    line, gap = margin, ""
    room = width - len(indent)
    for piece in (piece for part in parts for piece in _pieces(part, room)):
        if gap and piece and cell_len(f"{line}{gap}{piece}") > width:
            lines.append(line)
            line, gap = indent, ""
        # An empty part widens the gap, which a break swallows.
        line += f"{gap}{piece}" if piece else ""
        gap = f"{gap} " if gap and not piece else " "
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
