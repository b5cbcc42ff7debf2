"""The examples in docstrings, which the site shows, do what they show."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

SOURCE = Path(__file__).parent.parent / "src"

EXAMINE = """
import doctest, importlib, sys
failed = attempted = 0
for name in sys.argv[1:]:
    result = doctest.testmod(importlib.import_module(name))
    failed, attempted = failed + result.failed, attempted + result.attempted
print(failed, attempted)
"""


def test_the_examples_of_the_docstrings_run(tmp_path: Path) -> None:
    modules = [
        ".".join(path.relative_to(SOURCE).with_suffix("").parts).removesuffix(".__init__")
        for path in sorted(SOURCE.rglob("*.py"))
        if ">>> " in path.read_text(encoding="utf-8")
    ]
    assert len(modules) > 5
    # In a process of its own: examples register benchmarks and checks.
    done = subprocess.run(
        [sys.executable, "-c", EXAMINE, *modules],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.returncode == 0, done.stderr
    failed, attempted = map(int, done.stdout.splitlines()[-1].split())
    assert failed == 0, done.stdout
    assert attempted > len(modules)
