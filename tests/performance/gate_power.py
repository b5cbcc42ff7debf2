"""How often gates cry wolf, and how often they find a true slow-down, on this machine.

``run`` measures until all checks are done and can be stopped and started again at any moment;
``report`` sums up what is there.

    python tests/performance/gate_power.py run --data DIR --stream live --cpu 1
    python tests/performance/gate_power.py run --data DIR --stream others --cpu 0
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

from gate import live_checks, pyperf_checks, rule_checks, stored_checks
from gate.plan import STREAMS, Job, remaining, schedule
from gate.records import Record, Store

CHECKS: dict[str, Callable[[Job, int, Store], list[Record]]] = {
    "live": live_checks.check,
    "precision": live_checks.check,
    "stored": stored_checks.check,
    "rules": rule_checks.check,
    "pyperf": pyperf_checks.check,
}


def main() -> int:
    """Run or report."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run_ = commands.add_parser("run", help="measure what is still to be measured")
    run_.add_argument("--data", type=Path, required=True, help="folder for what is measured")
    run_.add_argument(
        "--stream",
        choices=sorted(STREAMS),
        required=True,
        help="others is stored, rules and pyperf together; what runs at the same time must differ",
    )
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
    jobs = STREAMS[stream]
    total = remaining(jobs, store.records())
    begin = time.monotonic()
    for done, (job, number) in enumerate(schedule(jobs, store.records())):
        if done == most:
            break
        if done:
            left = (time.monotonic() - begin) / done * (total - done)
            print(
                f"\r{done}/{total}, {left / 60:.0f} min left: {job.name}      ",
                end="",
                file=sys.stderr,
                flush=True,
            )
        records = CHECKS[job.gate](job, number, store)
        store.append({**record, "cpu": cpu} for record in records)
    print(file=sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
