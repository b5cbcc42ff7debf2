"""One benchmark as Criterion.rs takes it, in a fresh process: OPERATION MODE; prints the outcome.

From its book ("Analysis Process", bheisler.github.io/criterion.rs/book/analysis.html) and its
sources (``routine.rs``, ``lib.rs``, ``analysis/mod.rs``, version 0.5). The warm-up doubles the
iterations until its time is over. Then come 100 samples: of d, 2 d, 3 d ... iterations with d such
that they fill the time (linear sampling), or of equally many each where that would take more than
twice the time (flat sampling). The number is the slope of a line through the origin, or the mean
of flat samples; its interval is the percentile interval of 100,000 bootstrap resamples.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

import msgspec
import numpy as np
from numpy.typing import NDArray

from repeats.loops import timer
from repeats.records import Interval, Outcome

SECONDS = {"quick": 5.0, "60s": 60.0}
"""Of warm-up and measurement, which share it as its defaults of 3 s and 5 s do."""

WARMUP_SHARE = 3 / 8
SAMPLES = 100
RESAMPLES = 100_000
CONFIDENCE = 0.95

_CHUNK = 5_000


def sampled(run: Callable[[int], float], seconds: float, seed: int) -> Interval:
    """Sample and return the number with its interval, in ns.

    Parameters
    ----------
    run
        Performs so many iterations and returns the seconds that they took.
    seconds
        Of warm-up and measurement.
    seed
        Of the resampling.
    """
    iteration_s = _warm_up(run, seconds * WARMUP_SHARE)
    counts = iteration_counts(iteration_s, seconds * (1 - WARMUP_SHARE))
    times = np.array([run(int(count)) for count in counts])
    return bootstrapped(counts, times, seed)


def _warm_up(run: Callable[[int], float], least_s: float) -> float:
    count, iterations, elapsed_s = 1, 0, 0.0
    while elapsed_s <= least_s:
        elapsed_s += run(count)
        iterations += count
        count *= 2
    return elapsed_s / iterations


def iteration_counts(iteration_s: float, measurement_s: float) -> NDArray[np.int64]:
    """Return the iterations of each sample."""
    steps = np.arange(1, SAMPLES + 1)
    factor = max(1, math.ceil(measurement_s / iteration_s / int(steps.sum())))
    if factor * int(steps.sum()) * iteration_s > 2 * measurement_s:
        flat = max(1, math.ceil(measurement_s / iteration_s / SAMPLES))
        return np.full(SAMPLES, flat)
    return factor * steps


def bootstrapped(counts: NDArray[np.int64], times: NDArray[np.float64], seed: int) -> Interval:
    """Return slope or mean with its percentile interval, in ns."""
    if np.all(counts == counts[0]):
        # The mean of the samples' averages is their slope too.
        above, below = times / counts, np.ones(len(counts))
    else:
        above, below = counts * times, (counts * counts).astype(float)
    generator = np.random.default_rng(seed)
    slopes = []
    for _ in range(RESAMPLES // _CHUNK):
        picked = generator.integers(len(times), size=(_CHUNK, len(times)))
        slopes.append(above[picked].sum(axis=1) / below[picked].sum(axis=1))
    tail = 50 * (1 - CONFIDENCE)
    low, high = 1e9 * np.percentile(np.concatenate(slopes), [tail, 100 - tail])
    value = float(1e9 * above.sum() / below.sum())
    # The resamples need not enclose it where one sample stands out alone.
    return Interval(value, min(float(low), value), max(float(high), value))


def main(operation: str, mode: str) -> None:
    """Measure and print."""
    interval = sampled(timer(operation), SECONDS[mode], seed=1)
    print(msgspec.json.encode(Outcome(interval, "the rule of Criterion.rs 0.5")).decode())


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
