"""How blocks move between two tiers, and how that was found."""

from __future__ import annotations

from typing import Any, NamedTuple


class Tuning(NamedTuple):
    """How bytes move between two tiers.

    Attributes
    ----------
    threads
        Each with one read, write or copy under way: the queue depth of a disk.
    chunk_bytes
        Bytes in each of these.
    method
        Between memories of the CPU ``"memcpy"`` or ``"streaming stores"``; with a GPU's memory
        ``"in place"``; with a disk that, or ``"staged"`` through a buffer in huge pages, one for
        each thread: while one thread fills its buffer, the disk has that of another.
    """

    threads: int
    chunk_bytes: int
    method: str


class Calibration(NamedTuple):
    """What was tried to move blocks between two tiers, and what is used from then on.

    Attributes
    ----------
    best
        The fastest.
    trials
        Each `Tuning` with its bytes a second, the fastest first.
    """

    best: Tuning
    trials: tuple[tuple[Tuning, float], ...]

    def details(self) -> dict[str, Any]:
        """Return it as the run file holds it."""
        return {
            **self.best._asdict(),
            "trials": [
                {**tuning._asdict(), "bytes_per_second": rate} for tuning, rate in self.trials
            ],
        }
