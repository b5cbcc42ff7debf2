"""``stratoperf compare``: two sides beside each other, with verdicts."""

from __future__ import annotations

from pathlib import Path

import click

from stratoperf.cli.comparison_options import ComparisonOptions, comparison_options
from stratoperf.cli.exits import ExitCode, interrupted
from stratoperf.cli.likely_mistakes import check_stored_side


@click.command(
    # Behind \b stands what is not wrapped.
    epilog="""\b
Examples:
  stratoperf compare before.json after.json
  stratoperf compare --live 'sort old.txt' 'sort new.txt'
  stratoperf compare --live --baseline-env a/bin/python --current-env b/bin/python 'kv.*'
"""
)
@comparison_options
@click.argument("sides", nargs=-1, metavar="[BASELINE CURRENT | SELECT...]")
def compare(sides: tuple[str, ...], options: ComparisonOptions) -> int:
    """Compare two sides result by result, and judge each.

    Stored: BASELINE and CURRENT are run files, or folders of run files. More runs on each side give
    more certain verdicts. Live comparisons in a folder beside other runs are ignored.

    Live: with --live both sides run now, in many short pairs of fresh processes, which is far more
    certain. BASELINE and CURRENT are two commands, each in quotes, timed as whole processes; or
    SELECT names benchmarks to run in two environments or with two sets of parameters.

    The verdict is slower, faster or same when the whole interval of current / baseline says so,
    else inconclusive. The exit code does not depend on the verdict; stratoperf check is the gate.
    """
    from stratoperf.analysis.gate import decide, is_compared
    from stratoperf.cli.comparison_output import check_places, publish
    from stratoperf.cli.comparison_run import live, stored
    from stratoperf.presentation.terminal.screen import Screen

    if not options.live:
        if len(sides) != 2:
            raise click.UsageError(
                f"expected two run files or two folders of run files, got {len(sides)}; "
                "or add --live to run them now"
            )
        for name, side in zip(("BASELINE", "CURRENT"), sides, strict=True):
            check_stored_side(name, Path(side))
    check_places(options.reports)
    late = None
    if options.live:
        comparison, late = live(
            sides, options.sides, options.judging, options.measuring, Screen.stderr()
        )
    else:
        runs = [Path(sides[0])], [Path(sides[1])]
        comparison = stored(*runs, options.judging, options.history)
    # Where the budget ended before the first pair nothing failed either.
    is_judged = is_compared(comparison) or (comparison.metrics and not comparison.failures)
    code = ExitCode.FINE if is_judged and late is None else ExitCode.FAILED
    if comparison.interrupted:
        code = interrupted()
    publish(comparison, decide(comparison), code, options.reports, is_gate=False)
    if late is not None:
        raise late
    return code
