"""Judge how fast the machine was while the processes of a run measured.

Pure functions over what `stratoperf.monitor.ReferenceProbe` recorded in each process. A *reference*
here is such a record, as the key ``reference`` of an environment has it.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeGuard

Reference = Mapping[str, Any]

INTEGER_FAR = 0.05
"""At one clock rate, with a core to itself, the reading repeats to 0.5 % (eight readings in a row
in each of 16 processes on a busy virtual machine). Servers change the clock rate in steps of
100 MHz, 2.5 to 5 % of 2 to 4 GHz: one step is everyday, more is worth a warning."""

INTEGER_MOVED = 0.15
"""Over minutes those steps add up to 12 % between the slowest and the fastest reading (the same
machine). Beyond is what another guest on the core's other hardware thread takes: 20 to 60 %."""

MEMORY_FAR = 0.10
"""Four standard deviations of a single reading, which is 2.5 % (the same readings)."""

MEMORY_MOVED = 0.17
"""Six standard deviations: 20 readings of one speed span more in 1 run of 200 (the studentized
range; Pearson & Hartley, Biometrika Tables for Statisticians, vol. 1)."""

MOST = 1e9
"""Bounds of a valid file: no step lasts a second, and no step becomes this many times longer."""


class Pace(NamedTuple):
    """How fast one part of the machine was while the processes of a case measured.

    Attributes
    ----------
    step_ns
        Time of a step: the median over the processes.
    moved
        The slowest reading by the fastest, less 1, over all before and after each process.
    of_run
        Speed by the run's usual speed, 1 when equal and below 1 when slower; the usual is the
        median over all processes of the run.
    of_machine
        Speed relative to earlier runs on this machine; ``None`` without any.
    """

    step_ns: float
    moved: float
    of_run: float
    of_machine: float | None


class Speed(NamedTuple):
    """How fast the machine was; ``None`` where nothing was read.

    Attributes
    ----------
    integer
        The core: arithmetic without memory.
    memory
        Reads that miss every cache.
    """

    integer: Pace | None
    memory: Pace | None


def speed(
    case: Sequence[Reference], run: Sequence[Reference], machine: Sequence[Reference] = ()
) -> Speed:
    """Compare the speed during a case with the usual one.

    Parameters
    ----------
    case
        One reference for each process of the case.
    run
        References of all processes of the run, those of the case among them.
    machine
        References of earlier runs on the same system, one for each process or result.
    """
    return Speed(_pace("integer", case, run, machine), _pace("memory", case, run, machine))


def speed_warnings(speed: Speed) -> list[str]:
    """Return what a reader must know of the speed, in plain words; nothing when it was usual."""
    return [
        *_warnings("the CPU", speed.integer, INTEGER_FAR, INTEGER_MOVED),
        *_warnings("the memory", speed.memory, MEMORY_FAR, MEMORY_MOVED),
    ]


def references(result: Mapping[str, Any]) -> list[Reference]:
    """Return those of the processes of a result, from its tree; none where it has none."""
    processes = result.get("processes")
    sources = processes if isinstance(processes, list) and processes else [result]
    environments = [source.get("environment") for source in sources if isinstance(source, Mapping)]
    known = [
        environment.get("reference")
        for environment in environments
        if isinstance(environment, Mapping)
    ]
    return [reference for reference in known if isinstance(reference, Mapping)]


class _Step(NamedTuple):
    """The speed of one part of the machine; `buffer` is 0 without a buffer."""

    ns: float
    change: float
    buffer: float

    @property
    def readings(self) -> tuple[float, float]:
        """Before and after: `ns` is their mean."""
        before = self.ns / (1 + self.change / 2)
        return before, before * (1 + self.change)


def _steps(name: str, references: Iterable[Reference]) -> list[_Step]:
    """Return those that are known; a file may hold anything."""
    steps = []
    for reference in references:
        ns, change = reference.get(f"{name}_ns"), reference.get(f"{name}_change")
        buffer = reference.get("memory_bytes") if name == "memory" else 0
        if _is_number(ns) and _is_number(change) and _is_number(buffer):
            steps.append(_Step(ns, change, buffer))
    return [step for step in steps if 0 < step.ns < MOST and -1 < step.change < MOST]


def _is_number(value: object) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _alike(steps: Sequence[_Step], like: Sequence[_Step]) -> list[_Step]:
    """Return those over a buffer of the length that most of `like` have."""
    if not like:
        return []
    usual = statistics.mode(step.buffer for step in like)
    return [step for step in steps if step.buffer == usual]


def _pace(
    name: str, case: Sequence[Reference], run: Sequence[Reference], machine: Sequence[Reference]
) -> Pace | None:
    own, whole, earlier = (_steps(name, references) for references in (case, run, machine))
    mine = _alike(own, own)
    step_ns, moved = _median(mine), _moved(mine)
    if step_ns is None or moved is None:
        return None
    usual, before = _median(_alike(whole, mine)), _median(_alike(earlier, mine))
    return Pace(
        step_ns,
        moved,
        1.0 if usual is None else usual / step_ns,
        None if before is None else before / step_ns,
    )


def _median(steps: Sequence[_Step]) -> float | None:
    return statistics.median(step.ns for step in steps) if steps else None


def _moved(steps: Sequence[_Step]) -> float | None:
    """Return how far apart all readings lie."""
    readings = [reading for step in steps for reading in step.readings]
    return max(readings) / min(readings) - 1 if readings else None


def _warnings(subject: str, pace: Pace | None, far: float, much: float) -> list[str]:
    if pace is None:
        return []
    sentences = []
    for ratio, usual in ((pace.of_run, "in this run"), (pace.of_machine, "in earlier runs")):
        if ratio is not None and max(ratio, 1 / ratio) > 1 + far:
            sentences.append(f"{subject} was {_apart(ratio)} than usual {usual}")
    if pace.moved > much:
        sentences.append(
            f"the speed of {subject} changed by {100 * pace.moved:.0f} % during the measurement"
        )
    return sentences


def _apart(ratio: float) -> str:
    """Say by how much more time a step took, or how many more of them fit into a time."""
    if ratio < 1:
        return f"{100 * (1 / ratio - 1):.0f} % slower"
    return f"{100 * (ratio - 1):.0f} % faster"
