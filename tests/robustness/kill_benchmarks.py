"""Quick benchmarks for the kill harness: they write down when they begin, and leave processes."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import stratoperf as sp
from stratoperf import _core

LOG = "STRATOPERF_KILL_LOG"
"""The file that lists the processes that began, with one line for each: the name of its case."""

NUMBER = "STRATOPERF_KILL_NUMBER"
"""Seconds that the processes of one strike sleep, by which they are known."""

SIZES = [1, 2]


def begun(name: str) -> None:
    """Note that a process of a case begins: all before it are finished and on the disk."""
    with Path(os.environ[LOG]).open("a") as log:
        log.write(f"{name}\n")


@sp.benchmark("kill.python", params={"size": SIZES})
def python(size: int) -> Iterator[Callable[[], object]]:
    begun(f"kill.python {size}")
    yield list(range(size)).copy
    time.sleep(0.001)


@sp.benchmark("kill.native")
def native() -> object:
    begun("kill.native")
    return _core.operation.empty()


@sp.benchmark("kill.sleeping")
def sleeping() -> Callable[[], object]:
    begun("kill.sleeping")
    return lambda: time.sleep(0.01)


@sp.benchmark("kill.many")
def many() -> object:
    """Has so many samples that they are kept in a file of their own."""
    begun("kill.many")
    return sp.Operation(_core.operation.empty(), max_iterations=200_000)


@sp.benchmark("kill.parent", params={"size": [1, 2]})
def parent(size: int) -> Iterator[Callable[[], object]]:
    sleep = ["sleep", os.environ[NUMBER]]
    subprocess.Popen(sleep)
    subprocess.Popen(sleep, start_new_session=True)
    subprocess.Popen(sleep, start_new_session=True, env={"PATH": os.environ["PATH"]})
    yield lambda: size
