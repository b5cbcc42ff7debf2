"""The commands. Each imports what it needs when it is called, so that help comes at once."""

from __future__ import annotations

from typing import Any

import click

from stratoperf.cli.check_command import check
from stratoperf.cli.claims_command import claims
from stratoperf.cli.compare_command import compare
from stratoperf.cli.doctor_command import doctor
from stratoperf.cli.export_command import export
from stratoperf.cli.history_command import history
from stratoperf.cli.import_command import import_files
from stratoperf.cli.list_command import list_benchmarks
from stratoperf.cli.packages import further_commands
from stratoperf.cli.report_command import report
from stratoperf.cli.run_command import run
from stratoperf.errors import did_you_mean
from stratoperf.presentation.terminal.streams import with_private_results


class _Commands(click.Group):
    """A group that knows the commands of packages, and suggests the nearest for a misspelled one.

    The help lists those of the instrument: it imports no package.
    """

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command with this name, including those of packages."""
        return super().get_command(ctx, cmd_name) or further_commands(self).get(cmd_name)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command, or suggest the nearest name."""
        if args and not args[0].startswith("-") and self.get_command(ctx, args[0]) is None:
            hint = did_you_mean(args[0], {*self.list_commands(ctx), *further_commands(self)})
            raise click.UsageError(f"unknown command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)


def _version(context: click.Context, parameter: click.Parameter, value: Any) -> None:
    del parameter
    if value and not context.resilient_parsing:
        from stratoperf import __version__

        click.echo(f"stratoperf {__version__}")
        context.exit()


@click.group(
    cls=_Commands,
    context_settings={"help_option_names": ["-h", "--help"]},
    # Behind \b stands what is not wrapped.
    epilog="""\b
Exit codes:
  0    success
  1    a benchmark failed, became slower or missed its target
  2    wrong usage
  3    a prerequisite is missing
  4    a check is inconclusive
  130  interrupted

STRATOSWARM_BENCH_DEBUG=1 logs details. Packages may add commands; see 'stratoperf list'.
""",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_version,
    help="Show the version and exit.",
)
def application() -> None:
    """Benchmark code, compare two versions, and check performance claims.

    A first look: stratoperf run consensus.round --quick
    """


for command in (
    run,
    list_benchmarks,
    doctor,
    claims,
    compare,
    check,
    history,
    report,
    import_files,
    export,
):
    if command.callback is not None:
        command.callback = with_private_results(command.callback)
    application.add_command(command)
