"""The examples and the Python of the README do what they show; the site runs that of its pages."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


def python_blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```", (ROOT / page).read_text(), re.M | re.S)


(BLOCK,) = python_blocks("README.md")


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


def test_the_python_of_the_readme_runs() -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", BLOCK],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert (done.returncode, done.stderr) == (0, "")
