"""One case in several fresh processes: what they measured so far, and when that is enough.

A process may end without a result. What this means for its case depends on the reason:

- Any sign that the benchmark or its outcome is wrong fails the case: the benchmark raised an error
  while it worked, its outcome was wrong, or it crashed, hung, or wrote into the messages between
  the processes. The case then has no numbers, even if other processes succeeded.
- Anything that says nothing about the work costs only that process: it was killed from outside (as
  the kernel does when memory runs out), it could not be started, or the set-up worked before and
  fails now (a port or a lock file is still taken, a device is exclusive). After `MOST_LOST` such
  processes the case ends with the results it has, and says so; without any result it has failed.
- A missing prerequisite skips the case, unless the benchmark worked before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from stratoperf.errors import StratoperfError
from stratoperf.monitor.speed import Reference
from stratoperf.results.combining import combined
from stratoperf.results.part_seconds import seconds_of, with_seconds
from stratoperf.running.cases import Case
from stratoperf.running.outcome import over_processes, result_tree
from stratoperf.running.undisturbed import Choice, choose, wants_another
from stratoperf.running.workers.client import WorkerFailed
from stratoperf.statistics.estimates import QUANTILES

MOST_LOST = 2
"""Processes of a case that may be lost before no more are begun: it will not get better."""


class CaseProgress:
    """The progress of a case.

    Parameters
    ----------
    index
        Its place in the plan.
    case
        What is measured.
    parts
        What its processes said in an earlier session of the run.
    base
        What references in the parts are relative to.
    lost_s
        Seconds of processes that gave no part then.

    Attributes
    ----------
    parts
        What its processes say, in the order measured.
    begun
        Processes that were begun, lost ones included.
    is_open
        Whether there is more to measure.
    """

    def __init__(
        self,
        index: int,
        case: Case,
        parts: list[dict[str, Any]],
        base: Path | None,
        lost_s: float = 0.0,
    ) -> None:
        self.index = index
        self.case = case
        self.parts = parts
        self.begun = len(parts)
        self._base = base
        self._lost: list[str] = []
        self._final: dict[str, Any] | None = None
        self._cut_short: dict[str, Any] | None = None
        self._seconds = sum(map(seconds_of, parts))
        self._lost_before_s = lost_s
        self._why_fewer = case.shortfall
        self.is_open = True
        self._update_is_open()

    @property
    def next_case(self) -> Case:
        """The case as the next process is to measure it.

        Batches are of the size that the first process calibrated: samples of different sizes have
        different tails, and are not of one kind.
        """
        if not self.parts:
            return self.case
        batch = int(self.parts[0]["series"][0]["batch"])
        return dataclasses.replace(
            self.case, share=dataclasses.replace(self.case.share, batch=batch)
        )

    def took(self, tree: dict[str, Any], *, is_set_up: bool, seconds: float) -> bool:
        """Accept the result of a process; return whether it becomes part of the result of the case.

        Parameters
        ----------
        tree
            Its result of the case.
        is_set_up
            Whether the set-up had ended.
        seconds
            That the process lasted.
        """
        if tree["status"] == "interrupted":
            self._cut_short = tree
            return False
        self.begun += 1
        self._seconds += seconds
        is_part: bool = tree["status"] == "ok"
        if is_part:
            self.parts.append(with_seconds(tree, seconds))
        elif self.parts and not is_set_up:
            self._lose(tree["reason"])
        else:
            reason = (
                tree["reason"] if self.begun == 1 else f"process {self.begun}: {tree['reason']}"
            )
            self._final = {**tree, "reason": reason}
        self._update_is_open()
        return is_part

    def missed(self, failure: StratoperfError, seconds: float) -> None:
        """Record that a process gave no result.

        Parameters
        ----------
        failure
            `WorkerFailed`, or `CannotLoad` where another process could.
        seconds
            That the process lasted.
        """
        self.begun += 1
        self._seconds += seconds
        if not isinstance(failure, WorkerFailed) or failure.cause == "killed":
            self._lose(str(failure))
        else:
            reason = f"process {self.begun}: {failure}"
            self._final = result_tree(self.case, "failed", reason)
        self._update_is_open()

    def _lose(self, reason: str) -> None:
        self._lost.append(f"process {self.begun} of {self.case.most} is missing: {reason}")
        if len(self._lost) == MOST_LOST:
            self._why_fewer = self._lost[0]
            if not self.parts:
                self._final = result_tree(self.case, "failed", self._lost[0])

    def _update_is_open(self) -> None:
        """Update whether there is more to measure."""
        case, count = self.case, len(self.parts)
        allowed = case.seconds_allowed
        each = self._seconds / max(self.begun, 1)
        if self._final is not None or len(self._lost) >= MOST_LOST:
            self.is_open = False
        elif count and self._lost_before_s + self._seconds + each > allowed:
            self.is_open = False
            if count < case.least:
                self._why_fewer = f"each takes {each:.3g} s, and {allowed:g} s are allowed"
        elif not wants_another(self.parts, case.most) or (case.is_exact and count == case.most):
            self.is_open = False
        elif not wants_another(self.parts, case.least):
            # More processes than twice the least, most of them disturbed, decide nothing either.
            self.is_open = not self._choice().disturbed and not self._is_precise()

    def _choice(self) -> Choice:
        return choose(self.parts, self.case.least)

    def _is_precise(self) -> bool:
        """Return whether the interval between processes is as narrow as requested."""
        sampling = self.case.sampling
        name = next(name for name, quantile in QUANTILES.items() if quantile == sampling.quantile)
        kept = self._choice().kept
        estimate = combined(kept, base=self._base)["metrics"]["latency"]["summary"][name]
        if estimate is None or estimate["low"] is None or estimate["high"] is None:
            return False
        half = (estimate["high"] - estimate["low"]) / 2
        return bool(half <= sampling.precision * estimate["value"])

    def tree(self, run: Sequence[Reference], machine: Sequence[Reference]) -> dict[str, Any]:
        """Return the current result of the case.

        Parameters
        ----------
        run
            The references of the machine's speed of all processes of the run.
        machine
            Those of the latest run on the same machine.
        """
        if self._final is not None:
            return self._final
        if not self.is_open:
            return self._combined(self.parts, run, machine)
        reason = f"interrupted after {len(self.parts)} of {self.case.most} processes"
        # What a process had when it was cut short stands where there is nothing better.
        parts = self.parts
        if not parts and self._cut_short is not None and self._cut_short["series"]:
            parts = [self._cut_short]
        if not parts:
            return result_tree(self.case, "interrupted", reason)
        return self._combined(parts, run, machine) | {"status": "interrupted", "reason": reason}

    def _combined(
        self,
        parts: Sequence[dict[str, Any]],
        run: Sequence[Reference],
        machine: Sequence[Reference],
    ) -> dict[str, Any]:
        tree = over_processes(self.case, parts, run, self._base, self._why_fewer, machine=machine)
        return {**tree, "notes": [*tree["notes"], *self._lost]}
