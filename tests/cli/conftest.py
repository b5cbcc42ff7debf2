"""Running the command line, in this process and in one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from stratoperf.cli import main
from stratoperf.suite.registry import REGISTRY


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
