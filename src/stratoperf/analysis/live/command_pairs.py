"""Pairs of commands, timed as whole processes."""

from __future__ import annotations

import contextlib
import time
import uuid
from collections.abc import Mapping

import numpy as np

from stratoperf import clock
from stratoperf.analysis.comparison import Side
from stratoperf.analysis.live.pairs import SIDES, Arm, SideFailed, other
from stratoperf.analysis.live.processes import Child, Output, ending, entered, unnamed_output
from stratoperf.analysis.live.sides import Command
from stratoperf.errors import InvalidParameter

PAIR_S = 0.1
"""Seconds that a pair of commands lasts at least: quick ones run several times in it, in turn."""

MOST_ROUNDS = 64
"""Runs of each side in one pair at most."""


class CommandPairs:
    """Measures two commands.

    Parameters
    ----------
    commands
        By side.
    timeout_s
        For one run of one of them.
    """

    def __init__(self, commands: Mapping[Side, Command], timeout_s: float) -> None:
        self._commands = commands
        self._timeout_s = timeout_s

    def prepare(self) -> None:
        """Run each command once: that shows whether it works, and fills the file cache.

        Raises
        ------
        InvalidParameter
            When a command cannot be started.
        SideFailed
            When one fails or does not end.
        """
        with unnamed_output() as output:
            for side in SIDES:
                self._run(side, output)

    def measure(self, first: Side, seed: int, *, verify: bool) -> dict[Side, Arm]:
        """Measure a pair; see `PairSource`. The exit status is all that can be verified."""
        del seed, verify
        order = (first, other(first))
        runs: dict[Side, list[tuple[int, int]]] = {side: [] for side in SIDES}
        begin = time.monotonic()
        with unnamed_output() as output:
            for number in range(MOST_ROUNDS):
                for side in order if number % 2 == 0 else reversed(order):
                    runs[side].append(self._run(side, output))
                if time.monotonic() - begin >= PAIR_S:
                    break
        return {
            side: Arm(
                process=uuid.uuid4().hex[:12],
                started_ns=runs[side][0][0],
                batch=1,
                latency=np.array([length for _, length in runs[side]], dtype=np.float64),
            )
            for side in SIDES
        }

    def _run(self, side: Side, output: Output) -> tuple[int, int]:
        """Run a command once; return when it was started and how long it took, in ns."""
        command = self._commands[side]
        output.clear()
        with contextlib.ExitStack() as stack:
            child = entered(stack, lambda: self._started(side, output))
            timed_out = child.wait_at_once(self._timeout_s)
            stopped = clock.now_ns()
            status = child.finish()
        if timed_out:
            raise SideFailed(
                side,
                f"the command {command.label} did not end within {self._timeout_s:g} s and was "
                "killed; raise timeout_s (--timeout) if it needs longer",
            )
        if status != 0:
            said = output.tail()
            raise SideFailed(
                side,
                f"the command {command.label} ended with {ending(status)}"
                + (f"; its last words:\n{said}" if said else " and said nothing"),
            )
        return child.started_ns, stopped - child.started_ns

    def _started(self, side: Side, output: Output) -> Child:
        command = self._commands[side]
        try:
            return Child(command.argv, output, keep_stdout=False, cwd=command.cwd, env=command.env)
        except OSError as error:
            raise InvalidParameter(
                f"{side}: the command {command.label} cannot be started: "
                f"{error.strerror or error} ({error.filename}); give a program that exists"
            ) from None
