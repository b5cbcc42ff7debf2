"""Pairs of commands, timed as whole processes."""

from __future__ import annotations

import shlex
import shutil
import time
import uuid
from collections.abc import Mapping

import numpy as np

from stratoperf.analysis.comparison import Side
from stratoperf.errors import InvalidParameter
from stratoperf.running.live.command_runs import CommandRun, failure_text, run_command
from stratoperf.running.live.pair_source import SIDES, Arm, BudgetSpent, Floor, SideFailed, other
from stratoperf.running.live.sides import SHELL, Command
from stratoperf.running.workers.output import Output, unnamed_output
from stratoperf.statistics import quantile

PAIR_S = 0.1
"""Seconds that a pair of commands lasts at least: quick ones run several times in it, in turn."""

MOST_ROUNDS = 64
"""Runs of each side in one pair at most."""

FLOOR_RUNS = 3
"""Runs in each pair, at most, of a program that does nothing: what a run costs by itself."""


class CommandPairs:
    """Measures two commands.

    Parameters
    ----------
    commands
        By side.
    timeout_s
        For one run of one of them.
    prepare
        A line that the shell runs, untimed, before each of their runs.
    """

    def __init__(
        self, commands: Mapping[Side, Command], timeout_s: float, prepare: str | None = None
    ) -> None:
        self._commands = commands
        self._timeout_s = timeout_s
        self._before_each = None if prepare is None else Command((prepare,), shell=True)
        # By side the seconds of its last run with what comes before it.
        self._known_s: dict[Side, float] = {}
        self._floor_ns: list[int] = []
        self._idle = _doing_nothing(commands)

    def prepare(self, deadline: float) -> None:
        """Run each command once: that shows whether it works, and fills the file cache.

        Raises
        ------
        InvalidParameter
            When a command cannot be started.
        SideFailed
            When one fails or does not end.
        BudgetSpent
            When a pair would not end before the deadline, as soon as that is known.
        """
        with unnamed_output() as output:
            for side in SIDES:
                self._run(side, output, deadline)
                if time.monotonic() + sum(self._known_s.values()) > deadline:
                    raise self._spent(at_least=len(self._known_s) < 2)

    def measure(self, first: Side, seed: int, *, verify: bool, deadline: float) -> dict[Side, Arm]:
        """Measure a pair; see `PairSource`. The exit status is all that can be verified."""
        del seed, verify
        order = (first, other(first))
        runs: dict[Side, list[CommandRun]] = {side: [] for side in SIDES}
        begin = time.monotonic()
        with unnamed_output() as output:
            for number in range(MOST_ROUNDS):
                for side in order if number % 2 == 0 else reversed(order):
                    runs[side].append(self._run(side, output, deadline))
                if number < FLOOR_RUNS:
                    self._run_idle(output, deadline)
                now = time.monotonic()
                if now - begin >= PAIR_S or now + sum(self._known_s.values()) > deadline:
                    break
        return {
            side: Arm(
                process=uuid.uuid4().hex[:12],
                started_ns=runs[side][0].started_ns,
                batch=1,
                latency=np.array([run.took_ns for run in runs[side]], dtype=np.float64),
                printed=next((run.printed for run in runs[side] if run.printed), None),
            )
            for side in SIDES
        }

    def floor(self) -> Floor | None:
        """Return what a run takes that does nothing; see `PairSource`."""
        if self._idle is None or not self._floor_ns:
            return None
        return Floor(
            program=shlex.join(self._idle),
            time_ns=quantile(np.array(self._floor_ns, dtype=np.float64), 0.5),
            runs=len(self._floor_ns),
            is_shell=any(command.shell for command in self._commands.values()),
        )

    def _run_idle(self, output: Output, deadline: float) -> None:
        """Run the program that does nothing, between the commands and so under the same load."""
        if self._idle is None:
            return
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            return
        run = run_command(Command(self._idle), output, min(self._timeout_s, left_s))
        if run.status == 0:
            self._floor_ns.append(run.took_ns)

    def _run(self, side: Side, output: Output, deadline: float) -> CommandRun:
        """Run a command once, and before it what prepares that.

        Raises
        ------
        BudgetSpent
            When it did not end before the deadline.
        SideFailed
            When it failed, or lasted longer than one run may.
        """
        begin = time.monotonic()
        if self._before_each is not None:
            self._run_one(side, self._before_each, "the prepare command", output, begin, deadline)
        run = self._run_one(side, self._commands[side], "the command", output, begin, deadline)
        self._known_s[side] = time.monotonic() - begin
        return run

    def _run_one(
        self,
        side: Side,
        command: Command,
        what: str,
        output: Output,
        begin: float,
        deadline: float,
    ) -> CommandRun:
        left_s = deadline - time.monotonic()
        if left_s <= 0:
            raise self._cut(side, deadline - begin)
        try:
            limit_s = min(self._timeout_s, left_s)
            is_timed = command is not self._before_each
            run = run_command(command, output, limit_s, keep_stdout=not is_timed)
        except OSError as error:
            remedy = (
                "give a program that exists, or shell=True (--shell) for what only a shell knows"
            )
            if command.cwd is not None and str(error.filename) == str(command.cwd):
                remedy = "give an existing directory as cwd"
            raise InvalidParameter(
                f"{side}: {what} {command.label} cannot be started: "
                f"{error.strerror or error} ({error.filename}); {remedy}"
            ) from None
        if run.timed_out and left_s <= self._timeout_s:
            raise self._cut(side, deadline - begin)
        if run.timed_out:
            raise SideFailed(
                side,
                f"{what} {command.label} did not end within {self._timeout_s:g} s and was "
                "killed; raise timeout_s (--timeout) if it needs longer",
            )
        if run.status != 0:
            raise SideFailed(side, failure_text(f"{what} {command.label}", run.status, output))
        return run

    def _cut(self, side: Side, cut_s: float) -> BudgetSpent:
        """Return the error for a run that the budget ended."""
        cut_s = max(cut_s, 0.0)
        known_s = self._known_s.get(side, 0.0)
        if known_s > cut_s:
            return self._spent(at_least=len(self._known_s) < 2)
        self._known_s.pop(side, None)
        spent = self._spent(at_least=True)
        more = f"one run of {self._named(side)}{{}} more than {cut_s:.3g} s"
        why = f"{spent.why} and {more.format('')}" if spent.why else more.format(" takes")
        return BudgetSpent(why, spent.pair_s + cut_s, at_least=True)

    def _spent(self, *, at_least: bool) -> BudgetSpent:
        """Return how long a run of each side takes, where that is known."""
        known = [
            f"one run of {self._named(side)}{' takes' if number == 0 else ''} {seconds:.3g} s"
            for number, (side, seconds) in enumerate(self._known_s.items())
        ]
        return BudgetSpent(" and ".join(known), sum(self._known_s.values()), at_least=at_least)

    def _named(self, side: Side) -> str:
        name = "the baseline" if side == "baseline" else "the current side"
        return name if self._before_each is None else f"{name} with what prepares it"


def _doing_nothing(commands: Mapping[Side, Command]) -> tuple[str, ...] | None:
    """Return a program that does nothing, started as the commands are."""
    if any(command.shell for command in commands.values()):
        return (*SHELL, "")
    program = shutil.which("true")
    return None if program is None else (program,)
