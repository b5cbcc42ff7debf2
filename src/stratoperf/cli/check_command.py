"""``stratoperf check``: the gate."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stratoperf.analysis.defaults import INCONCLUSIVE
from stratoperf.cli.comparison_options import ComparisonOptions, comparison_options
from stratoperf.cli.exits import ExitCode, interrupted
from stratoperf.cli.likely_mistakes import check_stored_side
from stratoperf.cli.options import RESULTS
from stratoperf.commands import command_text
from stratoperf.errors import InvalidParameter
from stratoperf.results.names import LATEST

if TYPE_CHECKING:
    from stratoperf.analysis.gate import Decision, Policy

BASELINE = RESULTS / "baseline.json"
CURRENT = RESULTS / LATEST


@click.command(
    # Behind \b stands what is not wrapped.
    epilog="""\b
Exit codes:
  0    passed
  1    a regression, a failure on the current side, or an unwritable report
  2    wrong usage or unreadable input
  3    a prerequisite is missing
  4    inconclusive, with --inconclusive fail
  130  interrupted

A failure on the baseline alone leaves that result inconclusive; if failures leave nothing to
compare, the code is 1.

\b
Examples:
  stratoperf check --baseline main.json --threshold 10
  stratoperf check --live 'sort old.txt' 'sort new.txt'
  stratoperf check --live --baseline-env a/bin/python --current-env b/bin/python 'kv.*'
"""
)
@click.option(
    "--baseline",
    multiple=True,
    type=click.Path(path_type=Path),
    help=f"Stored: run file, or folder of run files; repeatable.  [default: {BASELINE}]",
)
@click.option(
    "--current",
    multiple=True,
    type=click.Path(path_type=Path),
    help=f"Stored: run file, or folder of run files; repeatable.  [default: {CURRENT}]",
)
@click.option(
    "--inconclusive",
    type=click.Choice(["pass", "fail"]),
    default=INCONCLUSIVE,
    show_default=True,
    help="Pass or fail when a result is inconclusive.",
)
@comparison_options
@click.argument("words", nargs=-1, metavar="[BASE_COMMAND CURRENT_COMMAND | SELECT...]")
def check(
    words: tuple[str, ...],
    baseline: tuple[Path, ...],
    current: tuple[Path, ...],
    inconclusive: Policy,
    options: ComparisonOptions,
) -> int:
    """Fail if the current side is slower: the gate for CI.

    The exit code is 1 when a result became slower by more than the threshold.

    With --live (recommended) both sides run now, in many short pairs of fresh processes: two
    commands, each in quotes, or benchmarks (SELECT) in two environments or with two sets of
    parameters. Without --live it compares run files, and needs several runs on each side for a
    conclusive verdict.
    """
    from stratoperf.analysis.gate import decide
    from stratoperf.cli.comparison_output import check_places, publish
    from stratoperf.cli.comparison_run import live, stored
    from stratoperf.presentation.terminal.screen import Screen

    _check_words(words, [*baseline, *current], live=options.live)
    check_places(options.reports)
    late = None
    if options.live:
        comparison, late = live(
            words, options.sides, options.judging, options.measuring, Screen.stderr()
        )
    else:
        sides = _stored_sides(baseline, current)
        comparison = stored(*sides, options.judging, options.history)
    decision = decide(comparison, inconclusive)
    code = _code(decision) if late is None else ExitCode.FAILED
    publish(comparison, decision, code, options.reports, is_gate=True)
    if late is not None:
        raise late
    return code


def _check_words(words: Sequence[str], stored: Sequence[Path], *, live: bool) -> None:
    if live and stored:
        raise click.UsageError(
            "--baseline and --current are for stored runs; with --live give two commands, or "
            "--baseline-env PYTHON --current-env PYTHON and benchmarks"
        )
    if len(words) == 2 and not live and all(Path(word).exists() for word in words):
        baseline, current = map(shlex.quote, words)
        raise click.UsageError(
            f"{words[0]!r}: give run files with options; write --baseline {baseline} "
            f"--current {current}"
        )
    if words and not live:
        raise click.UsageError(
            f"{words[0]!r}: commands and benchmarks are for --live; add it, or give run files with "
            "--baseline and --current"
        )


def _stored_sides(
    baseline: tuple[Path, ...], current: tuple[Path, ...]
) -> tuple[tuple[Path, ...], tuple[Path, ...]]:
    """Return the run files of both sides, which exist."""
    sides = (baseline or (BASELINE,), current or (CURRENT,))
    for path in sides[0]:
        check_stored_side("baseline", path)
        if not path.exists():
            raise InvalidParameter(
                f"baseline: {path} does not exist; measure the code to compare with: "
                f"{_making(path)}"
            )
    for path in sides[1]:
        check_stored_side("current", path)
        if not path.exists():
            raise InvalidParameter(
                f"current: {path} does not exist; measure the code to check: {_making(path)}"
            )
    return sides


def _making(path: Path) -> str:
    """Return the command that makes a run file of that name."""
    folder = path.parent
    # In the same folder: samples may lie in a file beside the run file.
    made = folder / LATEST
    where: list[str | Path] = [] if folder == RESULTS else ["--output", folder]
    measure = command_text("stratoperf", "run", "--ci", *where)
    copy = command_text("cp", made, path)
    if made == path:
        return measure
    return copy if made.exists() else f"{measure} && {copy}"


def _code(decision: Decision) -> ExitCode:
    if decision.outcome == "interrupted":
        return interrupted()
    if decision.passes:
        return ExitCode.FINE
    return ExitCode.FAILED if decision.outcome == "failed" else ExitCode.INCONCLUSIVE
