"""A quorum round over 10,000 votes, beside NumPy and beside merely reading the votes.

Rounds on a device are in `consensus_gpu`.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import stratoperf as sp
from side_by_side import Goal, Row, side_by_side
from stratoperf.operation import Capsule
from stratoperf.stratoswarm.consensus import Round, VoteBatch
from topics import consensus_gpu, numpy_round
from topics.hand_written import ROOT
from topics.single_iterations import quantile_us

VOTES = 10_000
BATCHES = 16


def measure() -> Iterator[Row]:
    """Hold the p95 of the cpu backend on one thread, and rounds on a device, to their goals."""
    ours = round_().operation(batches())
    for batch in batches():
        difference = round_().decide(batch).difference(numpy_round.decide(batch, round_().rules))
        if difference is not None:
            raise sp.VerificationFailed(f"the NumPy peer decides something else: {difference}")
    circle = itertools.cycle(batches())
    rules = round_().rules
    numpy_peer = sp.Operation(lambda: numpy_round.decide(next(circle), rules))
    reading = sp.Operation(reader())
    yield side_by_side(
        f"consensus round, {VOTES} votes, ratio 0.33, p95, against NumPy",
        lambda: quantile_us(ours, 0.95),
        lambda: quantile_us(numpy_peer, 0.95),
        peer_name="vectorized NumPy",
        unit="us",
        goal=Goal("ratio", ">=", 20.0),
        note=f"one thread, rotating through {BATCHES} batches",
    )
    yield side_by_side(
        "the same, against merely reading the batch",
        lambda: quantile_us(ours, 0.95),
        lambda: quantile_us(reading, 0.95),
        peer_name="reading 16 bytes a vote",
        unit="us",
        goal=Goal("ratio", ">=", 1 / 4),
        note="the aim is 1/2; each valid vote also updates a cell, at most one a cycle",
    )
    yield side_by_side(
        "the same, in absolute terms",
        lambda: quantile_us(ours, 0.95),
        lambda: quantile_us(reading, 0.95),
        peer_name="reading 16 bytes a vote",
        unit="us",
        goal=Goal("value", "<=", 100.0),
        pairs=6,
    )
    yield from consensus_gpu.measure()


@functools.cache
def batches() -> tuple[VoteBatch, ...]:
    """Return the batches of both sides."""
    return tuple(VoteBatch.generate(VOTES, byzantine=0.33, seed=seed) for seed in range(BATCHES))


@functools.cache
def round_() -> Round:
    """Return the round for these batches."""
    return Round(proposals=VOTES // 100, backend="cpu", capacity=VOTES)


@functools.cache
def reader() -> Capsule:
    """Return a capsule of the operation that reads the same batches in the same rotation."""
    with tempfile.TemporaryDirectory() as directory:
        target = Path(directory) / "read_votes.so"
        source = Path(__file__).with_name("read_votes.cpp")
        subprocess.run(
            [
                os.environ.get("CXX", "c++"),
                *("-std=c++20", "-O3", "-march=native", "-shared", "-fPIC"),
                *(f"-I{ROOT / 'cpp'}", f"-I{sp.get_include()}", str(source), "-o", str(target)),
            ],
            check=True,
        )
        library = ctypes.CDLL(str(target))
    library.make_reader.restype = ctypes.c_void_p
    addresses = [
        column.ctypes.data
        for batch in batches()
        for column in (batch.voter, batch.proposal, batch.value, batch.round)
    ]
    columns = (ctypes.c_void_p * len(addresses))(*addresses)
    operation = library.make_reader(columns, ctypes.c_uint64(BATCHES), ctypes.c_uint64(VOTES))
    new_capsule = ctypes.pythonapi.PyCapsule_New
    new_capsule.restype = ctypes.py_object
    new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
    made: Capsule = new_capsule(operation, b"stratoperf.operation/1", None)
    return made
