"""What a run measures: its cases, how long they take and how much they write."""

from __future__ import annotations

import dataclasses
import math
import random
from collections.abc import Mapping

from stratoperf import backends, clock
from stratoperf.door import MOST_NUMBERS
from stratoperf.errors import InvalidParameter
from stratoperf.results.plans import Request
from stratoperf.results.storage import LONGEST_INLINE_COLUMN
from stratoperf.running.declaration import Benchmark, Declared
from stratoperf.running.presets import MOST_PARTS, Sampling
from stratoperf.running.trees import Identity
from stratoperf.running.values import Value
from stratoperf.sampling import DEVICE_SAMPLES, DEVICE_SHARE, SAMPLE_BYTES

START_S = 0.3
"""Seconds that a fresh process takes to start and to import a benchmark."""


SETUP_S = 0.3
"""Seconds assumed for the setup, verification and statistics of one case that declares none."""


PROFILE_S = 1.0
"""Seconds that the passes of a profile take at most."""


SHORTEST_SAMPLE = 100
"""Length of a sample beside reading the clock, and beside its steps, that the sampler keeps to."""


COPIES = 3
"""Files that hold a result at the end of a run: its journal, the run file and ``latest.json``."""


TEXT_BYTES = 25
"""Bytes of one sample in JSON at most: 17 digits, sign, point, exponent and separator."""


RESULT_BYTES = 16 << 10
"""Bytes assumed for the rest of a result in JSON, and for what an operation observes itself."""


PACE = 1.25
"""Samples above those that the length of a batch allows: the calibration met slower work."""


def most_samples(duration_s: float) -> int:
    """Return how many samples fit into a time; the sampler makes each long beside its clock."""
    info = clock.info()
    shortest_ns = SHORTEST_SAMPLE * max(info.overhead_ns, info.resolution_ns)
    return min(math.ceil(PACE * duration_s * 1e9 / shortest_ns), MOST_NUMBERS)


@dataclasses.dataclass(frozen=True)
class Case:
    """One combination of benchmark, parameters and backend.

    Attributes
    ----------
    benchmark, params, backend
        What is measured.
    key
        Its stable identity.
    sampling
        How long and how precisely, all processes together.
    share
        The same of each process.
    declared
        What its benchmark's declaration says of it, for one process.
    least, most
        Processes: from `least` on it ends when it is precise enough.
    is_exact
        Whether it is `most` processes that were asked for: disturbed ones are not replaced.
    seconds_allowed
        Seconds that all processes take at most, if there are several: no other is begun then.
    shortfall
        Why fewer processes are planned than usual, or ``None``: what one takes.
    skip_reason
        Why it cannot be measured here, or ``None``.
    profile
        Whether a profile is taken after the measurement.
    """

    benchmark: Benchmark
    params: Mapping[str, Value]
    backend: str
    key: str
    sampling: Sampling
    share: Sampling
    declared: Declared
    least: int = 1
    most: int = 1
    is_exact: bool = False
    seconds_allowed: float = math.inf
    shortfall: str | None = None
    skip_reason: str | None = None
    profile: bool = False

    @property
    def identity(self) -> Identity:
        """Its identity, for its result and for other processes."""
        return Identity(
            key=self.key,
            benchmark=self.benchmark.name,
            version=self.benchmark.version,
            category=self.benchmark.category,
            backend=self.backend,
            params=dict(self.params),
        )

    @property
    def is_measured(self) -> bool:
        """Whether it will be measured."""
        return self.skip_reason is None and self.declared.fault is None

    @property
    def process_seconds(self) -> float:
        """Estimated maximum time of one process, in seconds."""
        sampled = self.share.max_duration_s * (1 + DEVICE_SHARE * backends.has_device(self.backend))
        start_s = 0.0 if self.benchmark.origin is None else START_S
        return start_s + self.share.warmup_s + sampled + SETUP_S + self.declared.setup_s

    @property
    def seconds(self) -> float:
        """Estimated maximum time of all its processes, in seconds."""
        if not self.is_measured:
            return 0.0
        return self.most * self.process_seconds + (PROFILE_S if self.profile else 0.0)

    @property
    def disk_bytes(self) -> int:
        """Bytes that the benchmark itself writes to disk, as it declares."""
        if not self.is_measured:
            return 0
        return self.most * self.declared.disk_bytes

    @property
    def sample_bytes(self) -> int:
        """Estimated size of its result on disk, in bytes."""
        if not self.is_measured:
            return COPIES * RESULT_BYTES
        samples = self.most * most_samples(self.share.max_duration_s)
        # The series of the journal lie there until those of the run file do.
        binary = 2 * SAMPLE_BYTES * samples
        text = COPIES * TEXT_BYTES * min(samples, self.most * LONGEST_INLINE_COLUMN)
        times = DEVICE_SAMPLES * backends.has_device(self.backend)
        device = COPIES * TEXT_BYTES * times * self.most
        # Each process is journaled by itself, and then the result of all.
        return max(binary, text) + device + (COPIES + self.most) * RESULT_BYTES


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a run will do, known before it starts.

    Attributes
    ----------
    request
        What was asked.
    cases
        In the order of the run file.
    seed
        Seed of the order of measurement, which differs by pass.
    saves
        Whether a run file is written.
    warnings
        What the user should know before, such as benchmarks that could not be imported.
    finished
        Keys of the cases that an earlier part of the run has measured already.
    """

    request: Request
    cases: tuple[Case, ...]
    saves: bool
    seed: int
    warnings: tuple[str, ...] = ()
    finished: frozenset[str] = frozenset()

    def order(self, number: int) -> list[int]:
        """Return the order of the cases in a pass, as their indices."""
        indices = list(range(len(self.cases)))
        random.Random(f"{self.seed} {number}").shuffle(indices)
        return indices

    def check_total(self) -> None:
        """Raise `InvalidParameter` where all processes are more than a run file may hold."""
        numbers = [case.most for case in self.cases if case.is_measured]
        if sum(numbers) > MOST_PARTS:
            raise InvalidParameter(
                f"processes: {sum(numbers):,} processes of {len(numbers):,} cases are more than "
                f"the {MOST_PARTS:,} that a run file holds; select fewer cases, or ask for fewer "
                "processes of each"
            )

    @property
    def open_cases(self) -> list[Case]:
        """The cases that are still to be measured."""
        return [case for case in self.cases if case.key not in self.finished]

    @property
    def seconds(self) -> float:
        """Seconds that the open cases take at most."""
        return sum(case.seconds for case in self.open_cases)

    @property
    def bytes(self) -> int:
        """Bytes that the open cases write to disk, as they declare and as results.

        The declared bytes are a limit; the size of the results is an estimate for the fastest work.
        """
        return sum(
            case.disk_bytes + (case.sample_bytes if self.saves else 0) for case in self.open_cases
        )


def known_case(
    benchmark: Benchmark,
    backend: str,
    params: Mapping[str, Value],
    sampling: Sampling,
    profile: bool,
) -> Case:
    """Return the case that a worker process measures, as another process planned it."""
    key = benchmark.key(params, backend)
    return Case(benchmark, params, backend, key, sampling, sampling, Declared(), profile=profile)
