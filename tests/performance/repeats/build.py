"""Compiles the native work: kept among the temporary files of the user, built once."""

from __future__ import annotations

import functools
import hashlib
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import stratoperf as sp

HERE = Path(__file__).parent
OPTIONS = ("-O2", "-pthread", f"-I{sp.get_include()}", f"-I{HERE}")


@functools.cache
def library() -> Path:
    """Return the operations as a shared library."""
    return _built("native_work.so", [_object(), "-shared"])


@functools.cache
def whole_process() -> Path:
    """Return the program that performs an operation and ends."""
    return _built("whole_process", [_object(), str(HERE / "whole_process.c")])


@functools.cache
def google() -> Path:
    """Return the program that measures an operation with Google Benchmark."""
    sources = [str(HERE / "google.cpp"), _object()]
    return _built("google", ["-std=c++17", *sources, "-lbenchmark"], "CXX", "c++")


def has_google() -> bool:
    """Whether there is a C++ compiler that knows Google Benchmark."""
    compiler = os.environ.get("CXX", "c++")
    if shutil.which(compiler) is None:
        return False
    asked = "#if !__has_include(<benchmark/benchmark.h>)\n#error\n#endif\n"
    command = [compiler, "-E", "-x", "c++", "-"]
    done = subprocess.run(command, input=asked.encode(), capture_output=True, check=False)
    return done.returncode == 0


@functools.cache
def _object() -> str:
    return str(_built("native_work.o", ["-c", "-fPIC", str(HERE / "native_work.c")]))


def _built(name: str, arguments: list[str], variable: str = "CC", compiler: str = "cc") -> Path:
    sources = sorted(path for path in HERE.iterdir() if path.suffix in (".c", ".h", ".cpp"))
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    folder = Path(tempfile.gettempdir()) / f"stratoperf-repeats-{os.getuid()}-{digest}"
    target = folder / name
    if not target.exists():
        folder.mkdir(exist_ok=True)
        unfinished = target.with_suffix(f".{os.getpid()}")
        command = [os.environ.get(variable, compiler), *OPTIONS, *arguments, "-o", str(unfinished)]
        subprocess.run(command, check=True)
        unfinished.rename(target)
    return target
