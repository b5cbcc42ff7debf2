"""How often gates cry wolf, and how often they find a true slow-down, on this machine.

``run`` measures until all checks are done and can be stopped and started again at any moment,
``plan`` tells how long that will take;
``report`` sums up what is there, and ``distill`` keeps the records without their samples, which is
all that ``report`` and ``peers.py gate`` need.

    python tests/performance/gate_power.py run --data DIR --stream live --cpu 1
    python tests/performance/gate_power.py run --data DIR --stream others --cpu 0
    python tests/performance/gate_power.py run --data DIR --stream tails
    python tests/performance/gate_power.py plan --data DIR --stream tails
    python tests/performance/gate_power.py report --data DIR [--json | --markdown]
    python tests/performance/gate_power.py distill --data DIR --output examples/results/MACHINE/gate
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from gate import live_checks, pyperf_checks, rule_checks, stored_checks
from gate.distill import distill, keep_machine, read_machine, this_machine, with_figures
from gate.plan import STREAMS, Job, remaining, schedule, seconds_left
from gate.records import Record, Store, read_records
from gate.report import as_json, as_markdown, as_text

CHECKS: dict[str, Callable[[Job, int, Store], list[Record]]] = {
    "live": live_checks.check,
    "precision": live_checks.check,
    "p95": live_checks.check,
    "p99": live_checks.check,
    "stored": stored_checks.check,
    "rules": rule_checks.check,
    "pyperf": pyperf_checks.check,
}


def main() -> int:
    """Run or report."""
    arguments = _parser().parse_args()
    if arguments.command == "report":
        return report(arguments.data, arguments.form)
    if arguments.command == "distill":
        print(f"{distill(arguments.data, arguments.output)} records", file=sys.stderr)
        return 0
    if arguments.command == "plan":
        print(plan_text(STREAMS[arguments.stream], read_records(arguments.data)))
        return 0
    try:
        return run(arguments.data, arguments.stream, arguments.cpu, arguments.checks)
    except BlockingIOError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; what is done is kept", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
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
    plan_ = commands.add_parser("plan", help="tell what is left, and how long it will take")
    plan_.add_argument("--data", type=Path, required=True, help="folder that is measured into")
    plan_.add_argument("--stream", choices=sorted(STREAMS), required=True)
    report_ = commands.add_parser("report", help="print rates with their intervals")
    report_.add_argument("--data", type=Path, required=True, help="folder with checks-*.jsonl")
    form = report_.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", default="text")
    form.add_argument("--markdown", dest="form", action="store_const", const="markdown")
    distill_ = commands.add_parser("distill", help="keep the records without their samples")
    distill_.add_argument("--data", type=Path, required=True, help="folder that was measured into")
    distill_.add_argument("--output", type=Path, required=True, help="folder for the records")
    return parser


def run(data: Path, stream: str, cpu: int | None, most: int | None) -> int:
    """Measure one stream."""
    if cpu is not None:
        os.sched_setaffinity(0, {cpu})
    store = Store(data, stream)
    with store.claimed({job.gate for job in STREAMS[stream]}):
        if read_machine(data) is None:
            keep_machine(data, this_machine())
        _measure(store, STREAMS[stream], cpu, most)
    print(file=sys.stderr)
    return 0


def _measure(store: Store, jobs: list[Job], cpu: int | None, most: int | None) -> None:
    total = remaining(jobs, store.records())
    begin = time.monotonic()
    for done, (job, number) in enumerate(schedule(jobs, store.records())):
        if done == most:
            return
        if done:
            left = (time.monotonic() - begin) / done * (total - done)
            print(
                f"\r{done}/{total}, {left / 60:.0f} min left: {job.name}      ",
                end="",
                file=sys.stderr,
                flush=True,
            )
        records = CHECKS[job.gate](job, number, store)
        at = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
        store.append({**record, "cpu": cpu, "at": at} for record in records)


def plan_text(jobs: list[Job], records: list[Record]) -> str:
    """Return a line for each job, and the sum of what is known."""
    left = seconds_left(jobs, records, live_checks.budget_s)
    counts = Counter(job.name for job, _ in schedule(jobs, records))
    lines = [
        f"{job.name}: {counts[job.name]} of {job.checks} left, "
        + ("not known how long" if seconds is None else f"{seconds / 60:.0f} min at most")
        for job, seconds in left.items()
    ]
    total = sum(seconds for seconds in left.values() if seconds is not None)
    return "\n".join([*lines, f"all: {total / 3600:.1f} h at most"])


def report(data: Path, form: str) -> int:
    """Print what the records say."""
    records = read_records(data)
    if not records:
        print(f"--data: there is no record in {data}; run first", file=sys.stderr)
        return 2
    raw = data / "raw"
    if raw.is_dir():
        records = [with_figures(record, raw) for record in records]
    machine = read_machine(data)
    if form == "json":
        print(json.dumps(as_json(records, machine), indent=2))
    else:
        print((as_markdown if form == "markdown" else as_text)(records, machine))
    return 0


if __name__ == "__main__":
    sys.exit(main())
