"""Tiers by their names and kinds."""

from __future__ import annotations

import re
from collections.abc import Sequence

from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.stratoswarm.memory.assignments import assignments
from stratoperf.stratoswarm.memory.disks import DISK_KINDS
from stratoperf.stratoswarm.memory.tier import KINDS, Tier

GROUPS = ("gpu", "cpu", "huge", *DISK_KINDS, "disk")
"""Names that stand for several tiers: the kinds, CPU memory in huge pages, disks of any kind."""

_NAME = re.compile(rf"({'|'.join(KINDS)})[0-9]+|cpu[0-9]+-huge")


def is_name(word: str) -> bool:
    """Return whether a tier of this name or kind can exist, on some machine."""
    return word in GROUPS or _NAME.fullmatch(word) is not None


def known(among: Sequence[Tier]) -> str:
    """Return the kinds of tiers, and the tiers found here, as part of a message."""
    names = ", ".join(tier.name for tier in among) or "none"
    return f"kinds: {', '.join(GROUPS)}; found here: {names}"


def find(name: str, among: Sequence[Tier]) -> Tier:
    """Return the tier of that name, or the first usable one of that kind.

    ``"huge"`` is the first CPU memory in huge pages, ``"disk"`` the first disk of any kind. If the
    user assigned directories to a kind, no other disk stands in for them.

    Raises
    ------
    InvalidParameter
        When no tier matches; suggests the nearest name, and lists the kinds and the tiers here.
    """
    if not isinstance(name, str):
        raise InvalidParameter(f"tier: expected a name or kind, got {name!r}; {known(among)}")
    for tier in among:
        if tier.name == name:
            return tier
    matching = [tier for tier in among if name in _groups(tier)]
    if not matching:
        hint = _nearest(name, [tier.name for tier in among])
        if not hint and name not in GROUPS:
            hint = _nearest(name, GROUPS)
        wrong = "".join(f"; {sentence}" for sentence in assignments().wrong)
        raise InvalidParameter(f"tier: {name!r} does not exist here; {hint}{known(among)}{wrong}")
    if name in (*DISK_KINDS, "disk") and any(tier.assigned for tier in matching):
        matching = [tier for tier in matching if tier.assigned]
    return next((tier for tier in matching if tier.reason is None), matching[0])


def choose(use: str | Sequence[str] | None, found: Sequence[Tier]) -> tuple[Tier, ...]:
    """Return the tiers of these names or kinds, each once; ``None`` selects all usable tiers.

    Raises
    ------
    InvalidParameter
        As `find`, and for an empty sequence.
    """
    if use is None:
        return tuple(tier for tier in found if tier.reason is None)
    names = [use] if isinstance(use, str) else use
    if not isinstance(names, Sequence) or not names:
        raise InvalidParameter(f"use: expected names of tiers, got {use!r}; {known(found)}")
    return tuple(dict.fromkeys(find(name, found) for name in names))


def _nearest(name: str, names: Sequence[str]) -> str:
    close = did_you_mean(name, names)
    return f"{close} " if close.startswith("did you mean") else ""


def _groups(tier: Tier) -> tuple[str, ...]:
    if tier.is_huge:
        return ("huge",)
    return (tier.kind, "disk") if tier.is_disk else (tier.kind,)
