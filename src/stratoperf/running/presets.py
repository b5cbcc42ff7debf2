"""How long and how precisely each case is measured."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from types import MappingProxyType

from stratoperf import arguments
from stratoperf.door import MOST_NUMBERS, MOST_OBJECTS
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.memory_room import check_room
from stratoperf.sampling import SAMPLE_BYTES

STANDARD_ITERATIONS = 1000
"""The seed's standard for every benchmark: fewer give no upper end to the interval of p99."""

STANDARD_WARMUP_S = 10.0
"""The seed's standard: clocks, caches and thermal state have settled by then."""


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How one case is sampled; see `stratoperf.measure` for the meaning of each number.

    Attributes
    ----------
    batch
        Iterations per sample; ``None`` to calibrate it.
    spread_s
        Seconds that the samples are spread over before the precision is looked at.

    Raises
    ------
    InvalidParameter
        For a number out of range (NaN included).
    """

    warmup_s: float
    min_iterations: int
    max_duration_s: float
    precision: float
    quantile: float
    batch: int | None = None
    spread_s: float = 0.0

    def __post_init__(self) -> None:
        # Under the names that `stratoperf.run` has for them.
        arguments.seconds("warmup_s", self.warmup_s)
        arguments.seconds("duration_s", self.max_duration_s, above=0)
        arguments.count("iterations", self.min_iterations, MOST_NUMBERS)
        check_room("iterations", self.min_iterations, self.min_iterations * SAMPLE_BYTES)

    def changed(
        self,
        iterations: int | None = None,
        duration_s: float | None = None,
        warmup_s: float | None = None,
    ) -> Sampling:
        """Return a copy with the values that the user asked for.

        Parameters
        ----------
        iterations
            Minimum number of iterations, if the time allows them.
        duration_s
            Seconds to sample for. Who gives a duration wants it used: it also turns off stopping
            early for precision.
        warmup_s
            Seconds before the first sample.
        """
        return Sampling(
            self.warmup_s if warmup_s is None else warmup_s,
            self.min_iterations if iterations is None else iterations,
            self.max_duration_s if duration_s is None else duration_s,
            self.precision if duration_s is None else 0.0,
            self.quantile,
        )

    def shared(self, processes: int) -> Sampling:
        """Return the share of each of these processes.

        The precision is that of all of them: the error of each may be larger by the square root of
        their number.
        """
        return Sampling(
            self.warmup_s / processes,
            math.ceil(self.min_iterations / processes),
            self.max_duration_s / processes,
            self.precision * math.sqrt(processes),
            self.quantile,
        )


LEAST_PROCESSES = 6
"""Processes of a case at least: six values have the median of all between them in 97 % of the cases
(1 - 2 * 2**-6), five in 94 %."""

MOST_PROCESSES = 500
"""Processes of a case at most."""

MOST_PARTS = MOST_OBJECTS // 100
"""Processes of all cases of a run at most: while it lasts each has 50 objects in the journal, and a
benchmark may tell more of itself."""

PROCESS_S = 2.0
"""Seconds of sampling of each process where a long duration is asked for: more processes tell more
than longer ones, and each costs a third of a second to start."""

LONG_RUN_PROCESSES = 30
"""Maximum number of processes of a case, for any duration."""


@dataclasses.dataclass(frozen=True)
class Preset:
    """How the cases of a run are measured.

    Attributes
    ----------
    sampling
        How long and how precisely to sample, over all processes of a case.
    most
        Maximum number of processes of a case. From `LEAST_PROCESSES` on, a case ends when it is
        precise enough.
    seconds
        Maximum time of all processes of a case, in seconds: a slow case gets fewer processes.
    disk_bytes
        Maximum number of bytes that they write to a disk.
    """

    sampling: Sampling
    most: int
    seconds: float
    disk_bytes: float


PRESETS: Mapping[str, Preset] = MappingProxyType(
    {
        # Claims speak of p95, so that is what must be known well; 1 % tells regressions of 5 %.
        "standard": Preset(
            Sampling(STANDARD_WARMUP_S, STANDARD_ITERATIONS, 10.0, 0.01, 0.95), 10, 300.0, 5e9
        ),
        # A first look.
        "quick": Preset(Sampling(0.2, STANDARD_ITERATIONS, 0.8, 0.02, 0.95), 6, 20.0, 2.1e9),
        # As short as a check on every change has to be; repetition across runs adds the rest.
        "ci": Preset(Sampling(0.1, STANDARD_ITERATIONS, 0.5, 0.02, 0.5), 6, 20.0, 2.1e9),
    }
)


def preset_named(name: str) -> Preset:
    """Return the preset of that name.

    Raises
    ------
    InvalidParameter
        For an unknown name; suggests the nearest.
    """
    if name not in PRESETS:
        raise InvalidParameter(f"preset: {name!r} is unknown; {did_you_mean(name, PRESETS)}")
    return PRESETS[name]
