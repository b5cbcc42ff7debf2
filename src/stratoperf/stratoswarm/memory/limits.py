"""Limits of a case: the number of blocks that take turns, and the bytes written to a disk."""

from __future__ import annotations

import math
from typing import NamedTuple

from stratoperf.errors import PrerequisiteMissing
from stratoperf.stratoswarm.memory.opening import PAGE

FOOTPRINT_BYTES = 64 << 20
"""Total size of the blocks that take turns with a disk: more than most caches hold."""

COPY_FOOTPRINT_BYTES = 256 << 20
"""Total size of the blocks between memories: four times the largest usual last-level cache."""

MAX_BLOCKS = 4096
"""Maximum number of blocks that take turns; small ones are made in a few milliseconds."""

DISK_ITERATIONS = 1112
"""Maximum number of iterations that write to a disk: 1000 samples after a tenth for warm-up."""

DISK_CASE_BYTES = 1280 << 20
"""Maximum number of bytes that one case writes to a disk, except with the largest blocks."""

DISK_BYTES_PER_S = 256 << 20
"""The same for each second of sampling: a short run must wear a disk less than a long one."""

CLAIMED_BYTES = 1 << 20
"""Block size of the published claims; blocks up to it move often enough for a p95."""

FEWEST_OF_CLAIMED = 223
"""Minimum number of iterations for these blocks: with five processes or more, 1000 samples."""

MIN_DISK_ITERATIONS = 6
"""Minimum number of iterations with the largest blocks: one to warm up and five samples, or in a
live comparison two for the setup and two slices."""

LARGEST_EXCESS = 12
"""Factor by which the minimum number of iterations may exceed the limit of bytes."""

STANDARD_S = 10.0
"""Default sampling time of a case, in seconds."""

TRIAL_RUNS = 36
TRIAL_BYTES = 8 << 20
"""Upper bounds of the runs of a calibration with a disk, and of the bytes of each run."""


class Limits(NamedTuple):
    """Limits of a case with a disk: iterations, blocks that take turns, bytes written."""

    iterations: int
    blocks: int
    bytes: int


def disk_limits(size: int, duration_s: float = STANDARD_S) -> Limits:
    """Return the limits of a case whose iterations move `size` bytes to or from a disk.

    Parameters
    ----------
    size
        In bytes, at least a page.
    duration_s
        Maximum sampling time, in seconds.

    Returns
    -------
    Limits
        All zero when even the minimum number of iterations would write too much in this time.
    """
    budget = min(DISK_CASE_BYTES, DISK_BYTES_PER_S * duration_s)
    if MIN_DISK_ITERATIONS * size > LARGEST_EXCESS * budget:
        return Limits(0, 0, 0)
    iterations = max(MIN_DISK_ITERATIONS, min(DISK_ITERATIONS, int(budget / size)))
    if size <= CLAIMED_BYTES:
        iterations = max(FEWEST_OF_CLAIMED, iterations)
    blocks = max(1, min(MAX_BLOCKS // 16, FOOTPRINT_BYTES // size))
    # Where neither side has addresses, the ends of the moved blocks are cleared before the next.
    cleared = iterations * 2 * PAGE
    moved = (iterations + blocks) * size
    return Limits(iterations, blocks, moved + cleared + calibration_bytes(size))


def calibration_bytes(size: int) -> int:
    """Return the maximum number of bytes that calibrating `size` bytes writes to a disk."""
    return TRIAL_RUNS * min(size, TRIAL_BYTES)


def checked_limits(size: int, duration_s: float) -> Limits:
    """Return the limits of a case that is set up; see `disk_limits`.

    Raises
    ------
    PrerequisiteMissing
        For blocks that are too large for the sampling time.
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
