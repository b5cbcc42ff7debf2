"""One run in a fresh process, sampled as Criterion.rs does: OPERATION WORK OUTPUT.

From its book ("Analysis Process", bheisler.github.io/criterion.rs/book/analysis.html): the warm-up
doubles the number of iterations until its time is over; then come 100 samples of d, 2 d, 3 d ...
iterations (linear sampling), with d such that they fill the time. Its defaults are 3 s of warm-up
and 5 s of measurement; here both share 5 s in the same proportion.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from gate.operations import native_spin, python_call

BUDGET_S = 4.8
"""Of the five seconds; the others go to the start of the interpreter and to saving."""

WARMUP_S = BUDGET_S * 3 / 8
MEASUREMENT_S = BUDGET_S * 5 / 8
SAMPLES = 100


def native_timer(work: int) -> Callable[[int], int]:
    """Return a function that times so many iterations in one native loop, in ns."""
    spin = native_spin()

    def run(iterations: int) -> int:
        begin = time.perf_counter_ns()
        spin(1, work * iterations)
        return time.perf_counter_ns() - begin

    return run


def python_timer(work: int) -> Callable[[int], int]:
    """Return a function that times so many calls in a loop of the interpreter, in ns."""
    call = python_call(work)

    def run(iterations: int) -> int:
        begin = time.perf_counter_ns()
        for _ in range(iterations):
            call()
        return time.perf_counter_ns() - begin

    return run


TIMERS = {"gate.native": native_timer, "gate.python": python_timer}


def main(operation: str, work: int, output: str) -> None:
    """Measure and save."""
    timer = TIMERS[operation](work)
    iteration_ns = warm_up(timer)
    counts = iteration_counts(iteration_ns)
    times = [timer(count) for count in counts]
    sampled = {"operation": operation, "work": work, "iterations": counts, "times_ns": times}
    Path(output).write_text(json.dumps(sampled), "utf-8")


def warm_up(timer: Callable[[int], int]) -> float:
    """Run it until the time of the warm-up is over; return the mean ns an iteration."""
    count, iterations, elapsed_ns = 1, 0, 0
    while elapsed_ns <= WARMUP_S * 1e9:
        elapsed_ns += timer(count)
        iterations += count
        count *= 2
    return elapsed_ns / iterations


def iteration_counts(iteration_ns: float) -> list[int]:
    """Return how many iterations each sample has, so that all together fill the measurement."""
    total = SAMPLES * (SAMPLES + 1) // 2
    factor = max(1, math.ceil(MEASUREMENT_S * 1e9 / iteration_ns / total))
    return [factor * (index + 1) for index in range(SAMPLES)]


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), sys.argv[3])
