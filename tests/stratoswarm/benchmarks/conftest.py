"""The benchmarks are measured for what they do, not for how far processes lie apart."""

from __future__ import annotations

import pytest


@pytest.fixture(autouse=True)
def _here(measured_here: None) -> None:
    """Measure in this process."""
