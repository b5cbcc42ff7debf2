"""One run of a command, timed for the comparison or untimed to prepare or clean up."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, NamedTuple

from stratoperf import clock
from stratoperf.errors import StratoperfError
from stratoperf.running.live.sides import Command, open_input
from stratoperf.running.workers.children import Child, ending, entered
from stratoperf.running.workers.output import Output, unnamed_output

if TYPE_CHECKING:
    from stratoperf.analysis.comparison import Comparison


class CleanupFailed(StratoperfError):
    """The cleanup command failed after everything was compared.

    Attributes
    ----------
    comparison
        What was compared.
    """

    comparison: Comparison | None = None


class CommandRun(NamedTuple):
    """When a command was started, how long it took, how it ended, what to note of its output."""

    started_ns: int
    took_ns: int
    timed_out: bool
    status: int
    printed: str | None


def run_command(
    command: Command, output: Output, timeout_s: float, *, keep_stdout: bool = False
) -> CommandRun:
    """Run a command once, and kill it with its process group when its time is over.

    Parameters
    ----------
    command, timeout_s
        What to run, and for how long at most.
    output, keep_stdout
        As for `Child`.

    Raises
    ------
    OSError
        When it cannot be started.
    InvalidParameter
        When its input cannot be read.
    """
    output.clear()
    with contextlib.ExitStack() as stack:
        given = None if command.input is None else stack.enter_context(open_input(command.input))
        child = entered(
            stack,
            lambda: Child(
                command.program,
                output,
                keep_stdout=keep_stdout,
                stdin=given,
                cwd=command.cwd,
                env=command.env,
            ),
        )
        timed_out = child.wait_at_once(timeout_s)
        stopped = clock.now_ns()
        status = child.finish()
    took_ns = stopped - child.started_ns
    return CommandRun(child.started_ns, took_ns, timed_out, status, output.remark())


def run_aside(name: str, line: str, timeout_s: float) -> None:
    """Run a line through the shell, untimed.

    Parameters
    ----------
    name
        ``"setup"`` or ``"cleanup"``.
    line
        For ``/bin/sh``.
    timeout_s
        How long it may last.

    Raises
    ------
    StratoperfError
        When it fails, with the end of what it said, or does not end.
    """
    what = f"the {name} command {line!r}"
    with unnamed_output() as output:
        run = run_command(Command((line,), shell=True), output, timeout_s, keep_stdout=True)
        if run.timed_out:
            raise StratoperfError(
                f"{what} did not end within {timeout_s:g} s and was killed; raise timeout_s "
                "(--timeout) if it needs longer"
            )
        if run.status != 0:
            raise StratoperfError(failure_text(what, run.status, output))


def failure_text(what: str, status: int, output: Output) -> str:
    """Return how a command ended, with what it printed last."""
    printed = output.tail()
    return f"{what} ended with {ending(status)}" + (
        f"; its last output:\n{printed}" if printed else " and printed nothing"
    )
