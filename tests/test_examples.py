"""The examples and the Python of the README and the guide do what they show."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import stratoperf as sp
from stratoperf.running import REGISTRY

ROOT = Path(__file__).parent.parent


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)


*STATEMENTS, DECLARATION = python_blocks("docs/guide.md")
BLOCKS = [*python_blocks("README.md"), *STATEMENTS]


def example(name: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(ROOT / "examples" / f"{name}.py")],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_a_measurement_can_be_embedded(tmp_path: Path) -> None:
    done = example("embed_measurement", tmp_path)
    assert done.stderr == ""
    # A very busy machine may leave the promise unproved.
    assert done.returncode in (0, 1)
    shown, evidence, verdict = done.stdout.splitlines()
    assert shown.startswith("<Measurement 'build_index'")
    assert json.loads(evidence)["p95_ns"] > 0
    assert verdict.startswith("p95 is")


def test_a_benchmark_can_be_defined(tmp_path: Path) -> None:
    done = example("custom_benchmark", tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    small, large = done.stdout.splitlines()
    assert re.fullmatch(r"kv.put\[backend=cpu,size=64\] p95 \d+ ns: (met|inconclusive)", small)
    assert large.endswith("ns: not-measured")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "block", BLOCKS, ids=["readme", "measure", "consensus", "synthesis", "memory"]
)
def test_the_python_of_the_pages_runs(block: str) -> None:
    pytest.importorskip("matplotlib", reason="needs the extra plot")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", block],
        env={**os.environ, "MPLBACKEND": "Agg"},
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_the_benchmark_of_the_guide_is_measured() -> None:
    class Store:
        kept: bytes = b""
        closed = 0

        def put(self, value: bytes) -> None:
            self.kept = value

        def check(self) -> int:
            return len(self.kept)

        def close(self) -> None:
            Store.closed += 1

    try:
        exec(DECLARATION, {"__name__": "__main__", "open_store": Store})
        small, large = sp.run("kv.put", preset="ci", warmup_s=0, duration_s=0.02).results
    finally:
        REGISTRY.remove("kv.put")
    assert (small.status, large.status, Store.closed) == ("ok", "ok", 2)
    assert small.verification is not None
    assert small.verification.checked == 64
