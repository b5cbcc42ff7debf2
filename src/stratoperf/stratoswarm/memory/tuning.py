"""The way blocks move between two tiers, and the calibration that chose it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from stratoperf.stratoswarm.memory.native import NativeCalibration, NativeTuning


class Tuning(NamedTuple):
    """How bytes move between two tiers.

    Attributes
    ----------
    threads
        Number of threads, each with one read, write or copy at a time: the queue depth of a disk.
    chunk_bytes
        Size of each read, write or copy, in bytes.
    method
        Between memories of the CPU ``"memcpy"`` or ``"streaming stores"``; with a GPU's memory
        ``"in place"``; with a disk that, or ``"staged"`` through a buffer in huge pages, one for
        each thread: while one thread fills its buffer, the disk has that of another.
    """

    threads: int
    chunk_bytes: int
    method: str

    @classmethod
    def of(cls, native: NativeTuning) -> Tuning:
        """Return what native code found."""
        return cls(native.threads, native.chunk_bytes, native.method)


class Calibration(NamedTuple):
    """The ways of moving blocks between two tiers that were tried, and the one in use.

    Attributes
    ----------
    best
        The fastest `Tuning`, which is in use.
    trials
        Each `Tuning` with its bytes per second, the fastest first.
    """

    best: Tuning
    trials: tuple[tuple[Tuning, float], ...]

    @classmethod
    def of(cls, native: NativeCalibration) -> Calibration:
        """Return what native code found."""
        trials = ((Tuning.of(trial.tuning), trial.bytes_per_second) for trial in native.trials)
        return cls(Tuning.of(native.best), tuple(trials))

    def details(self) -> dict[str, Any]:
        """Return the calibration in the form of a run file."""
        return {
            **self.best._asdict(),
            "trials": [
                {**tuning._asdict(), "bytes_per_second": rate} for tuning, rate in self.trials
            ],
        }
