"""One stored run in a fresh process, as one build would leave it: OPERATION WORK OUTPUT.

The amount of work is no parameter of the benchmark here: like a change of the code under test it
shows in the time alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import stratoperf as sp
from gate.operations import MAKERS, WORK

WARMUP_S = 0.03
DURATION_S = 0.2
"""Ten such processes are a check: short enough for hundreds of them, and thousands of samples."""


def main(operation: str, work: int, output: str) -> None:
    """Measure and save."""

    @sp.benchmark("gate.stored", params={"operation": sorted(WORK)})
    def changed(operation: str) -> object | Callable[[], object]:
        return MAKERS[operation](work)

    run = sp.run(
        "gate.stored", params={"operation": operation}, duration_s=DURATION_S, warmup_s=WARMUP_S
    )
    run.save(output)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
