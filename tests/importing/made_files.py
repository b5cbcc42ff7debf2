"""Files of tools that cannot be installed here, made after what their writers write."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np


def named(**values: str | float) -> list[dict[str, str]]:
    """Return values as nvbench writes them: each with a type, and as a string."""
    kinds = {int: "int64", float: "float64", str: "string"}
    return [
        {"name": name, "type": kinds[type(value)], "value": str(value)}
        for name, value in values.items()
    ]


def nvbench_document(
    samples: str | None = "results.json-bin/0.bin", size: int = 5
) -> dict[str, Any]:
    """Return what nvbench 0.1 writes, as its `json_printer` does (file version 1.0.0)."""
    summaries = [
        {"tag": "nv/cold/sample_size", "name": "Samples", "data": named(value=size)},
        {"tag": "nv/cold/time/cpu/mean", "name": "CPU Time", "data": named(value=9.5e-06)},
        {"tag": "nv/cold/time/cpu/stdev/relative", "data": named(value=0.02)},
        {"tag": "nv/cold/time/gpu/mean", "name": "GPU Time", "data": named(value=3e-06)},
        {"tag": "nv/cold/time/gpu/stdev/relative", "data": named(value=0.01)},
        {"tag": "nv/cold/time/gpu/min", "data": named(value=1e-06)},
        {"tag": "nv/batch/time/gpu/mean", "name": "Batch GPU", "data": named(value=2.9e-06)},
    ]
    if samples is not None:
        summaries.append(
            {
                "tag": "nv/json/bin:nv/cold/sample_times",
                "name": "Samples Times File",
                "hint": "file/sample_times",
                "hide": "Not needed in table.",
                "data": named(filename=samples, size=size),
            }
        )
    states = [
        {
            "name": "Device=0 Elements=2^20 T=I32",
            "device": 0,
            "type_config_index": 0,
            "axis_values": named(T="I32", Elements=1048576),
            "summaries": summaries,
            "is_skipped": False,
        },
        {
            "name": "Device=0 Elements=2^30 T=I32",
            "device": 0,
            "type_config_index": 0,
            "axis_values": named(T="I32", Elements=1073741824),
            "summaries": None,
            "is_skipped": True,
            "skip_reason": "Not enough memory",
        },
    ]
    return {
        "meta": {"argv": ["bench"], "version": {"json": {"string": "1.0.0"}}},
        "devices": [{"id": 0, "name": "NVIDIA H200", "sm_version": 900}],
        "benchmarks": [{"name": "copy", "index": 0, "axes": [], "states": states}],
    }


def write_nvbench(folder: Path, filename: str | None = "results.json-bin/0.bin") -> Path:
    """Write a file with five samples in the folder beside it, of 1 to 5 us."""
    path = folder / "results.json"
    path.write_text(json.dumps(nvbench_document(filename)))
    samples = folder / "results.json-bin"
    samples.mkdir()
    (samples / "0.bin").write_bytes(np.arange(1, 6, dtype="<f4").tobytes())
    (samples / "0.bin").write_bytes((np.arange(1, 6) * 1e-6).astype("<f4").tobytes())
    return path


def gungraun_document(counts: Mapping[str, Any], tool: str = "Callgrind") -> dict[str, Any]:
    """Return a summary of version 6, as the published schema has it."""
    return {
        "version": "6",
        "kind": "LibraryBenchmark",
        "summary_output": None,
        "project_root": "/p",
        "package_dir": "/p",
        "benchmark_file": "/p/benches/b.rs",
        "benchmark_exe": "/p/target/b",
        "function_name": "sum",
        "module_path": "b::group::sum",
        "id": "short",
        "details": "sum(10)",
        "baselines": [None, None],
        "profiles": [
            {
                "tool": tool,
                "log_paths": [],
                "out_paths": [],
                "flamegraphs": [],
                "summaries": {
                    "parts": [],
                    "total": {"regressions": [], "summary": {tool: dict(counts)}},
                },
            }
        ],
    }


def difference(new: float, old: float | None = None) -> dict[str, Any]:
    """Return a count of this run, or of this run and the one before."""
    number = {"Int": new} if isinstance(new, int) else {"Float": new}
    if old is None:
        return {"metrics": {"Left": number}, "diffs": None}
    return {"metrics": {"Both": [number, {"Int": old}]}, "diffs": {"diff_pct": 1.0, "factor": 1.0}}


def write_old_criterion(folder: Path, iterations: Sequence[float], times: Sequence[float]) -> Path:
    """Write a tree of Criterion before 0.3.3: two lists without a mode, no ``raw.csv``."""
    own = folder / "criterion" / "old" / "new"
    own.mkdir(parents=True)
    (own / "sample.json").write_text(json.dumps([iterations, times]))
    identity = {"group_id": "old", "function_id": None, "value_str": None, "throughput": None}
    identity |= {"full_id": "old", "directory_name": "old"}
    (own / "benchmark.json").write_text(json.dumps(identity))
    return folder / "criterion"
