"""The result of a case, from the parts that its processes contributed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def combined(parts: Sequence[dict[str, Any]], *, base: Path | None = None) -> dict[str, Any]:
    """Return the result of a case over the processes that measured it."""
    del base
    series = [one for part in parts for one in part.get("series", [])]
    return {**parts[0], "series": series}
