"""The operations as benchmarks: fresh processes import this file for them."""

from __future__ import annotations

import ctypes
from collections.abc import Callable

import stratoperf as sp
from repeats.loops import native_operation
from repeats.python_work import CALLS
from stratoperf.operation import Capsule


def capsule(name: str) -> Capsule:
    """Return a native operation for stratoperf; it lives as long as the process."""
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype = ctypes.py_object
    new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    made: Capsule = new_capsule(native_operation(name), b"stratoperf.operation/1", None)
    return made


@sp.benchmark("repeats.native")
def native() -> object:
    """A chain of dependent instructions."""
    return capsule("native")


@sp.benchmark("repeats.arithmetic")
def arithmetic() -> Callable[[], object]:
    """The interpreter adds up numbers."""
    return CALLS["arithmetic"]


@sp.benchmark("repeats.dictionary")
def dictionary() -> Callable[[], object]:
    """A small dictionary becomes JSON."""
    return CALLS["dictionary"]


@sp.benchmark("repeats.allocation")
def allocation() -> object:
    """Blocks of memory are taken and given back."""
    return capsule("allocation")


@sp.benchmark("repeats.memory")
def memory() -> object:
    """Loads that wait for memory."""
    return capsule("memory")


@sp.benchmark("repeats.syscall")
def syscall() -> object:
    """The kernel is entered and left."""
    return capsule("syscall")


@sp.benchmark("repeats.file")
def file() -> object:
    """A page reaches the disk."""
    return capsule("file")


@sp.benchmark("repeats.threads")
def threads() -> object:
    """A thread starts and ends."""
    return capsule("threads")


BENCHMARKS = {
    "native": native,
    "arithmetic": arithmetic,
    "dictionary": dictionary,
    "allocation": allocation,
    "memory": memory,
    "syscall": syscall,
    "file": file,
    "threads": threads,
}
