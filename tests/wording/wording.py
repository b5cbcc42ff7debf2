"""Match what a message must say, not how it says it."""

from __future__ import annotations

import re


def says(*parts: str) -> str:
    """Return a pattern that finds all parts, in any order and case, in a message.

    A test names the argument, the value and the remedy, so that the sentence around them can be
    mended: ``pytest.raises(InvalidParameter, match=says("threshold:", "-3", "above 0"))``. A part
    with a colon at its end begins the message. White space matches line breaks, which a narrow
    terminal puts in.
    """
    return r"(?is)\A" + "".join(f"(?={_found(part)})" for part in parts)


def _found(part: str) -> str:
    text = r"\s+".join(re.escape(word) for word in part.split())
    return text if part.endswith(":") else f".*{text}"
