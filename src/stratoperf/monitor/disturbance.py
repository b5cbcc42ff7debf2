"""Tell from the environment of a measurement alone whether it was disturbed from outside.

A *disturbance* takes the CPU, or its speed, away from the system under test without being part of
it. There are three causes: the hypervisor (steal), other processes, and a limit (a CPU quota,
heat). Each takes a share of the time that the system under test would have had otherwise.

**Who had the CPU while we waited.** The kernel reports for how long our threads were ready to run
but waited for a CPU. It does not report who had that CPU. So two sums are compared:

- what we waited: the run delay of the process and its descendants;
- what others had: the CPU time of other processes on the CPUs that we may use. Interrupts and the
  threads of the kernel are left out.

The loss is at most the smaller of the two. Three examples: Eight threads of a benchmark on two CPUs
wait six seconds in each second, but other processes had no CPU time, so nothing is blamed on them.
A busy loop beside these threads takes 0.2 s of CPU time in each second, so 0.2 s are blamed on it,
however long the threads waited. A busy loop on another CPU takes a whole second, but nobody waited
for that CPU, so nothing is blamed on it. Locks, page faults, garbage collection and ``fdatasync``
are work of the process or sleep; neither is waiting for a CPU. What threads of the kernel do for
the process, such as writing back or encrypting, counts as its own work.

**Limits.** Some cases look alike to these counters:

- The sums do not know on which CPU we waited. Threads that a benchmark pins to one CPU wait for
  each other, and a busy process on another CPU is blamed for as much as it ran.
- A process that a daemon runs for the benchmark, or that left its process tree, counts as another.
- Where threads that ended had most of the CPU time, their waiting is unknown. Then others are
  blamed only when no CPU was idle.
- A page that is read from a disk may be the benchmark's first use of a file, or memory that others
  pushed out. A frequency falls by heat, and by the benchmark's own load on many cores. Neighbors in
  caches and memory take no CPU time at all. These give a warning or nothing, never a disturbance.
- Heat that a benchmark leaves behind counts as the machine's: throttling and a slower reference are
  a disturbance, whoever made the machine hot, because a cooler machine would give another number.

**No selection by the result.** A disturbed process may be left out of an estimate. That is fair
only because nothing here reads a measured value: leaving out slow results would make every machine
look fast.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from stratoperf.monitor.processes import TICK_S
from stratoperf.monitor.speed import INTEGER_FAR

WARNED_PERCENT = 1.0
"""Above 1 % of lost time the p99, the slowest 1 % of samples, can be the work of others."""

DISTURBED_PERCENT = 5.0
"""Above 5 % so can the p95, which most claims speak of."""

LEAST_TICKS = 2
"""One tick is the resolution of the kernel's counters; only from the second on is it a finding."""

NO_IDLE_PERCENT = 5.0
"""CPUs idle for less than this offer a thread no way out of a queue."""

REFERENCE_CHANGE = 2 * INTEGER_FAR
"""The same work took 10 % more or less time after a measurement than before: no single speed of
the machine belongs to it. Steps of the clock rate are everyday, and an interval over processes
covers them: of 45 pairs of readings on the project's machine 15 were a step of 3.6 % apart and 2
were two; a busy host was 52 % away."""

PI_ACTIVE_BITS = {0: "under-voltage", 1: "its frequency capped", 2: "throttled", 3: "too hot"}
"""Bits of the Raspberry Pi firmware's ``get_throttled`` that describe the present."""


class Loss(NamedTuple):
    """Time that something outside the system under test took.

    Attributes
    ----------
    percent
        Of the time that the system under test would have had otherwise; infinite where only
        is known that it happened.
    why
        What it was, in words.
    """

    percent: float
    why: str


def disturbance(environment: Mapping[str, Any]) -> str | None:
    """Return what disturbed a process from outside the system under test, if anything did.

    Parameters
    ----------
    environment
        As `NoiseProbe.environment` gives it, with the ``reference`` workload's
        ``integer_change`` where that was measured. What is missing or ``None`` disturbs nothing.

    Returns
    -------
    str or None
        What disturbed it, in words that begin in lower case and can follow ``disturbed:``.
    """
    lost = losses(environment)
    if sum(loss.percent for loss in lost) <= DISTURBED_PERCENT:
        return None
    return "; ".join(loss.why for loss in lost)


def losses(environment: Mapping[str, Any]) -> list[Loss]:
    """Return the losses to outside causes that a reader must know of.

    Several small losses can together disturb a measurement.

    Parameters
    ----------
    environment
        As for `disturbance`.
    """
    matches = [
        _steal(environment),
        _waiting(environment),
        *_throttling(environment),
        _reference(environment),
    ]
    return [loss for loss in matches if loss is not None]


def _share(lost: float, environment: Mapping[str, Any]) -> float:
    """Return lost seconds as percent of the time that would have been there without the loss.

    That is the time that passed, or for several threads the CPU time with what it lost.
    """
    seconds: float = environment.get("seconds") or 0.0
    own: float = environment.get("cpu_seconds") or 0.0
    return 100 * lost / max(seconds, own + lost, TICK_S)


def _steal(environment: Mapping[str, Any]) -> Loss | None:
    percent, seconds = environment.get("steal_percent"), environment.get("seconds")
    if not percent or seconds is None:
        return None
    part = min(percent / 100, 1.0)
    own = environment.get("cpu_seconds")
    # The stolen time hits whoever wants to run, so a process that sleeps loses little of it.
    lost = seconds * part if own is None or part == 1 else own * part / (1 - part)
    return _noticed(lost, environment, "the hypervisor took the CPU away for {:.1f} % of the time")


def _waiting(environment: Mapping[str, Any]) -> Loss | None:
    others = environment.get("others_seconds")
    if others is None:
        return None
    waited = environment.get("waiting_seconds")
    if waited is None:
        idle = environment.get("idle_percent")
        lost = others if idle is not None and idle <= NO_IDLE_PERCENT else 0.0
        words = "no CPU was idle, and other processes had one {:.1f} % of the time"
    else:
        # A quota stops threads that are ready to run, which counts as waiting, too.
        throttled = ((environment.get("throttling") or {}).get("quota_ms") or 0.0) / 1e3
        lost = min(max(0.0, waited - throttled), others)
        words = "waited for a CPU {:.1f} % of the time while other processes were running"
    return _noticed(lost, environment, words)


def _noticed(lost: float, environment: Mapping[str, Any], words: str) -> Loss | None:
    """Return a loss if it exceeds the resolution of the counters and is large enough to matter."""
    share = _share(lost, environment)
    if lost < LEAST_TICKS * TICK_S or share <= WARNED_PERCENT:
        return None
    return Loss(share, words.format(share))


def _throttling(environment: Mapping[str, Any]) -> list[Loss]:
    throttling = environment.get("throttling") or {}
    lost = []
    stopped, hot = throttling.get("quota_ms"), throttling.get("thermal_ms")
    if stopped:
        why = f"the CPU quota stopped the process for {stopped:.0f} ms"
        lost.append(Loss(_share(stopped / 1e3, environment), why))
    if throttling.get("thermal_events"):
        why = f"the CPU was throttled by heat {throttling['thermal_events']} times"
        # A kernel before 5.6 only counts how often.
        share = math.inf if hot is None else _share(hot / 1e3, environment)
        lost.append(Loss(share, why))
    flags = throttling.get("pi_flags") or 0
    active = [name for bit, name in PI_ACTIVE_BITS.items() if flags >> bit & 1]
    if active:
        why = f"the Raspberry Pi's firmware reports: {', '.join(active)}"
        lost.append(Loss(math.inf, why))
    return lost


def _reference(environment: Mapping[str, Any]) -> Loss | None:
    change = (environment.get("reference") or {}).get("integer_change")
    if change is None or abs(change) <= REFERENCE_CHANGE:
        return None
    return Loss(math.inf, f"the machine's speed changed by {100 * abs(change):.0f} % meanwhile")
