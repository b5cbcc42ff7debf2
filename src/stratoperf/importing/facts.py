"""Facts of machines and moments, as other tools write them."""

from __future__ import annotations

import contextlib
import math
from datetime import datetime, timezone
from typing import Any

from stratoperf.door import LARGEST_INTEGER
from stratoperf.results.moments import moment_of


def machine(**facts: Any) -> dict[str, Any]:
    """Return what is known of a machine, without what is not, or is of another kind.

    A fact is a text, a list or an object, as in `stratoperf.results.schema.System`.
    """
    known: dict[str, Any] = {}
    for name, fact in facts.items():
        if isinstance(fact, dict):
            own = {key: item for key, item in fact.items() if item is not None}
            if own:
                known[name] = own
        elif isinstance(fact, str | list) and fact:
            known[name] = fact
    return known


def moment_or_none(text: object) -> datetime | None:
    """Return the moment of an ISO 8601 text, UTC unless it says otherwise; ``None`` for others."""
    if not isinstance(text, str):
        return None
    try:
        return moment_of(text)
    except ValueError:
        return None


def moment_of_milliseconds(value: object) -> datetime | None:
    """Return the moment so many milliseconds after 1970; ``None`` for what is none."""
    if isinstance(value, int | float) and 0 <= value < 250_000_000_000_000:
        return datetime.fromtimestamp(value / 1e3, timezone.utc)
    return None


def parameter(text: str) -> int | float | str:
    """Return the number that a text spells in the usual way, or the text."""
    for kind in (int, float):
        with contextlib.suppress(ValueError, OverflowError):
            number = kind(text)
            if str(number) == text and math.isfinite(number) and abs(number) <= LARGEST_INTEGER / 2:
                return number
    return text
