"""How often gates cry wolf, and how often they find a true slow-down, on this machine.

``run`` measures until all checks are done and can be stopped and started again at any moment;
``report`` sums up what is there.

    python tests/performance/gate_power.py run --data DIR --stream live
    python tests/performance/gate_power.py report --data DIR
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from gate import live_checks
from gate.plan import STREAMS, Trial, schedule
from gate.records import Record, Store

CHECKS: dict[str, Callable[[Trial, int, Store], Record]] = {
    "live": live_checks.check,
    "precision": live_checks.check,
}


def main() -> int:
    """Run or report."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run_ = commands.add_parser("run", help="measure what is still to be measured")
    run_.add_argument("--data", type=Path, required=True, help="folder for what is measured")
    run_.add_argument("--stream", choices=sorted(STREAMS), required=True)
    run_.add_argument("--cpu", type=int, help="run on this CPU alone")
    run_.add_argument("--checks", type=int, help="stop after so many")
    arguments = parser.parse_args()
    try:
        return run(arguments.data, arguments.stream, arguments.cpu, arguments.checks)
    except KeyboardInterrupt:
        print("\nstopped; what is done is kept", file=sys.stderr)
        return 130


def run(data: Path, stream: str, cpu: int | None, most: int | None) -> int:
    """Measure one stream."""
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    store = Store(data, stream)
    trials = STREAMS[stream]
    total = sum(trial.checks for trial in trials)
    begin = time.monotonic()
    finished = len(store.records())
    for done, (trial, number) in enumerate(schedule(trials, store.records())):
        if done == most:
            break
        if done:
            left = (time.monotonic() - begin) / done * (total - finished - done)
            print(
                f"\r{finished + done}/{total}, {left / 60:.0f} min left: {trial.name}      ",
                end="",
                file=sys.stderr,
                flush=True,
            )
        record = CHECKS[trial.gate](trial, number, store)
        store.append({"trial": trial.name, "number": number, "cpu": cpu, **record})
    print(file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
