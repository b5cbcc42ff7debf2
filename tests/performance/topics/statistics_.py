"""The histogram and the bootstrap against the packages that people use for them."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from side_by_side import Goal, Row, missing, side_by_side
from stratoperf import statistics

HIGHEST = 3_600_000_000_000
RECORDS = 1_000_000
PEER_RECORDS = 20_000
SAMPLES = 10_000
RESAMPLES = 10_000

Values = npt.NDArray[np.int64]


def measure() -> Iterator[Row]:
    """Measure recording into a histogram and the interval of a ratio of medians."""
    yield from record()
    yield bootstrap()


def record() -> Iterator[Row]:
    """Time a record against its limit, one counter, and against the package hdrhistogram."""
    values = np.rint(np.random.default_rng(1).lognormal(9, 0.5, RECORDS)).astype(np.int64)
    histogram = statistics.Histogram(1, HIGHEST, 3)

    def ours() -> float:
        return _nanoseconds(lambda: histogram.record_many(values)) / RECORDS

    def counted() -> float:
        slots = values // 16
        return _nanoseconds(lambda: np.bincount(slots)) / RECORDS

    yield side_by_side(
        "histogram record, in bulk",
        ours,
        counted,
        peer_name="numpy.bincount, which only counts small integers",
        unit="ns/value",
        goal=Goal("value", "<=", 10.0),
        note="the limit is one load, one bit scan and one counter in the first-level cache: 1 ns",
    )
    goal = Goal("ratio", ">=", 50.0)
    name = "histogram record, as their users do"
    try:
        peer_module = importlib.import_module("hdrh.histogram")
    except ImportError:
        install = "pip install hdrhistogram"
        yield missing(name, "hdrhistogram", "ns/value", "lower", install, ours(), goal)
        return
    theirs = peer_module.HdrHistogram(1, HIGHEST, 3)
    few = values[:PEER_RECORDS].tolist()

    def peer() -> float:
        return _nanoseconds(lambda: _record_each(theirs.record_value, few)) / len(few)

    yield side_by_side(
        name,
        ours,
        peer,
        peer_name="hdrhistogram, record_value",
        unit="ns/value",
        goal=goal,
        note="it has no way to record an array",
    )


def bootstrap() -> Row:
    """Time the bootstrap interval of a ratio of medians against SciPy at its best."""
    generator = np.random.default_rng(2)
    above = generator.lognormal(0.1, 0.5, SAMPLES)
    below = generator.lognormal(0.0, 0.5, SAMPLES)

    def ours() -> float:
        return (
            _nanoseconds(lambda: statistics.bootstrap_ratio(above, below, resamples=RESAMPLES))
            / 1e6
        )

    name = f"interval of a ratio of medians, 2 x {SAMPLES}, {RESAMPLES} resamples"
    goal = Goal("ratio", ">=", 50.0)
    try:
        from scipy import stats
    except ImportError:
        return missing(name, "scipy", "ms", "lower", "pip install scipy", ours(), goal)

    def ratio(
        a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], axis: int = -1
    ) -> npt.NDArray[np.float64]:
        return np.asarray(np.median(a, axis=axis) / np.median(b, axis=axis))

    def peer() -> float:
        # Percentile and vectorized in batches that stay in cache: the fastest that it offers.
        return (
            _nanoseconds(
                lambda: stats.bootstrap(
                    (above, below),
                    ratio,
                    n_resamples=RESAMPLES,
                    vectorized=True,
                    batch=50,
                    method="percentile",
                )
            )
            / 1e6
        )

    return side_by_side(
        name,
        ours,
        peer,
        peer_name="scipy.stats.bootstrap, percentile, vectorized",
        unit="ms",
        goal=goal,
        pairs=6,
        note="ranks of resampled medians drawn from their beta distribution: O(1) a resample",
    )


def _nanoseconds(call: Callable[[], object]) -> float:
    start = time.perf_counter_ns()
    call()
    return time.perf_counter_ns() - start


def _record_each(record_value: Callable[[int], object], values: list[int]) -> None:
    for value in values:
        record_value(value)
