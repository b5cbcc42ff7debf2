"""``stratoperf history``: the trend of each benchmark over many stored runs."""

from __future__ import annotations

from pathlib import Path

import click

from stratoperf.cli.options import percentage

# Spelled out, so that help comes at once; a test holds it against the analysis.
STATISTICS = ("p50", "p95", "p99", "p999", "mean", "throughput")


@click.command()
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.argument("select", nargs=-1, metavar="[SELECT]...")
@click.option(
    "--statistic",
    type=click.Choice(STATISTICS),
    default="p50",
    show_default=True,
    help="Statistic of the primary metric, or the throughput.",
)
@click.option("--since", metavar="DATE", help="Ignore earlier runs: 2026-11-03, or with a time.")
@click.option(
    "--threshold",
    callback=percentage(1000),
    default="2",
    show_default=True,
    metavar="PERCENT",
    help="Smallest change of level to report.",
)
@click.option(
    "--figure",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Draw the trends into a .png, .svg or .pdf.",
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
    """Show the trend of each benchmark over the run files in DIR, and where its level changed.

    SELECT names benchmarks, patterns such as 'consensus.*', categories or keys; without it, all
    are shown. Runs of different machines are never mixed. Change points need the extra 'history',
    the figure needs the extra 'plot'.
    """
    from stratoperf.analysis.history import history as history_of
    from stratoperf.cli.history_view import show_history
    from stratoperf.cli.screen import Screen, print_json
    from stratoperf.report.history_figure import check_figure_path, save_history

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
