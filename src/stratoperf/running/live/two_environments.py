"""Pairs of workers: a benchmark of the suite in two environments."""

from __future__ import annotations

import contextlib
import functools
import math
import time
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, cast

import numpy as np

from stratoperf.analysis.comparison import Side
from stratoperf.artifacts.shelf import NOTHING, Handed, Shelf
from stratoperf.running.live.pair_source import SIDES, Arm, BudgetSpent, SideFailed, other
from stratoperf.running.live.sides import Environment
from stratoperf.running.workers.answers import Ready, Samples, Verified
from stratoperf.running.workers.children import entered
from stratoperf.running.workers.client import WorkerFailed, WorkerProcess
from stratoperf.running.workers.protocol import SLICES

WARMUP_S = 0.03
"""Seconds that each worker runs the operation before the first slice.

First calls are much slower; what else settles only in seconds is sampled by many fresh processes
instead, alike on both sides.
"""

SLICE_S = 0.006
"""Seconds of a slice; drift that is slower cancels within the pair."""

LEAD_IN_S = 0.0005
"""Warm-up of each slice, in seconds: the caches still hold the work of the other side."""

MOST_WORK_S = 0.4
"""Seconds that all slices of one side last, where a single iteration is long: fewer slices then.

Many short pairs tell more than few long ones, and an interval needs some eight of them.
"""

LEAST_SLICES = 2
"""Slices of each side at least: A B B A."""

TAIL_SLICES = 3 * SLICES
"""Slices of each side at most where a high quantile is asked for: what it rests on is rare, and
longer pairs cost less than the processes that more of them take."""

TAIL_SLICES_S = 0.5
"""Seconds after which there are no more than the usual slices: on a machine so busy that each
waits for a CPU, more pairs tell more."""

MOST_SAMPLES = 400
"""Samples of a slice, about, where a high quantile is asked for: shorter slices then.

A run file has all of them, and every look compares the largest.
"""

COARSER = 5
"""Times shorter than usual the samples are where a high quantile is asked for.

A sample usually lasts a hundred times as long as reading the clock takes (see the sampler), and
single slow iterations vanish in the mean of as many as that needs. Here reading the clock may be a
twentieth of a sample, on both sides alike, which makes a ratio of 1.2 look like 1.19. So iterations
of some 0.5 µs and more are timed singly.
"""

LONGEST_SAMPLE_S = 0.1
"""Seconds of a sample at most, unless a single iteration is longer.

Both sides batch alike; where one is a million times faster, its batch would keep the other busy
for minutes.
"""


class WorkerPairs:
    """Measures a benchmark in two environments.

    Parameters
    ----------
    environments
        By side.
    questions
        What ``setup`` says, by side.
    timeout_s
        For one process, within the budget.
    shelves
        What the workers of each side share; by default nothing.
    singly
        Whether to time single iterations where the clock can, and more of them, as high quantiles
        need.
    """

    def __init__(
        self,
        environments: Mapping[Side, Environment],
        questions: Mapping[Side, Mapping[str, Any]],
        timeout_s: float,
        *,
        shelves: Mapping[Side, Shelf] | None = None,
        singly: bool = False,
    ) -> None:
        self._environments = environments
        self._questions = questions
        self._timeout_s = timeout_s
        self._shelves = shelves or {}
        # Whether each process builds an artifact of its own.
        self._unstable = dict.fromkeys(SIDES, False)
        self._singly = singly
        self._pair_s = 0.0
        self._building_s = 0.0

    def prepare(self, deadline: float) -> None:
        """Nothing comes before the first pair: every worker is fresh."""

    def floor(self) -> None:
        """Workers are not timed as processes."""

    def measure(self, first: Side, seed: int, *, verify: bool, deadline: float) -> dict[Side, Arm]:
        """Measure a pair; see `PairSource`."""
        begin = time.monotonic()
        self._building_s = 0.0
        with contextlib.ExitStack() as stack:
            order = (first, other(first))
            try:
                workers, ready = self._set_up(stack, order, seed, deadline)
                arms = self._measured(workers, order, ready, verify)
            except WorkerFailed as failure:
                if time.monotonic() < deadline:
                    side = cast("Side", failure.worker)
                    raise SideFailed(side, str(failure)) from failure
                # Here, before the teardown of the other side: it was killed for the budget's end.
                raise self._cut(deadline - begin) from None
        self._pair_s = time.monotonic() - begin - self._building_s
        return arms

    def _set_up(
        self, stack: contextlib.ExitStack, order: tuple[Side, Side], seed: int, deadline: float
    ) -> tuple[dict[Side, WorkerProcess], dict[Side, Ready]]:
        """Start both workers; where one builds an artifact, two others measure."""
        again = dict(self._unstable)
        begin = time.monotonic()
        with contextlib.ExitStack() as building:
            workers, ready = self._ready(building, order, seed, deadline, again)
            if not any(ready[side].has_built and not again[side] for side in order):
                stack.push(building.pop_all())
                return workers, ready
        self._building_s = time.monotonic() - begin
        workers, ready = self._ready(stack, order, seed, deadline, dict.fromkeys(order, True))
        self._unstable = {side: ready[side].has_built for side in SIDES}
        return workers, ready

    def _ready(
        self,
        stack: contextlib.ExitStack,
        order: tuple[Side, Side],
        seed: int,
        deadline: float,
        again: Mapping[Side, bool],
    ) -> tuple[dict[Side, WorkerProcess], dict[Side, Ready]]:
        """Start a worker of each side, and wait until both are set up."""
        variables = {"PYTHONHASHSEED": str(seed)}
        workers: dict[Side, WorkerProcess] = {}
        for side in order:
            start = functools.partial(
                WorkerProcess,
                side,
                self._environments[side].python,
                variables,
                self._timeout_s,
                deadline,
                handed=self._handed(side, again=again[side]),
            )
            workers[side] = entered(stack, start)
            workers[side].ask("setup", **self._questions[side], warmup_s=WARMUP_S)
        for worker in workers.values():
            # On the way out, before any is waited for: both tear down at the same time.
            stack.callback(worker.close)
        return workers, {side: workers[side].answer("ready", Ready) for side in order}

    def _handed(self, side: Side, *, again: bool) -> Handed:
        shelf = self._shelves.get(side)
        return NOTHING if shelf is None else shelf.handed(again=again)

    def _measured(
        self,
        workers: Mapping[Side, WorkerProcess],
        order: tuple[Side, Side],
        ready: Mapping[Side, Ready],
        verify: bool,
    ) -> dict[Side, Arm]:
        plan = slicing(ready.values(), singly=self._singly)
        slices = self._slices(workers, order, plan)
        begin = time.monotonic()
        checked = self._verified(workers, order) if verify else {}
        verifying_s = time.monotonic() - begin
        for side in order:
            workers[side].ask("quit")
        for side in order:
            workers[side].finish()
        return {
            side: Arm(
                process=workers[side].process,
                started_ns=slices[side][0].started_ns,
                batch=plan.batch,
                latency=np.concatenate([piece.values for piece in slices[side]]),
                warmup=ready[side].warmup,
                checked=checked.get(side),
                verifying_s=verifying_s / 2,
                building_s=self._building_s,
                items=ready[side].items,
                item_unit=ready[side].item_unit,
                printed=workers[side].printed,
            )
            for side in SIDES
        }

    def _cut(self, seconds: float) -> BudgetSpent:
        """Return the error for a pair that the budget ended."""
        if self._pair_s > seconds:
            why = f"to set up and measure both sides takes {self._pair_s:.3g} s"
            return BudgetSpent(why, self._pair_s, at_least=False)
        why = f"to set up and measure both sides takes more than {seconds:.3g} s"
        return BudgetSpent(why, seconds, at_least=True)

    def _slices(
        self,
        workers: Mapping[Side, WorkerProcess],
        order: tuple[Side, Side],
        plan: Slicing,
    ) -> dict[Side, list[Samples]]:
        """Let the sides work in turn: A B, B A, A B and so on, so that a steady drift cancels."""
        slices: dict[Side, list[Samples]] = {side: [] for side in SIDES}
        begin = time.monotonic()
        for number in range(plan.slices):
            for side in order if number % 2 == 0 else reversed(order):
                workers[side].ask(
                    "slice", batch=plan.batch, seconds=plan.seconds, lead_in_s=LEAD_IN_S
                )
                slices[side].append(workers[side].answer("samples", Samples))
            # By the time of both together, so that it favors neither; and never within A B, B A.
            is_late = time.monotonic() - begin > TAIL_SLICES_S
            if is_late and number + 1 >= SLICES and number % 2 == 1:
                break
        return slices

    def _verified(
        self, workers: Mapping[Side, WorkerProcess], order: tuple[Side, Side]
    ) -> dict[Side, int | None]:
        for side in order:
            workers[side].ask("verify")
        return {side: workers[side].answer("verified", Verified).checked for side in order}


class Slicing(NamedTuple):
    """How both workers of a pair are sampled.

    Attributes
    ----------
    batch
        Iterations in a sample.
    slices
        Number of slices of each side.
    seconds
        Length of a slice.
    """

    batch: int
    slices: int
    seconds: float


def slicing(ready: Iterable[Ready], *, singly: bool = False) -> Slicing:
    """Return how to sample both sides alike.

    Parameters
    ----------
    ready
        What both workers say of the operation.
    singly
        As for `WorkerPairs`.
    """
    sides = list(ready)
    # One batch for both: means over more iterations are smoother.
    batch = max(side.batch for side in sides)
    iteration_s = max(side.iteration_ns for side in sides) * 1e-9
    if singly:
        batch = math.ceil(batch / COARSER)
    if batch * iteration_s > LONGEST_SAMPLE_S:
        batch = max(1, int(LONGEST_SAMPLE_S / iteration_s))
    # Each slice runs the operation once before its first sample.
    slice_s = max(SLICE_S, 2 * batch * iteration_s)
    most = TAIL_SLICES if singly else SLICES
    seconds = min(SLICE_S, MOST_SAMPLES * batch * iteration_s) if singly else SLICE_S
    left = min((side.left for side in sides if side.left is not None), default=None)
    if left is None:
        count = min(most, int(MOST_WORK_S / slice_s))
    else:
        batch = max(1, min(batch, left // (2 * LEAST_SLICES)))
        # The worker divides what is left by this number.
        count = min(SLICES, int(MOST_WORK_S / slice_s), left // (2 * batch))
    return Slicing(batch, max(LEAST_SLICES, count // 2 * 2), seconds)
