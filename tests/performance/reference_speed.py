"""For which kinds of operation the machine's speed explains how their times move.

``run`` measures until the rounds are done and can be stopped and started again at any moment. A
round is a fresh process that measures every operation once, in another order each time, between
two readings of `stratoperf.monitor.reference`; it adds one line per operation to the records.
``report`` tells the scatter of each operation over the rounds: as it is, and scaled by each of the
two readings; and how far the locations of short runs lie apart, which are consecutive rounds: as
they are, scaled by the reading, by a power of it that is fitted within each run
(`stratoperf.statistics.scaling`), and so fitted to readings of another time, which must do nothing.

    python tests/performance/reference_speed.py run --data DIR [--rounds 60] [--pause 2]
    python tests/performance/reference_speed.py report --data DIR [--json]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

import stratoperf as sp
from stratoperf.monitor import NoiseProbe, ReferenceProbe
from stratoperf.statistics import Estimate
from stratoperf.statistics.processes import location
from stratoperf.statistics.scaling import at_speed

sys.path.insert(0, str(Path(__file__).parent))

from gate.distill import this_machine

Record = dict[str, Any]
Floats = NDArray[np.float64]

SPEEDS = ("integer", "memory")

SECONDS = 0.15
"""Of one measurement: long enough for hundreds of iterations, short enough for one speed."""

RUN = 8
"""Rounds of a run: as many processes as a run of a case commonly has."""

ROUND_TIMEOUT_S = 120

RESAMPLES = 2000
"""Of the bootstrap: the ends of a 95 % interval then move by a tenth of its width at most."""


def main() -> int:
    """Run or report."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    run_ = commands.add_parser("run", help="measure the rounds that are still missing")
    run_.add_argument("--data", type=Path, required=True, help="folder for the records")
    run_.add_argument("--rounds", type=int, default=60, help="how many there are to be")
    run_.add_argument("--pause", type=float, default=2.0, help="seconds between rounds")
    report_ = commands.add_parser("report", help="print the scatter of each operation")
    report_.add_argument("--data", type=Path, required=True, help="folder with records.jsonl")
    report_.add_argument("--json", action="store_true", help="print a list of objects")
    round_ = commands.add_parser("round", help="measure one round and print its records")
    round_.add_argument("number", type=int, help="seeds the order")
    arguments = parser.parse_args()
    if arguments.command == "round":
        for record in measured(arguments.number):
            print(json.dumps(record, separators=(",", ":")), flush=True)
        return 0
    if arguments.command == "run":
        return run(arguments.data, arguments.rounds, arguments.pause)
    rows = [row(name, records) for name, records in by_operation(read(arguments.data)).items()]
    print(json.dumps(rows, indent=2) if arguments.json else as_text(rows))
    return 0


def run(data: Path, rounds: int, pause: float) -> int:
    """Measure in fresh processes what is missing."""
    data.mkdir(parents=True, exist_ok=True)
    machine = data / "machine.json"
    if not machine.exists():
        machine.write_text(json.dumps(this_machine(), indent=2) + "\n", "utf-8")
    done = {record["round"] for record in read(data)}
    for number in sorted(set(range(rounds)) - done):
        child = subprocess.run(
            [sys.executable, str(Path(__file__).resolve()), "round", str(number)],
            cwd=data,
            stdout=subprocess.PIPE,
            check=True,
            timeout=ROUND_TIMEOUT_S,
        )
        # A round is there as a whole or not at all.
        with (data / "records.jsonl").open("ab") as file:
            file.write(child.stdout)
        time.sleep(pause)
    return 0


def measured(number: int) -> Iterator[Record]:
    """Measure every operation once, in an order that differs by round."""
    with contextlib.ExitStack() as stack:
        operations = list(make_operations(stack).items())
        random.Random(number).shuffle(operations)
        for name, operation in operations:
            began = time.time()
            with ReferenceProbe() as reference, NoiseProbe() as noise:
                result = sp.measure(
                    operation,
                    warmup_s=SECONDS / 5,
                    min_iterations=10,
                    max_duration_s=SECONDS,
                    precision=0.0,
                )
            switches = noise.environment["voluntary_switches"]
            median = result.quantile(0.5)
            assert isinstance(median, Estimate)
            yield {
                "round": number,
                "operation": name,
                "at": round(began, 1),
                "median_ns": round(median.value, 3),
                "mean_ns": round(float(result.samples_ns.mean()), 3),
                "iterations": result.count * result.batch,
                "voluntary_switches": switches,
                "seconds": round(noise.environment["seconds"], 3),
                "cpu_seconds": round(noise.environment["cpu_seconds"], 3),
                "load": (noise.environment["load_average"] or [None])[0],
                "reference": {
                    name: round(reference.environment[name], 5)
                    for speed in SPEEDS
                    for name in (f"{speed}_ns", f"{speed}_change")
                },
            }


def make_operations(stack: contextlib.ExitStack) -> dict[str, Any]:
    """Return operations of different kinds."""
    batch = sp.consensus.VoteBatch.generate(10_000, nodes=100, byzantine=0.33, seed=1)
    large = {str(number): number for number in range(300_000)}
    keys = random.Random(1).sample(sorted(large), 20_000)
    source, target = np.ones(4 << 20), np.ones(4 << 20)
    places = iter_forever(range(0, len(source), 1 << 17))
    words = iter_forever(range(0, len(keys), 500))
    descriptor, path = tempfile.mkstemp(dir=Path.cwd())
    stack.callback(os.close, descriptor)
    Path(path).unlink()

    def look_up() -> None:
        start = next(words)
        for key in keys[start : start + 500]:
            large[key]

    def allocate() -> list[bytearray]:
        return [bytearray(300) for _ in range(100)]

    def copy() -> None:
        # 1 MiB of 64 MiB, another each time: never in a cache of the core.
        start = next(places)
        np.copyto(target[start : start + (1 << 17)], source[start : start + (1 << 17)])

    def write_to_disk() -> None:
        os.pwrite(descriptor, b"x" * 4096, 0)
        os.fdatasync(descriptor)

    def start_thread() -> None:
        thread = threading.Thread(target=int)
        thread.start()
        thread.join()

    return {
        "native consensus round": sp.consensus.Round(nodes=100, proposals=100).operation([batch]),
        "Python arithmetic": lambda: sum(range(500)),
        "JSON of a small dictionary": lambda: json.dumps({"a": 1, "b": [1, 2, 3]}),
        "look-ups in a large dictionary": look_up,
        "allocation": allocate,
        "large allocation, faulted in": lambda: bytearray(1 << 20),
        "memory-bound copy": copy,
        "system call": os.getppid,
        "file with fdatasync": write_to_disk,
        "thread, started and joined": start_thread,
    }


def iter_forever(numbers: range) -> Iterator[int]:
    """Go through the numbers again and again."""
    while True:
        yield from numbers


def read(data: Path) -> list[Record]:
    """Return the records; a line that was cut short is left out."""
    path = data / "records.jsonl"
    records = []
    for line in path.read_bytes().splitlines() if path.exists() else ():
        with contextlib.suppress(ValueError):
            records.append(json.loads(line))
    return records


def by_operation(records: list[Record]) -> dict[str, list[Record]]:
    """Return the records of each operation, in the order of time."""
    groups: dict[str, list[Record]] = {}
    for record in sorted(records, key=lambda record: float(record["at"])):
        groups.setdefault(record["operation"], []).append(record)
    return dict(sorted(groups.items()))


def row(name: str, records: list[Record]) -> Record:
    """Return what is to be said of one operation."""
    times = np.log([record["median_ns"] for record in records])
    iterations = sum(record["iterations"] for record in records)
    found: Record = {
        "operation": name,
        "rounds": len(records),
        "median_us": float(np.exp(np.median(times))) / 1e3,
        "switches_per_iteration": sum(r["voluntary_switches"] for r in records) / iterations,
        "scatter": scatter(times),
    }
    for speed in SPEEDS:
        steps = np.log([record["reference"][f"{speed}_ns"] for record in records])
        found[speed] = comparison(times, steps)._asdict()
    steps = np.log([record["reference"]["integer_ns"] for record in records])
    if len(times) > 2 * RUN:
        found["runs"] = runs(times, steps)._asdict()
    return found


class Comparison(NamedTuple):
    """The scatter of scaled times beside that of the times themselves.

    Attributes
    ----------
    scatter
        Of the times divided by the reading.
    ratio, low, high
        Of that scatter to the plain, with a 95 % interval (bootstrap over the rounds): below 1
        scaling helps, above 1 it misleads.
    correlation
        Between the logarithms of times and readings.
    slope
        By what power of the reading the times move (Theil & Sen).
    """

    scatter: float
    ratio: float
    low: float
    high: float
    correlation: float
    slope: float


def comparison(times: Floats, steps: Floats) -> Comparison:
    """Compare the logarithms of times with those of readings."""
    generator = np.random.default_rng(1)
    picks = generator.integers(0, len(times), (RESAMPLES, len(times)))
    ratios = scatter(times[picks] - steps[picks]) / scatter(times[picks])
    low, high = np.quantile(ratios, [0.025, 0.975])
    return Comparison(
        float(scatter(times - steps)),
        float(scatter(times - steps) / scatter(times)),
        float(low),
        float(high),
        float(np.corrcoef(times, steps)[0, 1]),
        slope(times, steps),
    )


class Runs(NamedTuple):
    """How far the locations of runs of a few consecutive rounds lie apart.

    Attributes
    ----------
    plain, divided, fitted
        Standard deviation of their logarithms: as they are, divided by the integer reading, and
        scaled by the power of it that the run shows, if it shows one.
    shown
        Share of the runs that show one.
    unrelated
        As `fitted`, with the readings of rounds far away: what scaling costs where it is not due.
    plain_covered, fitted_covered
        Share of the runs whose 95 % interval contains the location over all rounds.
    """

    plain: float
    divided: float
    fitted: float
    shown: float
    unrelated: float
    plain_covered: float
    fitted_covered: float


def runs(times: Floats, steps: Floats) -> Runs:
    """Take overlapping runs of eight rounds out of the logarithms of times and readings."""
    usual = float(np.exp(np.median(steps)))
    elsewhere = np.roll(steps, len(steps) // 2)
    starts = range(0, len(times) - RUN + 1, RUN // 4)

    def estimates(readings: Floats) -> list[Estimate]:
        return [
            fitted(times[start : start + RUN], readings[start : start + RUN], usual)
            for start in starts
        ]

    plain = [location(np.exp(times[start : start + RUN])) for start in starts]
    divided = [location(np.exp((times - steps)[start : start + RUN]) * usual) for start in starts]
    scaled = estimates(steps)
    return Runs(
        plain=spread(plain),
        divided=spread(divided),
        fitted=spread(scaled),
        shown=sum("scaled" in estimate.method for estimate in scaled) / len(scaled),
        unrelated=spread(estimates(elsewhere)),
        plain_covered=covered(plain, location(np.exp(times)).value),
        fitted_covered=covered(scaled, fitted(times, steps, usual).value),
    )


def fitted(times: Floats, steps: Floats, usual: float) -> Estimate:
    """Return the location at the usual speed, or as it is where times do not follow the speed."""
    return at_speed(np.exp(times), np.exp(steps), usual) or location(np.exp(times))


def spread(estimates: list[Estimate]) -> float:
    """Return the standard deviation of the logarithms of values."""
    return float(np.std(np.log([estimate.value for estimate in estimates]), ddof=1))


def covered(estimates: list[Estimate], truth: float) -> float:
    """Return the share of intervals that contain a value."""
    inside = [
        estimate.low is not None
        and estimate.high is not None
        and estimate.low <= truth <= estimate.high
        for estimate in estimates
    ]
    return sum(inside) / len(inside)


def scatter(logarithms: Floats) -> Any:
    """Return half of what the middle 80 % span, as a fraction: one wild round changes little."""
    tenth, last = np.quantile(logarithms, [0.1, 0.9], axis=-1)
    return (last - tenth) / 2


def slope(times: Floats, steps: Floats) -> float:
    """Return the median of the slopes between all pairs whose readings differ by 1 % or more."""
    first, second = np.triu_indices(len(times), 1)
    run_ = steps[second] - steps[first]
    apart = np.abs(run_) > math.log(1.01)
    if not apart.any():
        return math.nan
    return float(np.median((times[second] - times[first])[apart] / run_[apart]))


def verdict(one: Record) -> str:
    """Say in a word whether scaling helps."""
    return "helps" if one["high"] < 1 else "misleads" if one["low"] > 1 else "unproved"


def as_text(rows: list[Record]) -> str:
    """Return a table for people."""
    lines = [
        f"{'operation':31} {'rounds':>6} {'median':>9} {'sleeps':>7} {'scatter':>8}"
        + "".join(
            f"  {f'by {speed}':>9} {'ratio':>18} {'corr':>5} {'slope':>5}" for speed in SPEEDS
        )
    ]
    for row in rows:
        line = (
            f"{row['operation']:31} {row['rounds']:6d} {row['median_us']:6.1f} us"
            f" {row['switches_per_iteration']:7.3f} {row['scatter']:8.1%}"
        )
        for speed in SPEEDS:
            it = row[speed]
            ratio = f"{it['ratio']:.2f} [{it['low']:.2f}, {it['high']:.2f}]"
            line += (
                f"  {it['scatter']:9.1%} {ratio:>18} {it['correlation']:5.2f} {it['slope']:5.2f}"
                f" {verdict(it)}"
            )
        lines.append(line)
    lines += [
        "",
        f"locations of runs of {RUN} rounds, standard deviation; coverage of 95 % intervals",
        f"{'operation':31} {'plain':>7} {'divided':>8} {'fitted':>7} {'shown':>6} {'unrelated':>10}"
        f" {'covered':>8} {'fitted':>7}",
    ]
    for row in rows:
        if "runs" in row:
            it = row["runs"]
            lines.append(
                f"{row['operation']:31} {it['plain']:7.1%} {it['divided']:8.1%} {it['fitted']:7.1%}"
                f" {it['shown']:6.0%} {it['unrelated']:10.1%} {it['plain_covered']:8.0%}"
                f" {it['fitted_covered']:7.0%}"
            )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
