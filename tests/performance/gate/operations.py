"""The operations that the gates are tried on; workers import this file for its benchmarks.

Of two the amount of work is a parameter: 5 % more `work` is 5 % more steps of the same loop. Three
have a tail, whose share is the parameter.
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
from stratoperf.operation import Capsule

HERE = Path(__file__).parent

WORK = {"gate.native": 20_000, "gate.python": 1_000}
"""Steps of the baseline: some 30 to 60 µs, and divisible by 20, so that 5 % is a whole number."""


TAILS = ("gate.planted", "gate.faulting", "gate.locked")
"""Some iterations take longer, in the order of the source: by twice the work, by the faults of a
fresh allocation of 64 pages, or by a lock that another thread holds."""


def work_of(operation: str, slowdown: float) -> int:
    """Return the parameter of an operation that is so much slower.

    Parameters
    ----------
    operation
        Any.
    slowdown
        As a fraction: of the work, or of the iterations that take longer where there is a tail.
    """
    if operation in TAILS:
        return round(1000 * slowdown)
    return round(WORK[operation] * (1 + slowdown))


@functools.cache
def library(name: str = "native_work") -> ctypes.CDLL:
    """Return a compiled source; it is kept among the temporary files of the user."""
    source = HERE / f"{name}.c"
    digest = hashlib.sha256(source.read_bytes()).hexdigest()[:16]
    target = Path(tempfile.gettempdir()) / f"stratoperf-gate-{os.getuid()}-{digest}.so"
    if not target.exists():
        unfinished = target.with_suffix(f".{os.getpid()}")
        subprocess.run(
            [
                os.environ.get("CC", "cc"),
                *("-O2", "-shared", "-fPIC", "-pthread", f"-I{sp.get_include()}"),
                *(str(source), "-o", str(unfinished)),
            ],
            check=True,
        )
        unfinished.rename(target)
    return ctypes.CDLL(str(target))


def native_capsule(work: int) -> Capsule:
    """Return the native operation; it lives as long as the process."""
    make = library().make_native_work
    make.restype = ctypes.c_void_p
    make.argtypes = [ctypes.c_uint64]
    return _capsule(make(work))


def tailed_capsule(operation: str, per_mille: int) -> Capsule:
    """Return a native operation with a tail; it lives as long as the process."""
    make = library("native_tails").make_tailed_work
    make.restype = ctypes.c_void_p
    make.argtypes = [ctypes.c_int, ctypes.c_uint64]
    return _capsule(make(TAILS.index(operation), per_mille))


def _capsule(operation: int | None) -> Capsule:
    if operation is None:
        raise MemoryError("the native operation could not be made")
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype = ctypes.py_object
    new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    made: Capsule = new_capsule(operation, b"stratoperf.operation/1", None)
    return made


def native_spin() -> Callable[[int, int], int]:
    """Return the plain function of the native work: of a value and so many steps."""
    spin = library().spin
    spin.restype = ctypes.c_uint64
    spin.argtypes = [ctypes.c_uint64, ctypes.c_uint64]
    return spin


def native_call(work: int) -> Callable[[], object]:
    """Return the native work as a Python callable, for tools that know no other."""
    spin = native_spin()
    return lambda: spin(1, work)


def python_call(work: int) -> Callable[[], object]:
    """Return a loop in Python."""

    def run() -> int:
        total = 0
        for i in range(work):
            total += i * i
        return total

    return run


MAKERS: dict[str, Callable[[int], Capsule | Callable[[], object]]] = {
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
def native(work: int) -> Capsule:
    """A chain of dependent instructions."""
    return native_capsule(work)


@sp.benchmark("gate.python", params={"work": [WORK["gate.python"]]})
def python(work: int) -> Callable[[], object]:
    """A loop of the interpreter."""
    return python_call(work)


@sp.benchmark("gate.planted", params={"work": [60]})
def planted(work: int) -> Capsule:
    """A chain that is twice as long in so many of a thousand iterations."""
    return tailed_capsule("gate.planted", work)


@sp.benchmark("gate.faulting", params={"work": [80]})
def faulting(work: int) -> Capsule:
    """A chain and 64 pages to write, which are fresh ones in so many of a thousand iterations."""
    return tailed_capsule("gate.faulting", work)


@sp.benchmark("gate.locked", params={"work": [80]})
def locked(work: int) -> Capsule:
    """A chain and a lock, which another thread takes in so many of a thousand iterations."""
    return tailed_capsule("gate.locked", work)
