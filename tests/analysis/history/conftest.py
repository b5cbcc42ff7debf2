"""Runs of chosen days."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

import stratoperf as sp

START = datetime(2026, 11, 1, 3, 0, tzinfo=timezone.utc)
STEADY = (1000.0, 1004.0, 998.0, 1002.0, 996.0, 1001.0, 1003.0, 999.0, 997.0, 1005.0)

MakeRun = Callable[..., sp.Run]


@pytest.fixture
def dated(run_of: MakeRun) -> MakeRun:
    """Return a function that makes a run of a day; `header` replaces keys of the run itself."""

    def make(
        day: float,
        medians: dict[str, float] | float = 1000.0,
        header: dict[str, Any] | None = None,
        **changes: Any,
    ) -> sp.Run:
        run = run_of(medians, **changes)
        created = f"{START + timedelta(days=day):%Y-%m-%dT%H:%M:%SZ}"
        return sp.Run({**run.document, "created": created, **(header or {})})

    return make


@pytest.fixture
def stepped(dated: MakeRun) -> list[sp.Run]:
    """Return thirty runs, of which the last fifteen are 20 % slower and of a later version."""
    values = [*STEADY, *STEADY[:5], *(1.2 * value for value in (*STEADY, *STEADY[:5]))]
    return [
        dated(day, value, {"stratoperf_version": "0.1.0" if day < 15 else "0.2.0"})
        for day, value in enumerate(values)
    ]
