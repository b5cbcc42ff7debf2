"""Each tool once: it is asked in a fresh process, and its answer is read."""

from __future__ import annotations

import importlib.util
import json
import re
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from repeats import build
from repeats.loops import NATIVE, OPERATIONS
from repeats.plan import Job
from repeats.processes import output_of
from repeats.records import Interval, Outcome

HERE = Path(__file__).parent


def measure(job: Job) -> Outcome:
    """Measure anew.

    Raises
    ------
    RuntimeError, ValueError
        When the tool fails, or says what cannot be read.
    """
    return _TOOLS[job.tool](job)


def unavailable(tool: str) -> str | None:
    """Return why a tool cannot be had here, with the remedy, or ``None``."""
    if tool == "pyperf" and importlib.util.find_spec("pyperf") is None:
        return "pyperf is not installed: pip install pyperf"
    if tool == "google" and not build.has_google():
        return "Google Benchmark is not installed: apt-get install libbenchmark-dev"
    return None


def spread(values: Sequence[float], program: str, warned: Sequence[str] = ()) -> Outcome:
    """Return what a tool says that prints the mean ± the standard deviation of its values, in s."""
    mean = statistics.fmean(values)
    around = statistics.stdev(values) if len(values) > 1 else 0.0
    return Outcome(
        Interval(1e9 * mean, 1e9 * (mean - around), 1e9 * (mean + around)),
        program,
        tuple(warned),
        details={"values": len(values)},
    )


def _ours(job: Job) -> Outcome:
    return _printed("ours_run.py", *job)


def _criterion(job: Job) -> Outcome:
    return _printed("criterion_run.py", job.operation, job.mode)


def _printed(script: str, *arguments: object) -> Outcome:
    return msgspec.json.decode(output_of([sys.executable, HERE / script, *arguments]), type=Outcome)


PYPERF = {"quick": ("--fast",), "60s": ()}
"""``--fast`` is half as many values in half as many processes as its default."""


def _pyperf(job: Job) -> Outcome:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "pyperf.json"
        options = (*PYPERF[job.mode], "-o", path)
        script = HERE / "pyperf_run.py"
        printed = output_of([sys.executable, script, "--operation", job.operation, *options])
        return read_pyperf(json.loads(path.read_bytes()), printed)


def read_pyperf(tree: Mapping[str, Any], printed: str) -> Outcome:
    """Return the mean ± standard deviation that pyperf prints of all values of a file.

    Parameters
    ----------
    tree
        The content of the file.
    printed
        What it printed beside; a paragraph that begins with ``WARNING:`` is its warning.
    """
    (benchmark,) = tree["benchmarks"]
    values = [value for run in benchmark["runs"] for value in run.get("values", ())]
    metadata = tree["metadata"]
    warned = re.findall(r"^WARNING: .*$", printed, re.MULTILINE)
    return spread(values, f"pyperf {metadata['perf_version']}", warned)


GOOGLE = {"quick": (10, 0.1), "60s": (20, 2.5)}
"""Repetitions, and the least seconds of each."""


def _google(job: Job) -> Outcome:
    repetitions, seconds = GOOGLE[job.mode]
    options = (
        f"--benchmark_repetitions={repetitions}",
        f"--benchmark_min_time={seconds}",
        "--benchmark_format=json",
        "--benchmark_report_aggregates_only=true",
    )
    return read_google(json.loads(output_of([build.google(), *options, job.operation])))


def read_google(tree: Mapping[str, Any]) -> Outcome:
    """Return the mean ± standard deviation over repetitions of what Google Benchmark printed.

    Raises
    ------
    ValueError
        When it reports an error, or is not in ns.
    """
    aggregates = {entry.get("aggregate_name"): entry for entry in tree["benchmarks"]}
    mean, deviation = aggregates.get("mean"), aggregates.get("stddev")
    if mean is None or deviation is None or mean["time_unit"] != "ns":
        raise ValueError(f"no mean and stddev in ns from Google Benchmark: {tree['benchmarks']}")
    value, around = mean["real_time"], deviation["real_time"]
    return Outcome(
        Interval(value, value - around, value + around),
        "Google Benchmark",
        details={"values": mean["repetitions"]},
    )


LEAST_PROCESSES = 10
WHOLE_S = {"quick": 3.0, "60s": 60.0}
"""The first two are hyperfine's defaults: at least 10 runs, and at least 3 s."""


def _whole(job: Job) -> Outcome:
    return whole_processes(_whole_command(job.operation), WHOLE_S[job.mode])


def _whole_command(operation: str) -> list[object]:
    if operation in NATIVE:
        return [build.whole_process(), operation, OPERATIONS[operation].per_process]
    return [
        sys.executable,
        *("-I", HERE / "python_work.py", operation, OPERATIONS[operation].per_process),
    ]


def whole_processes(command: Sequence[object], least_s: float) -> Outcome:
    """Time a command as hyperfine does without a shell: over again until the time is over."""
    times: list[float] = []
    begin = time.perf_counter()
    while len(times) < LEAST_PROCESSES or time.perf_counter() - begin < least_s:
        started = time.perf_counter()
        output_of(command)
        times.append(time.perf_counter() - started)
    return spread(times, "a loop over processes")


_TOOLS: dict[str, Callable[[Job], Outcome]] = {
    "run": _ours,
    "measure": _ours,
    "measure-8": _ours,
    "pyperf": _pyperf,
    "google": _google,
    "criterion": _criterion,
    "whole": _whole,
}
