"""Read the speed of the machine by a small reference workload.

A cloud machine changes its speed from minute to minute, and its kernel tells nothing of it: the
clock rate of the cores follows the load of all guests, another guest may have the other hardware
thread of a core, and the memory is shared with all of them. So a measurement is put between two
readings of a workload that never changes: chains of integer arithmetic, and a chain of reads of
memory that no cache answers. `stratoperf.monitor.speed` judges the readings.
"""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, NamedTuple, final

from stratoperf import _core
from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.memory import memory

BUFFER_BYTES = 4 << 20
"""Its lines are evicted before they are read, so it need not be larger than the caches. At 4 KiB
a page it is within reach of the address translation of a core (1024 entries or more)."""

BUFFER_SHARE = 32
"""On a machine with less than 128 MiB the buffer takes at most this part of it."""


class Reading(NamedTuple):
    """How fast the machine was at a moment; times are lower quartiles of 40 repeats over 5 ms.

    Attributes
    ----------
    integer_ns
        Time of a step of four chains of dependent integer arithmetic, 24 operations.
    memory_ns
        Time of a read that misses every cache, where each needs the one before. ``None`` where
        there was no memory for a buffer.
    memory_bytes
        Length of the buffer. Only times over equal buffers can be compared: a longer one costs
        more address translation.
    reason
        Why there is no `memory_ns`; empty otherwise.
    """

    integer_ns: float
    memory_ns: float | None
    memory_bytes: int
    reason: str


def read(root: str | Path = "/") -> Reading:
    """Read the speed of the machine now; takes about 20 ms, and 4 MiB of memory meanwhile.

    Parameters
    ----------
    root
        The directory that stands for ``/``, for tests.
    """
    native = _core.reference.read(_buffer_bytes(root))
    return Reading(native.integer_ns, native.memory_ns or None, native.memory_bytes, native.reason)


@final
class ReferenceProbe:
    """Context manager around one measurement that reads the machine's speed before and after it.

    Attributes
    ----------
    environment
        After the block, JSON-ready:

        ``integer_ns``, ``memory_ns``
            The mean of the two readings.
        ``integer_change``, ``memory_change``
            The second reading by the first, less 1: the change meanwhile as a fraction, above 0
            when the machine became slower.
        ``memory_bytes``
            See `Reading`.
        ``reason``
            Why ``memory_ns`` and ``memory_change`` are ``None``; else absent.

    Examples
    --------
    >>> with ReferenceProbe() as probe:
    ...     _ = sum(range(1000))
    >>> probe.environment["integer_ns"] > 0
    True
    """

    def __init__(self) -> None:
        self._before: Reading | None = None
        self.environment: dict[str, Any] = {}

    def __enter__(self) -> ReferenceProbe:
        self._before = read()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._before is None:
            raise RuntimeError("ReferenceProbe was left without being entered; use it in 'with'")
        self.environment = between(self._before, read())


def between(before: Reading, after: Reading) -> dict[str, Any]:
    """Return what two readings tell of the time between them; see `ReferenceProbe` for the keys."""
    tree: dict[str, Any] = {
        "integer_ns": (before.integer_ns + after.integer_ns) / 2,
        "memory_ns": None,
        "integer_change": after.integer_ns / before.integer_ns - 1,
        "memory_change": None,
        "memory_bytes": after.memory_bytes,
    }
    reason = before.reason or after.reason
    if before.memory_bytes != after.memory_bytes and not reason:
        reason = "the readings before and after the measurement got buffers of different length"
    if before.memory_ns is None or after.memory_ns is None or reason:
        return tree | {"reason": reason}
    return tree | {
        "memory_ns": (before.memory_ns + after.memory_ns) / 2,
        "memory_change": after.memory_ns / before.memory_ns - 1,
    }


def _buffer_bytes(root: str | Path) -> int:
    facts = memory(SystemFiles(root))
    known = [size for size in (facts.total_bytes, facts.limit_bytes) if size is not None]
    return min([BUFFER_BYTES, *(size // BUFFER_SHARE for size in known)])
