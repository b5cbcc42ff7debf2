"""Managers over real tiers, whose directory is empty afterwards."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from memory_fakes import Machine, disk_kind
from stratoperf.stratoswarm.memory import TierManager


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    return Machine(tmp_path / "root")


@pytest.fixture
def managed(tmp_path: Path) -> Iterator[Callable[..., TierManager]]:
    """Make managers of CPU memory and of a disk tier in an empty directory."""
    directory = tmp_path / "tier"
    directory.mkdir()
    kind = disk_kind(directory)
    opened: list[TierManager] = []

    def make(**options: Any) -> TierManager:
        wanted: dict[str, Any] = {"use": ["cpu", kind], "budget_bytes": 1 << 28}
        manager = TierManager({kind: directory}, **(wanted | options))
        opened.append(manager)
        return manager

    yield make
    for manager in opened:
        manager.close()
    assert list(directory.iterdir()) == []


@pytest.fixture
def manager(managed: Callable[..., TierManager]) -> TierManager:
    return managed()
