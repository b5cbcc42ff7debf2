"""What ``import stratoperf`` costs, beside ``import numpy``."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

from side_by_side import Goal, Row, side_by_side

# At most 1.3 times the peer's time, stated as "times better".
GOAL = Goal("ratio", ">=", 1 / 1.3)
PROCESSES = 20

TIMED_IMPORT = """
import time
start = time.perf_counter_ns()
import {module}
print((time.perf_counter_ns() - start) / 1e6)
"""


def import_ms(module: str) -> float:
    """Return the time of an import in a fresh process, without the interpreter's own start."""
    code = TIMED_IMPORT.format(module=module)
    output = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout
    return float(output)


def measure() -> Iterator[Row]:
    """Compare the imports, each in processes of its own, interleaved."""
    for module in ("numpy", "stratoperf"):
        import_ms(module)  # the first one compiles bytecode and fills the page cache
    yield side_by_side(
        "import stratoperf",
        lambda: import_ms("stratoperf"),
        lambda: import_ms("numpy"),
        peer_name="import numpy",
        unit="ms",
        goal=GOAL,
        pairs=PROCESSES,
        note=f"median of {PROCESSES} fresh processes each",
    )
