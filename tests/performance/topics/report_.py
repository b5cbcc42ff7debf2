"""How fast large runs are read, reported, checked and imported, beside the goals for it.

There is no peer that does the same work: the figures are ours, and each is held to a goal.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

import stratoperf as sp
from side_by_side import Goal, Row
from stratoperf.measurement import MeasuredProcess

RESULTS, PROCESSES, SAMPLES = 200, 10, 1000
"""A full suite: 10,000 samples of each result."""

CRITERION = 1000
REPETITIONS = 3
LOAD = """
import time
import stratoperf as sp
start = time.perf_counter()
run = sp.load({path!r})
print(time.perf_counter() - start)
"""


class Used(NamedTuple):
    """What a command took."""

    seconds: float
    megabytes: float


def measure() -> Iterator[Row]:
    """Measure each command in fresh processes, the best of some repetitions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        before, after = (write_run(folder / f"{side}.json", seed) for seed, side in enumerate("ab"))
        page = folder / "report.html"
        used = best(["report", str(after), "--output", str(page)])
        about = f"{RESULTS} results of {PROCESSES * SAMPLES} samples"
        yield row("report: time", used.seconds, "s", 15, about)
        yield row("report: memory", used.megabytes, "MB", 1000, about)
        yield row("report: size", page.stat().st_size / 1e6, "MB", 2, about)
        yield row("load", min(load_s(after) for _ in range(REPETITIONS)), "s", 1, about)
        sides = ["check", "--baseline", str(before), "--current", str(after)]
        yield row("check", best(sides).seconds, "s", 10, about)
        tree = write_criterion(folder / "criterion")
        output = folder / "imported.json"
        used = best(["import", str(tree), "--output", str(output)])
        yield row("import", used.seconds, "s", 5, f"a Criterion tree of {CRITERION} benchmarks")


def row(name: str, value: float, unit: str, most: float, note: str) -> Row:
    """Return a value beside its goal."""
    goal = Goal("value", "<=", most)
    met = goal.met_by(ratio=None, value=value)
    return Row(name, value, None, "the goal alone", unit, "lower", goal=goal, met=met, note=note)


def best(arguments: Sequence[str]) -> Used:
    """Return the least that a command took."""
    return min(run(arguments) for _ in range(REPETITIONS))


def run(arguments: Sequence[str]) -> Used:
    """Run a command, which may say that something is slower."""
    start = time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, "-m", "stratoperf", *arguments],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    seconds = time.perf_counter() - start
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stderr.close()
    if process.returncode not in (0, 1):
        raise RuntimeError(f"{arguments[0]} failed: {said}")
    return Used(seconds, usage.ru_maxrss / 1e3)


def load_s(path: Path) -> float:
    """Return the seconds of loading a run in a fresh process."""
    code = LOAD.format(path=str(path))
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return float(done.stdout)


def write_run(path: Path, seed: int) -> Path:
    """Write a run of a full suite, of made-up samples."""
    random = np.random.default_rng(seed)
    results = [made_result(number, random) for number in range(RESULTS)]
    document = {
        "schema": "stratoperf.run/1",
        "id": f"made-{seed}",
        "created": f"2026-11-2{seed}T09:00:00Z",
        "preset": "standard",
        "command": ["stratoperf", "run"],
        "stratoperf_version": sp.__version__,
        "systems": {"machine": {"cpu": {"model": "made up"}}},
        "results": results,
    }
    path.write_text(json.dumps(document))
    return path


def made_result(number: int, random: np.random.Generator) -> dict[str, Any]:
    """Return a result of several processes."""
    median = 10.0 ** (1 + 6 * number / RESULTS)
    taken = [
        median * random.normal(1, 0.02) * random.lognormal(0, 0.2, SAMPLES)
        for _ in range(PROCESSES)
    ]
    parts = [
        MeasuredProcess(str(n), slice(n * SAMPLES, (n + 1) * SAMPLES)) for n in range(PROCESSES)
    ]
    measurement = sp.Measurement("made", np.concatenate(taken), processes=parts)
    metrics = {
        "latency": {
            "unit": "ns",
            "better": "lower",
            "primary": True,
            "summary": msgspec.to_builtins(measurement.summary()),
        },
        "throughput": {
            "unit": "items/s",
            "better": "higher",
            "mean": msgspec.to_builtins(measurement.throughput()),
        },
    }
    benchmark, size = f"made.topic{number // 10}", 2 ** (number % 10)
    return {
        "key": f"{benchmark}[backend=cpu,size={size}]",
        "benchmark": benchmark,
        "backend": "cpu",
        "params": {"size": size},
        "status": "ok",
        "metrics": metrics,
        "series": [
            {
                "system": "machine",
                "process": str(n),
                "started_ns": n,
                "batch": 1,
                "columns": {"latency": own.tolist()},
            }
            for n, own in enumerate(taken)
        ],
    }


def write_criterion(folder: Path) -> Path:
    """Write a tree as Criterion does."""
    random = np.random.default_rng(1)
    for number in range(CRITERION):
        place = folder / f"group{number // 10}" / f"work{number}" / "new"
        place.mkdir(parents=True)
        name = f"group{number // 10}/work{number}"
        about = {
            "group_id": f"group{number // 10}",
            "function_id": f"work{number}",
            "value_str": None,
            "throughput": None,
            "full_id": name,
            "directory_name": name,
            "title": name,
        }
        iterations = np.arange(1.0, 101.0) * 10
        times = iterations * 100 * random.lognormal(0, 0.05, 100)
        sample = {
            "sampling_mode": "Linear",
            "iters": iterations.tolist(),
            "times": times.tolist(),
        }
        (place / "benchmark.json").write_text(json.dumps(about))
        (place / "sample.json").write_text(json.dumps(sample))
    return folder
