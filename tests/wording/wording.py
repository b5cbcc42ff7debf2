"""Match what a message must say, not how it says it."""

from __future__ import annotations

import re


def says(*parts: str) -> str:
    """Return a pattern that finds all parts in a message, in any order and case.

    A test names the argument, the value and the remedy, so that the sentence around them can
    change: ``pytest.raises(InvalidParameter, match=says("threshold:", "-3", "above 0"))``. An
    argument with its colon is a whole word, and a number is a whole number: ``"1"`` is not in
    ``"10"``. White space matches line breaks, which a narrow terminal puts in.
    """
    return f"(?is:{''.join(f'(?=.*{_pattern(part)})' for part in parts)})"


def mentions(text: str, *parts: str) -> bool:
    """Return whether a text has all parts; see `says`."""
    return re.search(says(*parts), text) is not None


def _pattern(part: str) -> str:
    text = r"\s+".join(re.escape(word) for word in part.split())
    if part.endswith(":"):
        text = rf"(?<!\w){text}"
    if part[0].isdigit():
        text = rf"(?<![\d.]){text}"
    if part[-1].isdigit():
        text = rf"{text}(?!\.?\d)"
    return text
