"""What migration is compared with: plain copies, plain system calls, and fio."""

from __future__ import annotations

import ctypes
import functools
import json
import mmap
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from stratoperf.stratoswarm.memory import Tier, Tuning

PAGE = 4096
INSTALL_FIO = "sudo apt install fio"


@functools.cache
def copies() -> ctypes.CDLL:
    """Return the compiled copies; the compiler is ``$CXX`` or ``c++``."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "copy_loops.so"
        source = Path(__file__).with_name("copy_loops.cpp")
        compiler = os.environ.get("CXX", "c++")
        options = ["-std=c++20", "-O3", "-march=native", "-shared", "-fPIC"]
        subprocess.run([compiler, *options, source, "-o", target], check=True)
        return ctypes.CDLL(str(target))


def memory(size: int, *, huge: bool) -> NDArray[np.uint8]:
    """Return bytes whose pages are there, of the same kind as those of a tier."""
    mapping = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    # By its number: Python has no name for the second.
    mapping.madvise(mmap.MADV_HUGEPAGE if huge else 15)
    content = np.frombuffer(mapping, np.uint8)
    content[:] = 1
    return content


class Copies:
    """Three ways to copy blocks one after the other, each to its own place."""

    def __init__(self, size: int, count: int, *, from_huge: bool, to_huge: bool) -> None:
        self.size, self.count = size, count
        self.source = memory(size * count, huge=from_huge)
        self.target = memory(size * count, huge=to_huge)

    def native(self, *, streaming: bool) -> NDArray[np.float64]:
        """Return the nanoseconds of each copy by memcpy, or by stores past the caches."""
        taken = np.zeros(self.count, np.uint64)
        copies().time_copies(
            int(streaming),
            ctypes.c_void_p(self.target.ctypes.data),
            ctypes.c_void_p(self.source.ctypes.data),
            ctypes.c_uint64(self.size),
            ctypes.c_uint64(self.count),
            ctypes.c_void_p(taken.ctypes.data),
        )
        return taken.astype(np.float64)

    def numpy(self) -> NDArray[np.float64]:
        """Return the nanoseconds of each copy by NumPy."""
        taken = []
        for at in range(0, self.size * self.count, self.size):
            start = time.perf_counter_ns()
            np.copyto(self.target[at : at + self.size], self.source[at : at + self.size])
            taken.append(time.perf_counter_ns() - start)
        return np.array(taken, np.float64)

    def ways(self) -> dict[str, Callable[[], NDArray[np.float64]]]:
        """Return the ways by name."""
        return {
            "memcpy": functools.partial(self.native, streaming=False),
            "streaming stores": functools.partial(self.native, streaming=True),
            "NumPy": self.numpy,
        }

    def best_way(self, rounds: int = 7) -> str:
        """Return the fastest, by the medians of several rounds that take turns.

        Chosen before anything is compared: the best of three in every pair would be the luckiest.
        """
        medians: dict[str, list[float]] = {name: [] for name in self.ways()}
        for _ in range(rounds):
            for name, way in self.ways().items():
                medians[name].append(float(np.median(way())))
        return min(medians, key=lambda name: float(np.median(medians[name])))


class PlainFile:
    """The loop that one writes by hand: one block a system call, and ``fdatasync``."""

    def __init__(self, tier: Tier, size: int) -> None:
        assert tier.directory is not None
        flags = os.O_RDWR | os.O_TMPFILE | os.O_DIRECT
        self.file = os.open(tier.directory, flags, 0o600)
        self.block = memory(size, huge=False)
        self.write()

    def write(self) -> float:
        """Return the nanoseconds of writing the block durably."""
        start = time.perf_counter_ns()
        os.pwritev(self.file, [self.block.data], 0)
        os.fdatasync(self.file)
        return float(time.perf_counter_ns() - start)

    def read(self) -> float:
        """Return the nanoseconds of reading the block."""
        start = time.perf_counter_ns()
        os.preadv(self.file, [self.block.data], 0)
        return float(time.perf_counter_ns() - start)

    def close(self) -> None:
        """Close the file, which has no name."""
        os.close(self.file)


def fio() -> str | None:
    """Return the path of fio, or ``None``."""
    return shutil.which("fio")


class Fio:
    """fio on a file in a tier's directory, at a block size and queue depth.

    Attributes
    ----------
    path
        The file, laid out before anything is measured; `close` removes it.
    """

    def __init__(self, tier: Tier, size: int) -> None:
        assert tier.directory is not None
        handle, name = tempfile.mkstemp(prefix="stratoperf-fio-", dir=tier.directory)
        os.close(handle)
        self.path, self.size = Path(name), size
        self._run("write", Tuning(1, 1 << 20, ""), "psync", loops=1)

    def bandwidth(self, access: str, tuning: Tuning, loops: int) -> float:
        """Return GB a second of ``"read"`` or ``"write"``, the better of two engines.

        Each loop of writes ends with an ``fdatasync``, as every migration does. io_uring has
        `tuning.threads` requests under way; psync is as many threads with one each.
        """
        engines = ("io_uring", "psync")
        return max(self._run(access, tuning, engine, loops) for engine in engines)

    def close(self) -> None:
        """Remove the file."""
        self.path.unlink()

    def _run(self, access: str, tuning: Tuning, engine: str, loops: int) -> float:
        threads = tuning.threads if engine == "psync" else 1
        share = self.size // threads
        words = [
            "fio",
            *("--name=peer", f"--filename={self.path}", f"--rw={access}", "--direct=1"),
            *(f"--bs={tuning.chunk_bytes}", f"--size={share}", f"--loops={loops}", "--thread"),
            *(f"--ioengine={engine}", f"--iodepth={1 if engine == 'psync' else tuning.threads}"),
            *(f"--numjobs={threads}", f"--offset_increment={share}", "--group_reporting"),
            *("--overwrite=1", "--output-format=json"),
        ]
        if access == "write":
            words.append(f"--fdatasync={max(share // tuning.chunk_bytes, 1)}")
        done = subprocess.run(words, capture_output=True, text=True, check=True)
        job = json.loads(done.stdout[done.stdout.index("{") :])["jobs"][0]
        return float(job[access]["bw_bytes"]) / 1e9


def p95(values: NDArray[np.float64]) -> float:
    """Return the 95th percentile."""
    return float(np.quantile(values, 0.95))


def repeated(call: Callable[[], float], count: int) -> NDArray[np.float64]:
    """Return what `count` calls returned."""
    return np.array([call() for _ in range(count)], np.float64)
