"""How many blocks take turns, and how much a case may write to a disk."""

from __future__ import annotations

import math
from typing import NamedTuple

from stratoperf.errors import PrerequisiteMissing
from stratoperf.stratoswarm.memory.opening import PAGE

FOOTPRINT_BYTES = 64 << 20
"""Bytes of the blocks that take turns where a disk takes part: more than most caches hold."""

COPY_FOOTPRINT_BYTES = 256 << 20
"""And between memories, where caches decide: four times the largest usual last-level cache."""

MAX_BLOCKS = 4096
"""Blocks that take turns at most; so many small ones are made in a few milliseconds."""

DISK_ITERATIONS = 1112
"""Iterations that write to a disk at most: 1000 samples after a tenth for the warm-up."""

DISK_CASE_BYTES = 1280 << 20
"""Bytes that the iterations of one case write to a disk at most, but for the largest blocks."""

DISK_BYTES_PER_S = 256 << 20
"""And for each second of sampling: a short look at a disk must not wear it like a long one."""

CLAIMED_BYTES = 1 << 20
"""But blocks of the size that claims speak of, and smaller ones, move often enough for a p95."""

FEWEST_OF_CLAIMED = 223
"""Iterations of those: where five processes or more share the sampling, 1000 samples in all."""

MIN_DISK_ITERATIONS = 6
"""Iterations with the largest blocks: one to warm up and five samples, or in a live comparison two
for the setup and two slices."""

LARGEST_EXCESS = 12
"""Times that over, the fewest iterations with large blocks may write."""

STANDARD_S = 10.0
"""Seconds that a case is sampled for unless told otherwise."""

TRIAL_RUNS = 36
TRIAL_BYTES = 8 << 20
"""More than the runs, and the bytes of each, that a calibration with a disk writes."""


class Limits(NamedTuple):
    """What measuring with a disk may use up: iterations, blocks that take turns, bytes written."""

    iterations: int
    blocks: int
    bytes: int


def disk_limits(size: int, duration_s: float = STANDARD_S) -> Limits:
    """Return the limits of a case with a disk whose iterations move `size` bytes each.

    Parameters
    ----------
    size
        In bytes. Of one out of range there are limits too; it is refused by its name when the case
        is set up.
    duration_s
        Seconds that the case is sampled for at most.

    Returns
    -------
    Limits
        All zero where already the fewest iterations write more than such a short case may.
    """
    size = max(size, PAGE)
    budget = min(DISK_CASE_BYTES, DISK_BYTES_PER_S * duration_s)
    if MIN_DISK_ITERATIONS * size > LARGEST_EXCESS * budget:
        return Limits(0, 0, 0)
    iterations = max(MIN_DISK_ITERATIONS, min(DISK_ITERATIONS, int(budget / size)))
    if size <= CLAIMED_BYTES:
        iterations = max(FEWEST_OF_CLAIMED, iterations)
    blocks = max(1, min(MAX_BLOCKS // 16, FOOTPRINT_BYTES // size))
    # Where neither side has addresses, the ends of what was moved are cleared before the next.
    cleared = iterations * 2 * PAGE
    moved = (iterations + blocks) * size
    return Limits(iterations, blocks, moved + cleared + calibration_bytes(size))


def calibration_bytes(size: int) -> int:
    """Return how many bytes calibrating transfers of `size` bytes writes to a disk at most."""
    return TRIAL_RUNS * min(size, TRIAL_BYTES)


def checked_limits(size: int, duration_s: float) -> Limits:
    """Return the limits of a case that is set up; see `disk_limits`.

    Raises
    ------
    PrerequisiteMissing
        For blocks that are too large for so short a duration.
    """
    limits = disk_limits(size, duration_s)
    if limits.iterations == 0:
        needed = MIN_DISK_ITERATIONS * size / LARGEST_EXCESS / DISK_BYTES_PER_S
        raise PrerequisiteMissing(
            f"size: {MIN_DISK_ITERATIONS} writes of {size / (1 << 20):g} MiB are too much for "
            f"{duration_s:g} s of sampling; choose a smaller size, or sample for "
            f"{math.ceil(needed)} s in a run with --duration"
        )
    return limits
