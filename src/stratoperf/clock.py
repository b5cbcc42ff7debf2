"""The calibrated clock that every measurement uses.

The source is the processor's counter where it can be trusted (the invariant TSC on x86-64,
``cntvct_el0`` on AArch64), otherwise ``clock_gettime``. Its rate is calibrated against
``CLOCK_MONOTONIC_RAW`` on first use, which takes 40 to 200 ms. The environment variable
``STRATOPERF_CLOCK=clock_gettime`` forces the fall-back.
"""

from __future__ import annotations

from types import TracebackType
from typing import NamedTuple

from stratoperf import _core
from stratoperf.operation import Operation

__all__ = ["ClockInfo", "Timer", "info", "now_ns", "read_operation"]


class ClockInfo(NamedTuple):
    """What is known of the clock, measured on this machine.

    Attributes
    ----------
    source
        ``"tsc"``, ``"cntvct_el0"`` or ``"clock_gettime"``.
    frequency_hz
        Calibrated ticks a second.
    resolution_ns
        Length of one step of the clock (greatest common divisor of observed differences).
    overhead_ns
        What an empty timed region shows (median); contained in every sample.
    drift_ppm
        Deviation from ``CLOCK_MONOTONIC_RAW`` since the calibration.
    reason
        Why this source was chosen.
    """

    source: str
    frequency_hz: float
    resolution_ns: float
    overhead_ns: float
    drift_ppm: float
    reason: str


def info() -> ClockInfo:
    """Describe the clock; waits up to 50 ms to measure the drift.

    Raises
    ------
    InvalidParameter
        When ``STRATOPERF_CLOCK`` holds an unknown name.
    """
    native = _core.clock.info()
    return ClockInfo(*(getattr(native, field) for field in ClockInfo._fields))


def now_ns() -> int:
    """Return nanoseconds on the timeline of ``CLOCK_MONOTONIC_RAW``, by the fastest clock."""
    return _core.clock.now_ns()


def read_operation() -> Operation:
    """Return an operation that reads the clock once an iteration."""
    return Operation(_core.clock.read_operation(), name="clock.read", item_unit="reads")


class Timer:
    """Time a block of code once.

    Examples
    --------
    >>> with Timer() as timer:
    ...     total = sum(range(1000))
    >>> timer.elapsed_ns > 0
    True
    """

    def __init__(self) -> None:
        self._started_ns: int | None = None
        self._stopped_ns: int | None = None

    def __enter__(self) -> Timer:
        self._stopped_ns = None
        self._started_ns = now_ns()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._stopped_ns = now_ns()

    @property
    def elapsed_ns(self) -> int:
        """Nanoseconds in the block; inside it, until now; 0 before it."""
        if self._started_ns is None:
            return 0
        return (now_ns() if self._stopped_ns is None else self._stopped_ns) - self._started_ns

    def __repr__(self) -> str:
        return f"Timer(elapsed_ns={self.elapsed_ns})"
