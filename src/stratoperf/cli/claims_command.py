"""``stratoperf claims``: the published claims beside a run."""

from __future__ import annotations

from pathlib import Path

import click

from stratoperf.cli.options import RESULTS
from stratoperf.results.names import LATEST


@click.command()
@click.argument("run", type=click.Path(path_type=Path), default=RESULTS / LATEST, metavar="[RUN]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def claims(run: Path, as_json: bool) -> None:
    """Show the published claims beside the results of RUN.

    RUN is a run file or the journal of an interrupted run; results/latest.json by default.
    """
    from stratoperf.errors import InvalidParameter
    from stratoperf.presentation.terminal.claims_view import claim_rows, show_claims
    from stratoperf.presentation.terminal.screen import Screen, print_json
    from stratoperf.results import load
    from stratoperf.running import all_claims

    if not run.exists():
        raise InvalidParameter(
            f"run: {run} does not exist; measure first: stratoperf run consensus.round --quick"
        )
    loaded = load(run)
    table = all_claims(loaded)
    if as_json:
        print_json({"run": loaded.id, "path": str(run), "claims": claim_rows(table)})
        return
    screen = Screen.stdout()
    show_claims(screen, table)
    screen.line()
    screen.line(f"run: {run} of {loaded.created}", "dim")
