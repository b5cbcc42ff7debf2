"""How often a test repeats itself with other inputs."""

from __future__ import annotations

import os

FEW = "STRATOPERF_FEW_REPETITIONS"
"""Environment variable of those who look for what any input shows, as a sanitizer does."""


def repetitions(usual: int) -> int:
    """Return the usual number, or a quarter of it where few are asked for."""
    return max(usual // 4, 1) if FEW in os.environ else usual
