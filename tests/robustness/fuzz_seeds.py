"""Valid inputs to start from, written by the library itself."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from stratoperf.monitor import system
from stratoperf.results import Run
from stratoperf.results.files import write_arrays
from stratoperf.results.storage import encode
from stratoperf.running.workers.protocol import PROTOCOL
from stratoperf.statistics import summarize
from stratoperf.stratoswarm.consensus import VoteBatch

SAMPLES = 40


def result(name: str, seed: int, **changes: Any) -> dict[str, Any]:
    """Return a result as a run file has it."""
    samples = 1000 + np.random.default_rng(seed).random(SAMPLES)
    summary = msgspec.to_builtins(summarize(samples))
    metric = {
        "unit": "ns",
        "better": "lower",
        "primary": True,
        "summary": {key: value for key, value in summary.items() if key != "stopped_because"},
        "mean": summary["p50"],
        "target": {
            "statistic": "p95",
            "direction": "<",
            "value": 100.0,
            "unit": "us",
            "verdict": "met",
            "why": "below the target",
        },
    }
    return {
        "key": f"{name}[backend=cpu,votes=1000]",
        "benchmark": name,
        "benchmark_version": 1,
        "category": "single-node",
        "backend": "cpu",
        "params": {"votes": 1000, "byzantine": 0.33, "mode": "any", "huge": True},
        "status": "ok",
        "reason": None,
        "below_standard": ["warm-up: 0.1 s, the standard is 10 s"],
        "metrics": {"latency": metric},
        "series": [
            {
                "system": "box",
                "process": f"p{seed}",
                "arm": None,
                "pair": None,
                "started_ns": 10 + seed,
                "batch": 4,
                "columns": {"latency": [round(value, 3) for value in samples.tolist()]},
            }
        ],
        "warmup": {"seconds": 0.1, "iterations": 5},
        "verification": {"checked": 3, "passed": True},
        "environment": {"steal_percent": 0.5, "other_load": 0.1, "throttling": 1},
        "stopped_because": "precision",
        "warnings": ["the frequency changed by 12 %"],
        "notes": ["the benchmark changed sys.path"],
        "items": 1000.0,
        "item_unit": "votes",
        "details": {"threads": 4, "trials": [{"threads": 1}]},
        "profile": {
            "seconds": 0.1,
            "iterations": 100,
            "counters": {
                "instructions": {"per_iteration": 1e6},
                "cycles": {"per_iteration": None, "why": "not permitted"},
            },
            "instructions_per_cycle": 0.5,
            "functions": [
                {
                    "function": "f",
                    "file": "a.py",
                    "line": 3,
                    "own_ns_per_iteration": 12.5,
                    "calls_per_iteration": 2.0,
                }
            ],
        },
        **changes,
    }


def document(number: int = 1, **changes: Any) -> dict[str, Any]:
    """Return a run with a result of each kind."""
    throughput = result("kv.get", number)
    throughput["metrics"]["throughput"] = {"unit": "votes/s", "better": "higher"}
    return {
        "schema": "stratoperf.run/1",
        "id": f"run{number}",
        "created": f"2026-11-{number:02}T09:37:00Z",
        "preset": "quick",
        "command": ["stratoperf", "run"],
        "stratoperf_version": "0.1.0",
        "systems": {"box": msgspec.to_builtins(system())},
        "results": [
            result("consensus.round", number),
            throughput,
            result(
                "kv.bad", number, status="failed", reason="out of memory", metrics={}, series=[]
            ),
            result("gpu.copy", number, status="skipped", reason="no GPU", metrics={}, series=[]),
        ],
        **changes,
    }


def live_document() -> dict[str, Any]:
    """Return the record of a live comparison."""
    live = result("kv.put", 1)
    live["metrics"] = {"latency": {"unit": "ns", "better": "lower", "primary": True}}
    live["series"] = [
        {
            **live["series"][0],
            "process": f"{arm}{pair}",
            "arm": arm,
            "pair": pair,
            "started_ns": 1000 * pair,
            "columns": {"latency": [1000.0 + pair, 1001.0, 999.0]},
        }
        for pair in range(8)
        for arm in ("baseline", "current")
    ]
    return document(9, preset="live", results=[live])


def with_arrays(folder: Path) -> dict[str, Any]:
    """Return a run whose samples lie beside it, and write these."""
    apart = document(3)
    del apart["results"][1:]
    apart["results"][0]["series"][0]["columns"]["latency"] = np.arange(20_000.0) + 1
    path = Run(apart).save(folder / "data.json")
    tree: dict[str, Any] = json.loads(path.read_bytes())
    return tree


def arrays(folder: Path) -> bytes:
    """Return an ``.npz`` as the library writes it."""
    path = folder / "small.npz"
    columns = {"a": np.arange(40.0), "b": np.arange(40, dtype=np.uint32)}
    with path.open("wb") as file:
        write_arrays(file, {name: column.copy for name, column in columns.items()})
    return path.read_bytes()


def trace(folder: Path, suffix: str) -> bytes:
    """Return a recorded batch of votes."""
    path = folder / f"trace{suffix}"
    VoteBatch.generate(20, nodes=5).save(path)
    return path.read_bytes()


def conversation() -> list[dict[str, Any]]:
    """Return what a worker says."""
    words: list[dict[str, Any]] = [
        {"type": "hello", "version": "0.1.0", "python": "3.11.7"},
        {
            "type": "planned",
            "cases": [
                {
                    "key": "kv.put[backend=cpu]",
                    "benchmark": "kv.put",
                    "version": 1,
                    "category": "single-node",
                    "backend": "cpu",
                    "params": {"size": 64, "mode": "x", "ratio": 0.5, "on": True},
                    "skip_reason": None,
                }
            ],
            "unknown": {"kv.x": "did you mean 'kv.put'?"},
            "warnings": ["noise"],
        },
        {
            "type": "ready",
            "batch": 10,
            "iteration_ns": 1234.5,
            "items": 1.0,
            "item_unit": "votes",
            "warmup": {"seconds": 0.1, "iterations": 9},
            "left": None,
        },
        {
            "type": "samples",
            "started_ns": 12345,
            "latency": base64.b64encode(np.arange(1.0, 9.0).tobytes()).decode(),
        },
        {"type": "verified", "checked": 3},
    ]
    return [{"protocol": PROTOCOL, **word} for word in words]


def encoded_document(tree: dict[str, Any]) -> bytes:
    """Return the bytes of a run file."""
    return encode(tree)


THRESHOLDS = b"""default = 5

[benchmarks]
"consensus.round" = 3
"kv.*" = 15.5
"""

KERNEL_FILES = {
    "/proc/self/mountinfo": "22 1 8:1 / / rw - ext4 /dev/sda1 rw\n"
    "23 22 0:5 / /data rw - overlay overlay rw,lowerdir=/a,upperdir=/b,workdir=/c\n",
    "/proc/stat": "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 5\n",
    "/proc/loadavg": "0.50 0.40 0.30 1/200 1234",
    "/proc/cmdline": "BOOT_IMAGE=/vmlinuz isolcpus=2,3 mitigations=off",
    "/sys/devices/system/cpu/online": "0-3",
    "/sys/devices/system/node/has_memory": "0-1",
    "/sys/devices/system/node/node1/meminfo": "Node 1 MemFree: 1000 kB",
    "/sys/devices/system/cpu/cpu0/cache/index0/level": "1",
    "/sys/devices/system/cpu/cpu0/cache/index0/size": "48K",
    "/sys/devices/system/cpu/cpu0/cache/index0/shared_cpu_list": "0-1",
    "/sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq": "3900000",
    "/sys/fs/cgroup/cpu.max": "50000 100000",
    "/sys/fs/cgroup/cpu.stat": "usage_usec 1\nthrottled_usec 5\n",
    "/sys/fs/cgroup/memory.max": "1000000000",
    "/sys/fs/cgroup/memory.current": "1000000",
    "/proc/self/cgroup": "0::/\n",
    "/sys/devices/platform/soc/soc:firmware/get_throttled": "50005",
    "/proc/sys/kernel/perf_event_paranoid": "2",
}
"""What this machine may lack."""
