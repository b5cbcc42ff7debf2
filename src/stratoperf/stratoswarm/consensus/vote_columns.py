"""The columns of a batch of votes, in memory and in files."""

from __future__ import annotations

from typing import Any

import numpy as np

COLUMNS: dict[str, type[np.unsignedinteger[Any]]] = {
    "voter": np.uint32,
    "proposal": np.uint32,
    "value": np.uint32,
    "round": np.uint32,
    "timestamp": np.uint64,
}
