"""``stratoperf report``: a page of HTML about one or several runs."""

from __future__ import annotations

from pathlib import Path

import click

from stratoperf.cli.options import RESULTS
from stratoperf.results.names import LATEST

DEFAULT = Path("performance_report.html")


@click.command()
@click.argument("inputs", nargs=-1, metavar="[INPUT...]", type=click.Path(path_type=Path))
@click.option(
    "--input",
    "folder",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A folder of run files, besides those that are named.",
)
@click.option(
    "--baseline",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Compare the newest run with this run file, or with a folder of them.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    default=DEFAULT,
    show_default=True,
    metavar="FILE",
    help="The page to write.",
)
@click.option(
    "--split",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Write styles and script to this folder, for servers that forbid them within a page.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def report(
    inputs: tuple[Path, ...],
    folder: Path | None,
    baseline: Path | None,
    output: Path,
    split: Path | None,
    as_json: bool,
) -> None:
    """Write a report of runs: one page of HTML that opens without a network.

    INPUT is a run file, the journal of an interrupted run, or a folder of run files; by default
    results/latest.json. Of several runs the newest result of each case is shown, with its history.
    """
    from stratoperf.errors import InvalidParameter
    from stratoperf.presentation.report.writing import write_report
    from stratoperf.presentation.terminal.screen import Screen, print_json

    sources = [*inputs, *([folder] if folder else [])]
    if not sources:
        sources = [RESULTS / LATEST]
        if not sources[0].exists():
            raise InvalidParameter(
                f"input: {sources[0]} does not exist; name a run file, or measure first: "
                "stratoperf run consensus.round --quick"
            )
    written = write_report(sources, output, baseline, split, ("--output", "--split"))
    subject = written.subject
    if as_json:
        print_json(
            {
                "path": str(written.path),
                "assets": [str(path) for path in written.assets],
                "bytes": written.path.stat().st_size,
                "runs": [run.id for run in subject.runs],
                "results": len(subject.cases),
                "left_out": [{"what": entry.what, "why": entry.why} for entry in subject.left_out],
            }
        )
        return
    screen = Screen.stderr()
    for entry in subject.left_out:
        screen.line(f"left out: {entry.what}: {entry.why}")
    for path in (*written.assets, written.path):
        screen.line(f"saved: {path}")
