"""Sides to compare, and an eye on the processes that they leave behind."""

from __future__ import annotations

import itertools
import os
import sys
import textwrap
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import stratoperf as sp

# For the workers that both kinds of tests have.
sys.path.append(str(Path(__file__).parents[1] / "robustness"))

EnvironmentOf = Callable[..., sp.Environment]

_MARK = "STRATOPERF_TEST_MARK"
_PATIENCE_S = 30.0


@pytest.fixture
def environment_of(tmp_path: Path) -> EnvironmentOf:
    """Return a function that makes an environment of the source of a module with benchmarks."""
    numbers = itertools.count()

    def make(source: str, python: str | None = None, **params: Any) -> sp.Environment:
        path = tmp_path / f"benchmarks_{next(numbers)}.py"
        header = "import os, signal, sys, time\nimport stratoperf as sp\n\n"
        path.write_text(header + textwrap.dedent(source))
        plain = sp.Environment(params=params, modules=(str(path),))
        return plain if python is None else sp.Environment(python, params, (str(path),))

    return make


@pytest.fixture(autouse=True)
def leftovers(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Return a check, which is also made after every test, that no process is left behind."""
    mark = uuid.uuid4().hex
    monkeypatch.setenv(_MARK, mark)

    def check() -> None:
        deadline = time.monotonic() + _PATIENCE_S
        # What was killed may take a moment to be gone.
        while left := _marked(mark) + _zombies():
            assert time.monotonic() < deadline, f"left behind: {left}"
            time.sleep(0.01)

    return check


@pytest.fixture(autouse=True)
def _nothing_is_left(leftovers: Callable[[], None]) -> Any:
    yield
    leftovers()


def _marked(mark: str) -> list[str]:
    """Return the command lines of all other processes with the mark in their environment."""
    wanted = f"{_MARK}={mark}".encode()
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if int(process.name) != os.getpid() and wanted in (process / "environ").read_bytes():
                line = (process / "cmdline").read_bytes().decode(errors="replace")
                found.append(f"{process.name} {line[:200]}")
        except OSError:
            continue
    return found


def _zombies() -> list[str]:
    """Return the children of this process that nobody has reaped."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            state, parent = (process / "stat").read_text().rpartition(")")[2].split()[:2]
        except OSError:
            continue
        if state == "Z" and int(parent) == os.getpid():
            found.append(f"zombie {process.name}")
    return found
