"""A registry of its own for each test."""

from __future__ import annotations

import pytest

from stratoperf.suite import REGISTRY, Registry, registry, runner


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> Registry:
    """Replace what `sp.benchmark` registers in and `sp.run` selects from."""
    REGISTRY.all()
    empty = Registry()
    monkeypatch.setattr(registry, "REGISTRY", empty)
    monkeypatch.setattr(runner, "REGISTRY", empty)
    return empty
