"""What the native loop of ``kernel.ioctl`` costs beside a loop written by hand."""

from __future__ import annotations

import ctypes
import functools
import os
import statistics
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import stratoperf as sp
from side_by_side import Goal, Row, side_by_side
from stratoperf.kernel_modules import operations

SECONDS = 0.3
BLOCKS = 500
CALLS = 1000


def measure() -> Iterator[Row]:
    """Hold the operation to a C loop that asks a pipe for its bytes."""
    yield side_by_side(
        "FIONREAD on a pipe",
        ours,
        hand_written,
        peer_name="hand-written C loop",
        unit="ns/command",
        goal=Goal("ratio", ">=", 1 / 1.05),
        pairs=25,
        note="medians: ours of the sampler's batches with every reply kept, the peer's of blocks "
        f"of {CALLS} calls; in a guest the ratio would only be shown",
    )


def ours() -> float:
    """Return the median of a command, as `kernel.ioctl` measures it."""
    taken = sp.measure(
        operations.command(operations.PIPE), warmup_s=0.05, max_duration_s=SECONDS, precision=0
    )
    return float(taken.quantile(0.5).value)


def hand_written() -> float:
    """Return the median of a command in the loop written by hand."""
    blocks = (ctypes.c_int64 * BLOCKS)()
    if library().time_ioctl(blocks, BLOCKS, CALLS) != 0:
        raise RuntimeError("the hand-written loop got a wrong reply")
    return statistics.median(map(float, blocks)) / CALLS


@functools.cache
def library() -> ctypes.CDLL:
    """Return the compiled loop; the compiler is ``$CC`` or ``cc``."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "ioctl_loop.so"
        source = Path(__file__).with_name("ioctl_loop.c")
        compiler = os.environ.get("CC", "cc")
        subprocess.run([compiler, "-O2", "-shared", "-fPIC", source, "-o", target], check=True)
        return ctypes.CDLL(str(target))
