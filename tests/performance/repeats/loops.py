"""Eight operations of different kinds, each as a loop that tells its time.

Imports little, for the sake of tools that start many processes.
"""

from __future__ import annotations

import ctypes
import functools
import time
from collections.abc import Callable
from typing import NamedTuple

from repeats.build import library
from repeats.python_work import CALLS


class Operation(NamedTuple):
    """What is measured again and again.

    Attributes
    ----------
    what
        Its work, for readers.
    per_process
        Iterations in a whole process: some 30 to 60 ms of them on a machine of 2024.
    """

    what: str
    per_process: int


OPERATIONS = {
    "native": Operation("a chain of dependent instructions in C", 20_000),
    "arithmetic": Operation("sum(range(500)) in Python", 10_000),
    "dictionary": Operation("json.dumps of a small dictionary in Python", 10_000),
    "allocation": Operation("64 times malloc and free in C", 20_000),
    "memory": Operation("100 dependent loads from 64 MiB in C", 3_000),
    "syscall": Operation("getppid, a system call, in C", 200_000),
    "file": Operation("4 KiB written with fdatasync in C", 30),
    "threads": Operation("a POSIX thread started and joined in C", 1_000),
}

NATIVE = tuple(name for name in OPERATIONS if name not in CALLS)


@functools.cache
def _library() -> ctypes.CDLL:
    loaded = ctypes.CDLL(str(library()))
    loaded.make_operation.restype = ctypes.c_void_p
    loaded.make_operation.argtypes = [ctypes.c_char_p]
    loaded.run_operation.restype = ctypes.c_int
    loaded.run_operation.argtypes = [ctypes.c_void_p, ctypes.c_uint64]
    return loaded


def native_operation(name: str) -> int:
    """Return the address of a new ``stratoperf_operation``; it lives as long as the process."""
    address: int | None = _library().make_operation(name.encode())
    if address is None:
        raise RuntimeError(f"{name}: no memory, or no file in /var/tmp")
    return address


def timer(name: str) -> Callable[[int], float]:
    """Return a function that performs so many iterations in one loop and returns their seconds."""
    if name in CALLS:
        return functools.partial(_timed_calls, CALLS[name])
    return functools.partial(_timed_native, native_operation(name))


def _timed_calls(call: Callable[[], object], iterations: int) -> float:
    begin = time.perf_counter()
    for _ in range(iterations):
        call()
    return time.perf_counter() - begin


def _timed_native(operation: int, iterations: int) -> float:
    run = _library().run_operation
    begin = time.perf_counter()
    failed = run(operation, iterations)
    seconds = time.perf_counter() - begin
    if failed:
        raise RuntimeError("the operation failed")
    return seconds
