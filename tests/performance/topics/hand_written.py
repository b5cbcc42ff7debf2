"""Compiles the hand-written loops that we are compared with."""

from __future__ import annotations

import ctypes
import functools
import os
import subprocess
import tempfile
from pathlib import Path

import stratoperf as sp

ROOT = Path(__file__).parents[3]


@functools.cache
def library() -> ctypes.CDLL:
    """Return the compiled loops; the compiler is ``$CXX`` or ``c++``."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "hand_written.so"
        source = Path(__file__).with_suffix(".cpp")
        compiler = os.environ.get("CXX", "c++")
        include = [f"-I{ROOT / 'cpp'}", f"-I{sp.get_include()}"]
        options = ["-std=c++20", "-O3", "-shared", "-fPIC"]
        subprocess.run([compiler, *options, *include, source, "-o", target], check=True)
        return ctypes.CDLL(str(target))
