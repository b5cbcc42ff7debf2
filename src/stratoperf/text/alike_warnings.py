"""Warnings about noise that are alike, as a noisy machine gives many of them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

NUMBER = re.compile(r"(?<![\w./-])[0-9]+(?:\.[0-9]+)?(?![\w/-]|\.\w)")
"""What differs between warnings of one kind; the run file has every single one. Digits in the name
of a file do not count: each file is named."""


_OF_PROCESSES = re.compile(r" \((?:the worst of [0-9]+|[0-9]+ of [0-9]+) processes\)$")
"""What a result over several processes says at the end of a warning."""


def worst_of_each_kind(warnings: Iterable[str]) -> list[str]:
    """Return for each kind of warning the one with the largest number, and how many it is of."""
    kinds: dict[str, list[str]] = {}
    for warning in warnings:
        kinds.setdefault(NUMBER.sub("", _OF_PROCESSES.sub("", warning)), []).append(warning)
    return [alike[0] if len(alike) == 1 else _worst(alike) for alike in kinds.values()]


def _worst(alike: Sequence[str]) -> str:
    return f"{_OF_PROCESSES.sub('', max(alike, key=_first_number))} (the worst of {len(alike)})"


def _first_number(warning: str) -> float:
    match = NUMBER.search(warning)
    return float(match[0]) if match else 0.0
