"""``stratoperf history``: the trend of each benchmark over many stored runs."""

from __future__ import annotations

from pathlib import Path

import click

from stratoperf.analysis.defaults import LEAST_CHANGE, STATISTIC
from stratoperf.cli.options import percentage

# Spelled out, so that help comes at once; a test holds it against the analysis.
STATISTICS = ("p50", "p95", "p99", "p999", "mean", "throughput")


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("select", nargs=-1, metavar="[SELECT]...")
@click.option(
    "--statistic",
    type=click.Choice(STATISTICS),
    default=STATISTIC,
    show_default=True,
    help="Statistic of the primary metric, or the throughput.",
)
@click.option(
    "--since", metavar="DATE", help="Ignore runs before this date or time, such as 2026-11-03."
)
@click.option(
    "--threshold",
    callback=percentage(1000),
    default=f"{100 * LEAST_CHANGE:g}",
    show_default=True,
    metavar="PERCENT",
    help="Smallest change of level to report.",
)
@click.option(
    "--figure",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Save a figure of the trends as .png, .svg or .pdf.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def history(
    directory: Path,
    select: tuple[str, ...],
    statistic: str,
    since: str | None,
    threshold: float,
    figure: Path | None,
    as_json: bool,
) -> None:
    """Show the trend of each benchmark over the run files in DIR.

    The trends show where the level of a benchmark changed. Each machine has its own trends. SELECT
    names benchmarks, patterns such as 'consensus.*', categories or keys; the default is all of
    them. Change points need the extra 'history', the figure needs the extra 'plot'.
    """
    from stratoperf.analysis.history import history as history_of
    from stratoperf.presentation.figures import check_figure_path, save_history
    from stratoperf.presentation.terminal.history_view import show_history
    from stratoperf.presentation.terminal.screen import Screen, print_json

    if figure is not None:
        check_figure_path(figure)
    trends = history_of(
        directory,
        select or None,
        statistic=statistic,
        since=since,
        threshold=threshold,
    )
    if figure is not None:
        save_history(trends, figure)
    screen = Screen.stderr() if as_json else Screen.stdout()
    if as_json:
        show_history(screen, trends, remarks_only=True)
        print_json(trends.to_dict())
    else:
        show_history(screen, trends)
    if figure is not None:
        screen.line(f"figure: {figure}")
