"""Two operations whose amount of work is a parameter: what the gates are tried on.

Workers import this file for its benchmarks; 5 % more `work` is 5 % more steps of the same loop.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import os
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import stratoperf as sp

SOURCE = Path(__file__).with_name("native_work.c")

WORK = {"gate.native": 20_000, "gate.python": 1_000}
"""Steps of the baseline: some 30 to 60 µs, and divisible by 20, so that 5 % is a whole number."""


def work_of(operation: str, slowdown: float) -> int:
    """Return the steps of an operation that does so much more work: 0.05 is 5 %."""
    return round(WORK[operation] * (1 + slowdown))


@functools.cache
def library() -> ctypes.CDLL:
    """Return the compiled native work; it is kept among the temporary files of the user."""
    digest = hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:16]
    target = Path(tempfile.gettempdir()) / f"stratoperf-gate-{os.getuid()}-{digest}.so"
    if not target.exists():
        unfinished = target.with_suffix(f".{os.getpid()}")
        subprocess.run(
            [
                os.environ.get("CC", "cc"),
                *("-O2", "-shared", "-fPIC", f"-I{sp.get_include()}"),
                *(str(SOURCE), "-o", str(unfinished)),
            ],
            check=True,
        )
        unfinished.rename(target)
    loaded = ctypes.CDLL(str(target))
    loaded.make_native_work.restype = ctypes.c_void_p
    loaded.make_native_work.argtypes = [ctypes.c_uint64]
    loaded.spin.restype = ctypes.c_uint64
    loaded.spin.argtypes = [ctypes.c_uint64, ctypes.c_uint64]
    return loaded


def native_capsule(work: int) -> object:
    """Return the native operation; it lives as long as the process."""
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype = ctypes.py_object
    new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    return new_capsule(library().make_native_work(work), b"stratoperf.operation/1", None)


def native_call(work: int) -> Callable[[], object]:
    """Return the native work as a Python callable, for tools that know no other."""
    spin = library().spin
    return lambda: spin(1, work)


def python_call(work: int) -> Callable[[], object]:
    """Return a loop in Python."""

    def run() -> int:
        total = 0
        for i in range(work):
            total += i * i
        return total

    return run


MAKERS: dict[str, Callable[[int], object]] = {
    "gate.native": native_capsule,
    "gate.python": python_call,
}
"""What the suite samples."""

CALLS: dict[str, Callable[[int], Callable[[], object]]] = {
    "gate.native": native_call,
    "gate.python": python_call,
}
"""What tools call that know Python callables only."""


@sp.benchmark("gate.native", params={"work": [WORK["gate.native"]]})
def native(work: int) -> object:
    """A chain of dependent instructions."""
    return native_capsule(work)


@sp.benchmark("gate.python", params={"work": [WORK["gate.python"]]})
def python(work: int) -> Callable[[], object]:
    """A loop of the interpreter."""
    return python_call(work)
