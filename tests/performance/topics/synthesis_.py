"""Matching beside NumPy, two threads beside one, and encoding beside parsing.

Matching on a device is in `synthesis_gpu`.
"""

from __future__ import annotations

import ast
import functools
import gc
import time
from collections.abc import Callable, Iterator

import numpy as np

import stratoperf as sp
from side_by_side import Goal, Row, side_by_side
from stratoperf._core import synthesis as native
from stratoperf.stratoswarm.synthesis import (
    ANY,
    Matcher,
    NodeTable,
    Pattern,
    Vocabulary,
    corpora,
    synthetic,
)
from topics import synthesis_gpu

SECONDS = 0.15
PATTERNS = 64
ALL_FIELDS = "type, value and child count"


def measure() -> Iterator[Row]:
    """Hold matching on one core to its rates, two threads to one, and encoding to its rate."""
    table = synthetic.corpus()
    full = patterns_of(table, with_value=True)
    numpy_rate = functools.partial(numpy_operations_per_second, table, full)
    check_numpy(table, full)
    for name, goal in (("avx512", 12e9), ("avx2", 6e9), ("portable", None)):
        if name in native.instruction_sets():
            # NumPy uses the widest instructions itself, so only ours with these are held to it.
            ratio = 10.0 if name == native.instruction_sets()[0] else None
            ours = rate_of(Matcher(table, full, "cpu", _instruction_set=name))
            what = f"synthesis match, {ALL_FIELDS}, {name}"
            yield from against_numpy(what, ours, numpy_rate, ratio, goal)
    kinds = tuple(Pattern(kind=f"kind{number}") for number in range(PATTERNS))
    for name, goal in (("avx512", 20e9), ("avx2", None)):
        if name in native.instruction_sets():
            yield side_by_side(
                f"the same, type only, {name}",
                rate_of(Matcher(table, kinds, "cpu", _instruction_set=name)),
                functools.partial(numpy_operations_per_second, table, kinds),
                peer_name="vectorized NumPy",
                unit="operations/s",
                better="higher",
                goal=Goal("value", ">=", goal) if goal else None,
                pairs=6,
                note="each pattern hits 1 of 64 nodes in the mean",
            )
    large = synthetic.corpus(2**20)
    many = patterns_of(large, with_value=True)
    yield side_by_side(
        f"the same, {ALL_FIELDS}, 2^20 nodes, two threads",
        rate_of(Matcher(large, many, "cpu", threads=2)),
        rate_of(Matcher(large, many, "cpu", threads=1)),
        peer_name="one thread",
        unit="operations/s",
        better="higher",
        goal=Goal("ratio", ">=", 1.8),
    )
    for level in synthetic.LEVELS:
        drawn = synthetic.patterns(level, table)
        yield side_by_side(
            f"synthesis.match, level {level}, hits found",
            rate_of(Matcher(table, drawn, "cpu")),
            rate_of(Matcher(table, drawn, "cpu", by_kind=True)),
            peer_name="with an index of types",
            unit="operations/s",
            better="higher",
            pairs=6,
            note="the index evaluates fewer operations, so its rate is lower and its time too",
        )
    yield encoding()
    yield from synthesis_gpu.measure()


def against_numpy(
    name: str,
    ours: Callable[[], float],
    numpy_rate: Callable[[], float],
    ratio: float | None,
    goal: float | None,
) -> Iterator[Row]:
    """Yield the rows for the ratio and, where there is a goal, for the rate itself."""
    yield side_by_side(
        name,
        ours,
        numpy_rate,
        peer_name="vectorized NumPy",
        unit="operations/s",
        better="higher",
        goal=Goal("ratio", ">=", ratio) if ratio else None,
        note="one thread, 64 patterns, 65,536 nodes, hits found",
    )
    if goal is None:
        return
    yield side_by_side(
        "the same, in absolute terms",
        ours,
        numpy_rate,
        peer_name="vectorized NumPy",
        unit="operations/s",
        better="higher",
        goal=Goal("value", ">=", goal),
        pairs=6,
    )


def patterns_of(table: NodeTable, *, with_value: bool) -> tuple[Pattern, ...]:
    """Return patterns of one node that compare all three fields, each of a node that is there."""
    rows = np.linspace(0, len(table) - 1, PATTERNS).astype(int).tolist()
    described = [table.describe(row) for row in rows]
    return tuple(
        Pattern(kind=kind, value=value if with_value else ANY, count=int(table.count[row]))
        for row, (kind, value) in zip(rows, described, strict=True)
    )


def rate_of(matcher: Matcher) -> Callable[[], float]:
    """Return what measures the operations a second of a matcher."""
    operation = matcher.operation()
    unverified = sp.Operation(operation.work)  # the hits are checked once, in the tests

    def rate() -> float:
        measured = sp.measure(
            unverified, warmup_s=0.02, max_duration_s=SECONDS, min_iterations=20, precision=0
        )
        return operation.items / measured.quantile(0.5).value * 1e9

    return rate


def numpy_hits(table: NodeTable, patterns: tuple[Pattern, ...]) -> list[np.ndarray]:
    """Return the rows of every pattern's hits, by comparisons of whole columns."""
    vocabulary = table.vocabulary
    found = []
    for pattern in patterns:
        fits = table.kind == vocabulary.kind_id(pattern.kind or "")
        if pattern.value is not ANY:
            fits &= table.value == vocabulary.value_id(pattern.value)
        if pattern.count is not None:
            fits &= table.count == pattern.count
        found.append(np.flatnonzero(fits))
    return found


def numpy_operations_per_second(table: NodeTable, patterns: tuple[Pattern, ...]) -> float:
    """Return the rate of the NumPy peer."""
    measured = sp.measure(
        lambda: numpy_hits(table, patterns),
        warmup_s=0.02,
        max_duration_s=SECONDS,
        min_iterations=5,
        precision=0,
    )
    return len(table) * len(patterns) / measured.quantile(0.5).value * 1e9


def check_numpy(table: NodeTable, patterns: tuple[Pattern, ...]) -> None:
    """Refuse a peer that finds something else."""
    matches = Matcher(table, patterns, "cpu").match()
    for number, rows in enumerate(numpy_hits(table, patterns)):
        if not np.array_equal(matches.of(number), rows):
            raise sp.VerificationFailed(f"the NumPy peer finds something else for {number}")


def encoding() -> Row:
    """Hold the encoding of a part of the standard library to its rate."""
    trees = list(corpora.parsed(corpora.standard_library_files()[::10]))

    def ours() -> float:
        gc.collect()
        began = time.perf_counter()
        columns = Vocabulary().encoder.encode(trees)
        return len(columns.kind) / (time.perf_counter() - began)

    def walk() -> float:
        gc.collect()
        began = time.perf_counter()
        nodes = sum(1 for tree in trees for _ in ast.walk(tree))
        return nodes / (time.perf_counter() - began)

    return side_by_side(
        "encoding trees of the standard library, ast.parse excluded",
        ours,
        walk,
        peer_name="only visiting them with ast.walk",
        unit="nodes/s",
        better="higher",
        goal=Goal("value", ">=", 1e6),
        pairs=6,
        note="ours counts rows: operators and contexts, which ast.walk visits too, are none",
    )
