"""How often the interval of one run covers what the next runs say, ours beside others', here.

Measures the same operations again and again with every tool, each time in fresh processes, in
random order. Stop it at any moment; the same command goes on where it was.

    python tests/performance/repeatability.py --plan
    python tests/performance/repeatability.py --mode quick --hours 2
    python tests/performance/repeatability.py --mode 60s --tools run pyperf --until 07:30
    python tests/performance/repeatability.py --report [--json | --markdown]

The records go to ``examples/results/MACHINE/repeatability``, or to ``--data``.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from gate.distill import keep_machine, read_machine, this_machine
from repeats.plan import EVERY, JOBS, MODES, TOOLS, Job, schedule, seconds_of
from repeats.records import Outcome, Rerun, Store, read_reruns
from repeats.report import as_json, as_markdown, as_text

RESULTS = Path(__file__).parents[2] / "examples" / "results"

FAILURES = 3
"""After so many in a row a tool is left out for an operation, until the next session."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, plan or report."""
    options = _parser().parse_args(arguments)
    data = options.data or RESULTS / machine_name() / "repeatability"
    try:
        if options.report:
            return report(data, options.form)
        jobs = [
            job
            for job in JOBS
            if job.tool in options.tools
            and job.operation in options.operations
            and options.mode in (job.mode, "all")
        ]
        if options.plan:
            print(planned(jobs, read_reruns(data), options.count))
            return 0
        return run(data, jobs, options.count, options.end)
    except (BlockingIOError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; what is done is kept, and the same command goes on", file=sys.stderr)
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--plan", action="store_true", help="print what is left and how long it takes"
    )
    what.add_argument("--report", action="store_true", help="print what the records say")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", dest="form", action="store_const", const="json", default="text")
    form.add_argument("--markdown", dest="form", action="store_const", const="markdown")
    parser.add_argument("--data", type=Path, help="folder of the records")
    parser.add_argument("--mode", choices=[*MODES, "all"], default="quick", help="default: quick")
    parser.add_argument(
        "--tools",
        nargs="+",
        choices=list(TOOLS),
        default=list(TOOLS),
        metavar="TOOL",
        help=f"any of: {' '.join(TOOLS)}",
    )
    parser.add_argument(
        "--operations",
        nargs="+",
        choices=EVERY,
        default=EVERY,
        metavar="OPERATION",
        help=f"any of: {' '.join(EVERY)}",
    )
    parser.add_argument(
        "--count", type=_count, help="re-runs of each tool and operation, instead of those planned"
    )
    end = parser.add_mutually_exclusive_group()
    end.add_argument(
        "--hours",
        dest="end",
        type=_after_hours,
        help="start nothing that would end later than that",
    )
    end.add_argument(
        "--until",
        dest="end",
        type=_at_time,
        metavar="HH:MM",
        help="the same, by the clock of this machine",
    )
    return parser


def _count(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number above 0, got {text!r}")
    return int(text)


def _after_hours(text: str) -> float:
    try:
        hours = float(text)
    except ValueError:
        hours = -1.0
    if not 0 < hours < 1e6:
        raise argparse.ArgumentTypeError(f"must be a number of hours above 0, got {text!r}")
    return time.time() + 3600 * hours


def _at_time(text: str) -> float:
    now = datetime.now().astimezone()
    try:
        clock = datetime.strptime(text, "%H:%M").time()
    except ValueError:
        raise argparse.ArgumentTypeError(f"must be a time such as 07:30, got {text!r}") from None
    end = now.replace(hour=clock.hour, minute=clock.minute, second=0, microsecond=0)
    return (end if end > now else end + timedelta(days=1)).timestamp()


def machine_name() -> str:
    """Return the folder of this machine, such as ``amd-epyc-2-vcpu``."""
    facts = this_machine()
    plain = re.sub(r"\((r|tm)\)|processor|cpu|@.*", "", (facts["cpu"] or "unknown").lower())
    model = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")
    return f"{model}-{facts['logical_cores']}-{'vcpu' if facts['virtualization'] else 'cpu'}"


def planned(jobs: Sequence[Job], reruns: Iterable[Rerun], count: int | None) -> str:
    """Return how many re-runs of each tool are left, and how long they take."""
    done, seen = _done(reruns), _seconds(reruns)
    left = list(schedule(jobs, done, count))
    lines = []
    for mode in MODES:
        for name, tool in TOOLS.items():
            own = [job for job in left if (job.tool, job.mode) == (name, mode)]
            if own:
                took = sum(seconds_of(job, seen) for job in own)
                lines.append(
                    f"{mode:6} {tool.title:38} {len(own):5} re-runs of "
                    f"{len(set(own))} operations  {_spoken(took)}"
                )
    whole = sum(seconds_of(job, seen) for job in left)
    return "\n".join([*lines, f"left in all: {len(left)} re-runs, {_spoken(whole)}"])


def _spoken(seconds: float) -> str:
    minutes = round(seconds / 60)
    return f"{minutes // 60} h {minutes % 60:02} min"


def _done(reruns: Iterable[Rerun]) -> Counter[Job]:
    return Counter(rerun.job for rerun in reruns if rerun.outcome is not None)


def _seconds(reruns: Iterable[Rerun]) -> dict[Job, float]:
    times: dict[Job, list[float]] = {}
    for rerun in reruns:
        if rerun.outcome is not None:
            times.setdefault(rerun.job, []).append(rerun.seconds)
    return {job: statistics.median(values) for job, values in times.items()}


def run(data: Path, jobs: Sequence[Job], count: int | None, end: float | None) -> int:
    """Measure what is still to be measured."""
    from repeats import tools

    store = Store(data)
    with store.claimed():
        reruns = read_reruns(data)
        _check_machine(data)
        lacking = {name: tools.unavailable(name) for name in {job.tool for job in jobs}}
        for reason in filter(None, lacking.values()):
            print(f"left out: {reason}", file=sys.stderr)
        had = [job for job in jobs if not lacking[job.tool]]
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGHUP, signal.default_int_handler)
        left = list(schedule(had, _done(reruns), count))
        measure_all(left, store, tools.measure, _seconds(reruns), end)
    return 0


def _check_machine(data: Path) -> None:
    """Keep the facts of this machine, or reject records of another one."""
    kept, here = read_machine(data), this_machine()
    if kept is None:
        keep_machine(data, here)
    elif kept["cpu"] != here["cpu"]:
        raise ValueError(
            f"--data: the records in {data} are of a machine with {kept['cpu']}, this one has "
            f"{here['cpu']}; name another folder"
        )


def measure_all(
    left: Sequence[Job],
    store: Store,
    measure: Callable[[Job], Outcome],
    seen: Mapping[Job, float],
    end: float | None = None,
) -> None:
    """Measure one after the other, and keep each as it comes.

    Parameters
    ----------
    left
        What is to be measured, in this order.
    store
        Gets the records.
    measure
        Asks a tool.
    seen
        How long it takes, for those that were measured before.
    end
        When the session must be over, in seconds since the epoch.
    """
    took = dict(seen)
    failures: Counter[Job] = Counter()
    for index, job in enumerate(left):
        lasting = seconds_of(job, took)
        if end is not None and time.time() + lasting > end:
            print(f"\n{len(left) - index} re-runs are left for another session", file=sys.stderr)
            return
        if failures[job] == FAILURES:
            continue
        rest = sum(seconds_of(later, took) for later in left[index:])
        print(
            f"\r{index}/{len(left)}, {_spoken(rest)} left: {' '.join(job):30}",
            end="",
            file=sys.stderr,
            flush=True,
        )
        rerun = _rerun(job, measure)
        store.append(rerun)
        took[job] = rerun.seconds
        failures[job] = failures[job] + 1 if rerun.failed else 0
        if rerun.failed:
            print(f"\n{' '.join(job)} failed: {rerun.failed}", file=sys.stderr)
    print(file=sys.stderr)


def _rerun(job: Job, measure: Callable[[Job], Outcome]) -> Rerun:
    started = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    begin = time.monotonic()
    try:
        outcome = measure(job)
    except (OSError, RuntimeError, ValueError, KeyError) as error:
        return Rerun(job, started, time.monotonic() - begin, None, f"{error}")
    return Rerun(job, started, time.monotonic() - begin, outcome)


def report(data: Path, form: str) -> int:
    """Print what the records say."""
    reruns = read_reruns(data)
    if not reruns:
        raise ValueError(f"--data: there is no record in {data}; measure first")
    machine = read_machine(data)
    if form == "json":
        print(json.dumps(as_json(reruns, machine), indent=2, allow_nan=False))
    else:
        print((as_markdown if form == "markdown" else as_text)(reruns, machine))
    return 0


if __name__ == "__main__":
    sys.exit(main())
