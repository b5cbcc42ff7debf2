"""A quorum round on a CUDA device, beside round trips that do nothing and beside a mere copy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import stratoperf as sp
from side_by_side import Goal, Row, side_by_side
from stratoperf import backends
from stratoperf.stratoswarm.consensus import Round, VoteBatch
from stratoperf.stratoswarm.consensus.cuda import BYTES_PER_VOTE
from stratoperf.stratoswarm.consensus.device_operations import resident_operation
from topics.single_iterations import quantile_us

BATCHES = 16
RESIDENT_VOTES = 10_000_000
COPIED_BYTES = 1 << 28
FLOOR = "an empty round trip"
COPY = "a copy within device memory"


@dataclass
class Claim:
    """A row, and how both sides are measured where there is a device."""

    name: str
    peer_name: str
    unit: str
    better: Literal["lower", "higher"]
    goal: Goal
    sides: Callable[[], tuple[Callable[[], float], Callable[[], float]]]
    note: str = ""

    def row(self, missing: str | None) -> Row:
        """Measure it, or tell why it is not."""
        if missing is not None:
            return Row(
                self.name,
                None,
                None,
                self.peer_name,
                self.unit,
                self.better,
                goal=self.goal,
                note=f"not measured: {missing}",
            )
        ours, peer = self.sides()
        return side_by_side(
            self.name,
            ours,
            peer,
            peer_name=self.peer_name,
            unit=self.unit,
            better=self.better,
            goal=self.goal,
            note=self.note,
        )


def measure() -> Iterator[Row]:
    """Hold rounds on a device to their goals; without one each row says why."""
    missing = backends.unavailable_reason("cuda")
    for claim in claims():
        yield claim.row(missing)


def claims() -> list[Claim]:
    """Return what is claimed of rounds on a device."""
    return [
        *(
            Claim(
                f"consensus round on a device, 10,000 votes, ratio 0.33, {mode}, p95",
                FLOOR,
                "us",
                "lower",
                Goal("value", "<=", most),
                partial(round_beside_floor, 10_000, mode, 0.95),
                "host to host, votes in the pinned buffer",
            )
            for mode, most in (("graph", 20.0), ("persistent", 10.0))
        ),
        *(
            Claim(
                f"consensus round on a device, 1 vote, {mode}, p50",
                FLOOR,
                "us",
                "lower",
                Goal("ratio", ">=", 1 / 1.5),
                partial(round_beside_floor, 1, mode, 0.5),
                "within 1.5 times the round trip of the same mode",
            )
            for mode in ("launch", "graph", "persistent")
        ),
        Claim(
            "consensus round on a device, 10,000,000 votes in device memory, p50",
            COPY,
            "GB/s",
            "higher",
            Goal("ratio", ">=", 0.7),
            resident_beside_copy,
            "16 bytes a vote; the copy counts bytes read and written",
        ),
    ]


def round_beside_floor(
    votes: int, mode: str, quantile: float
) -> tuple[Callable[[], float], Callable[[], float]]:
    """Return how a round and an empty kernel are measured, both host to host in one mode."""
    batches = [VoteBatch.generate(votes, byzantine=0.33, seed=seed) for seed in range(BATCHES)]
    proposals = max(votes // 100, 1)
    ours = checked(Round(proposals=proposals, backend="cuda", mode=mode).operation(batches))
    floor = checked(sp.Operation(backends.cuda_module().round_trip.empty_operation(mode)))
    return lambda: quantile_us(ours, quantile), lambda: quantile_us(floor, quantile)


def resident_beside_copy() -> tuple[Callable[[], float], Callable[[], float]]:
    """Return how the bandwidth of a round and of a copy are measured."""
    batches = [VoteBatch.generate(RESIDENT_VOTES, byzantine=0.33, seed=seed) for seed in range(2)]
    round = Round(proposals=RESIDENT_VOTES // 100, backend="cuda")
    ours = checked(resident_operation(round, batches))
    copy = checked(
        sp.Operation(backends.cuda_module().copy.operation(COPIED_BYTES, "device", "device"))
    )
    return (
        lambda: BYTES_PER_VOTE * RESIDENT_VOTES / quantile_us(ours, 0.5) / 1e3,
        lambda: 2 * COPIED_BYTES / quantile_us(copy, 0.5) / 1e3,
    )


def checked(operation: sp.Operation) -> sp.Operation:
    """Run an operation a little and verify its outcomes."""
    sp.measure(operation, warmup_s=0, max_duration_s=0.1, min_iterations=2, precision=0)
    return operation
