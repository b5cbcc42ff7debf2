"""Random sequences of what a manager does agree with a plain dictionary."""

from __future__ import annotations

from pathlib import Path

from memory_fakes import disk_kind
from memory_model import hold_to_a_dictionary
from stratoperf.stratoswarm.memory import TierManager, find, tiers


def manager_in(directory: Path) -> TierManager:
    kind = disk_kind(directory)
    huge = ["huge"] if find("huge", tiers()).reason is None else []
    return TierManager({kind: directory}, use=["cpu", *huge, kind], budget_bytes=1 << 28)


def test_random_sequences_agree_with_a_dictionary() -> None:
    hold_to_a_dictionary(manager_in, examples=25)
