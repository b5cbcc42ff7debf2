"""Warnings about noise, of which a machine that is not quiet gives many alike."""

from __future__ import annotations

import re
from collections.abc import Iterable

NUMBER = re.compile(r"(?<![\w./-])[0-9]+(?:\.[0-9]+)?(?![\w/-]|\.\w)")
"""What differs between warnings of one kind; the run file has every single one. Digits in the name
of a file are none: each file is named."""


def worst_of_each_kind(warnings: Iterable[str]) -> list[str]:
    """Return for each kind of warning the one with the largest number, and how many it is of."""
    kinds: dict[str, list[str]] = {}
    for warning in warnings:
        kinds.setdefault(NUMBER.sub("", warning), []).append(warning)
    return [
        max(alike, key=_first_number) + (f" (the worst of {len(alike)})" if len(alike) > 1 else "")
        for alike in kinds.values()
    ]


def _first_number(warning: str) -> float:
    match = NUMBER.search(warning)
    return float(match[0]) if match else 0.0
