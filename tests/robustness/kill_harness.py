"""Kill every command at random moments and look at what is left.

``python tests/robustness/kill_harness.py --kills 1000`` prints figures and ends with 1 when
anything was lost, left behind or touched. A strike that failed is repeated, about, with its seed:
``--kills 1 --seed SEED --command COMMAND``.

A strike starts a command in a folder of its own, waits for a moment that is uniform over the
command's life, kills, and then looks whether

- every process of a case that was finished is in a file that loads;
- a signal that asks to stop saved what was measured and ended with its own code, quietly;
- a run goes on with ``--resume``, to its end, and measures no finished process again;
- no process of the command is alive a second later;
- the results folder holds nothing but results after the next run there;
- nothing else in or around the folder was touched.
"""

from __future__ import annotations

import argparse
import collections
import concurrent.futures
import os
import sys
import tempfile
import time
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import kill_benchmarks
from kill_commands import COMMANDS, make_template
from kill_ground import Ground, started
from kill_strike import CODES, ENDS, LONGEST_S, Strike, strike


def normal_s(template: Path, name: str) -> float:
    """Return how long a command takes undisturbed."""
    command = COMMANDS[name]
    with tempfile.TemporaryDirectory(prefix="stratoperf-kill-") as folder:
        ground = Ground(Path(folder), template, command)
        begin = time.monotonic()
        with started(ground, "") as (process, _):
            code = process.wait(LONGEST_S)
        if code not in CODES:
            raise SystemExit(f"{name} fails undisturbed, with {code}: {ground.error.read_text()}")
        return time.monotonic() - begin


def strikes(
    template: Path, names: Sequence[str], ends: Sequence[str], kills: int, seed: int, jobs: int
) -> Iterator[Strike]:
    """Strike as often as asked, the commands and ends in turn."""
    normal = {name: normal_s(template, name) for name in names}
    for name, seconds in normal.items():
        print(f"{name} takes {seconds:.2f} s undisturbed", flush=True)
    with concurrent.futures.ProcessPoolExecutor(jobs) as pool:
        pending = []
        for number in range(seed, seed + kills):
            name = names[number % len(names)]
            end = ends[number // len(names) % len(ends)]
            pending.append(pool.submit(strike, template, name, end, number, normal[name]))
        for done in concurrent.futures.as_completed(pending):
            yield done.result()


def show(done: Sequence[Strike]) -> int:
    """Print the figures and return how many strikes had a fault."""
    counts = collections.Counter((kill.command, kill.end) for kill in done)
    rows = [["kills", *ENDS, "all"]]
    for name in COMMANDS:
        numbers = [counts[name, end] for end in ENDS]
        rows.append([name, *map(str, numbers), str(sum(numbers))])
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))
    print()
    for kind, words in KINDS.items():
        count = sum(any(fault[0] == kind for fault in kill.faults) for kill in done)
        print(f"{count:6} {words}")
    print(
        f"{sum(kill.is_double for kill in done):6} times a second signal came soon after the first"
    )
    print(f"{max(kill.alive_s for kill in done):6.2f} s until the last process was gone, at most")
    faulty = [kill for kill in done if kill.faults]
    for kill in faulty:
        print(
            f"\n--seed {kill.seed} --command {kill.command} --signal {kill.end}: "
            f"{kill.moment:.3f} s"
        )
        for kind, what in kill.faults:
            print(f"    {kind}: {what}")
    return len(faulty)


KINDS = {
    "lost": "finished processes lost",
    "again": "measured a finished process again",
    "unsaved": "stopped without saving what was measured",
    "resume": "could not be resumed to the end",
    "unreadable": "left a file that does not load",
    "alive": "left a process alive for longer than allowed",
    "left over": "left a file after the next run",
    "touched": "touched what is not theirs",
    "code": "ended with a wrong exit code",
    "noise": "showed a traceback",
    "hangs": "did not end",
}


def main() -> int:
    """Parse the arguments, strike and show."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--signal", choices=["mixed", *ENDS], default="mixed")
    parser.add_argument("--command", choices=["all", *COMMANDS], default="all")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--patience", type=float, default=1.0, help="Seconds to be gone in.")
    arguments = parser.parse_args()
    names = list(COMMANDS) if arguments.command == "all" else [arguments.command]
    ends = ENDS if arguments.signal == "mixed" else (arguments.signal,)
    warnings.simplefilter("ignore")
    done = []
    with tempfile.TemporaryDirectory(prefix="stratoperf-kill-") as folder:
        os.environ[kill_benchmarks.LOG] = str(Path(folder) / "log")
        template = make_template(Path(folder))
        for kill in strikes(template, names, ends, arguments.kills, arguments.seed, arguments.jobs):
            if kill.alive_s > arguments.patience:
                kill.fault("alive", f"for {kill.alive_s:.2f} s")
            done.append(kill)
            print("!" if kill.faults else ".", end="", flush=True)
    print("\n")
    return 1 if show(done) else 0


if __name__ == "__main__":
    sys.exit(main())
