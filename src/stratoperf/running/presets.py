"""How long and how precisely each case is measured."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from types import MappingProxyType

from stratoperf import arguments
from stratoperf.door import MOST_NUMBERS
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.measuring import SAMPLE_BYTES

STANDARD_ITERATIONS = 1000
"""The seed's standard for every benchmark: fewer give no upper end to the interval of p99."""

STANDARD_WARMUP_S = 10.0
"""The seed's standard: clocks, caches and thermal state have settled by then."""


@dataclasses.dataclass(frozen=True)
class Sampling:
    """How one case is sampled; see `stratoperf.measure` for the meaning of each number.

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

    def __post_init__(self) -> None:
        # Under the names that `stratoperf.run` has for them.
        arguments.seconds("warmup_s", self.warmup_s)
        arguments.seconds("duration_s", self.max_duration_s, above=0)
        arguments.count("iterations", self.min_iterations, MOST_NUMBERS)
        arguments.check_room("iterations", self.min_iterations, self.min_iterations * SAMPLE_BYTES)

    def changed(
        self,
        iterations: int | None = None,
        duration_s: float | None = None,
        warmup_s: float | None = None,
    ) -> Sampling:
        """Return it with what the user asked for instead.

        Parameters
        ----------
        iterations
            Iterations at least, as far as the time allows.
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


PRESETS: Mapping[str, Sampling] = MappingProxyType(
    {
        # Claims speak of p95, so that is what must be known well; 1 % tells regressions of 5 %.
        "standard": Sampling(STANDARD_WARMUP_S, STANDARD_ITERATIONS, 10.0, 0.01, 0.95),
        # A first look: all fifteen cases of consensus.round within half a minute. Where noise
        # leaves p95 without an interval after the least samples, it goes on for one.
        "quick": Sampling(0.2, STANDARD_ITERATIONS, 0.8, 0.02, 0.95),
        # As short as a check on every change has to be; repetition across runs adds the rest.
        "ci": Sampling(0.1, STANDARD_ITERATIONS, 0.5, 0.02, 0.5),
    }
)


def preset_named(name: str) -> Sampling:
    """Return the preset of that name.

    Raises
    ------
    InvalidParameter
        For an unknown name; suggests the nearest.
    """
    if name not in PRESETS:
        raise InvalidParameter(f"preset: {name!r} is unknown; {did_you_mean(name, PRESETS)}")
    return PRESETS[name]
