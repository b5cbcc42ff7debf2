"""``stratoperf import``: results of other tools as a run file."""

from __future__ import annotations

from pathlib import Path

import click


@click.command("import")
@click.argument(
    "files", nargs=-1, required=True, metavar="FILE...", type=click.Path(path_type=Path)
)
@click.option(
    "--output",
    required=True,
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="RUN.json",
    help="The run file to write.",
)
@click.option(
    "--baseline",
    metavar="NAME",
    help="Which saved baseline of a Criterion folder to read. By default the latest measurement.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout.")
def import_files(
    files: tuple[Path, ...], output: Path, baseline: str | None, as_json: bool
) -> None:
    """Turn the results of other benchmark tools into a run file.

    FILE is the JSON of Google Benchmark, pytest-benchmark, hyperfine, pyperf, nvbench, asv or
    Gungraun, or the folder target/criterion. A benchmark that is in several files has the
    processes of all of them.
    """
    from stratoperf.importing import import_results
    from stratoperf.presentation.terminal.results_view import show_results
    from stratoperf.presentation.terminal.screen import Screen, print_json

    run = import_results(files, baseline=baseline)
    saved = run.save(output)
    lost = {
        f"{source['name']} ({source['tool']})": source["lost"]
        for source in run.document["imported"]["files"]
    }
    if as_json:
        print_json({"path": str(saved), "results": len(run.results), "lost": lost})
        return
    screen = Screen.stdout()
    show_results(screen, run)
    for source, things in lost.items():
        for thing in things:
            screen.paragraph(f"{source}: not imported: {thing}", "dim")
    screen.line()
    screen.line(f"saved: {saved}")
