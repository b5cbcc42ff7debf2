"""Running the command line, in this process and in one of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from stratoperf.cli import main
from stratoperf.running.registry import REGISTRY


class Ending(NamedTuple):
    """Exit code and output of a command."""

    code: int
    out: str
    err: str


@pytest.fixture
def stratoperf(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Ending]:
    """Return a function that runs a command in a folder of its own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str) -> Ending:
        with pytest.raises(SystemExit) as ending:
            main(arguments)
        code = ending.value.code
        captured = capsys.readouterr()
        return Ending(code if isinstance(code, int) else -1, captured.out, captured.err)

    return run


@pytest.fixture(autouse=True)
def not_in_github(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the tests find the same environment wherever they run."""
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def write_run(tmp_path: Path) -> Callable[..., Path]:
    """Return a function that writes a run file with one process of samples around a median."""

    def write(name: str, *medians: float, changes: dict[str, Any] | None = None) -> Path:
        path = tmp_path / name
        document = {
            "schema": "stratoperf.run/1",
            "id": f"id of {name}",
            "created": "2026-11-23T09:37:00Z",
            "preset": "quick",
            "command": [],
            "stratoperf_version": "0.1.0",
            "systems": {"box": {"cpu": {"model": "any"}}},
            "results": [_result(f"kv.{n}", median) for n, median in enumerate(medians)],
            **(changes or {}),
        }
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(document))
        return path

    return write


def _result(benchmark: str, median: float) -> dict[str, Any]:
    samples = [median * (1 + 0.001 * (number % 5 - 2)) for number in range(50)]
    return {
        "key": f"{benchmark}[backend=cpu,size=64]",
        "benchmark": benchmark,
        "benchmark_version": 1,
        "category": "single-node",
        "backend": "cpu",
        "params": {"size": 64},
        "status": "ok",
        "metrics": {"latency": {"unit": "ns", "better": "lower", "primary": True}},
        "series": [
            {
                "system": "box",
                "process": "p",
                "arm": None,
                "pair": None,
                "started_ns": 1,
                "batch": 1,
                "columns": {"latency": samples},
            }
        ],
    }


@pytest.fixture(autouse=True)
def clean_registry() -> Iterator[None]:
    """Forget the benchmarks that a test declares."""
    before = {benchmark.name for benchmark in REGISTRY.all()}
    yield
    for benchmark in REGISTRY.all():
        if benchmark.name not in before:
            REGISTRY.remove(benchmark.name)


@pytest.fixture
def start(tmp_path: Path) -> Callable[..., subprocess.Popen[str]]:
    """Return a function that starts a command as a process of its own."""

    def popen(*arguments: str, **environment: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", "from stratoperf.cli import main; main()", *arguments],
            cwd=tmp_path,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )

    return popen
