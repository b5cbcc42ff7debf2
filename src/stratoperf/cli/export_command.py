"""``stratoperf export``: a run in the format of another tool."""

from __future__ import annotations

from pathlib import Path

import click

# Spelled out, so that help comes at once; a test holds it against the formats.
FORMATS = ("csv", "markdown", "junit", "bmf", "openmetrics", "trace")


@click.command()
@click.argument("run", metavar="RUN", type=click.Path(path_type=Path))
@click.option(
    "--format",
    "format_",
    required=True,
    type=click.Choice(FORMATS),
    help="bmf is the Bencher Metric Format; trace is a timeline for Perfetto.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="The file to write. By default stdout.",
)
def export(run: Path, format_: str, output: Path | None) -> None:
    """Write RUN in the format of another tool.

    RUN is a run file, or the journal of an interrupted run.
    """
    from stratoperf.presentation.exports import FORMATS as WRITERS
    from stratoperf.presentation.terminal.screen import Screen
    from stratoperf.presentation.terminal.streams import results_stream
    from stratoperf.results import load
    from stratoperf.results.files import atomic_file, check_directory, check_no_run

    if output is not None:
        check_no_run(output, "--output")
        check_directory(output.absolute().parent, "--output")
    text = WRITERS[format_](load(run))
    if output is None:
        stream = results_stream()
        stream.write(text)
        stream.flush()
        return
    with atomic_file(output) as file:
        file.write(text.encode())
    Screen.stderr().line(f"saved: {output}")
