"""``stratoperf run``: measure, show, save."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from stratoperf.cli.exits import ExitCode
from stratoperf.cli.likely_mistakes import run_folder
from stratoperf.cli.options import RESULTS, any_duration, parse_params, positive_duration
from stratoperf.cli.packages import CommandWithCategories
from stratoperf.commands import LOAD_MODULES, command_text
from stratoperf.running.categories import DEFAULT_CATEGORY

if TYPE_CHECKING:
    from stratoperf.presentation.terminal.screen import Screen
    from stratoperf.results import Run

PRESETS = {"quick": "quick", "full": "standard", "ci": "ci"}


@click.command(
    cls=CommandWithCategories,
    # Behind \b stands what is not wrapped.
    epilog="""\b
Examples:
  stratoperf run consensus.round --quick --param votes=1000,10000
  stratoperf run 'consensus.*' --duration 60s --output results/
""",
)
@click.argument("select", nargs=-1, metavar="[SELECT]...")
@click.option(
    f"--{DEFAULT_CATEGORY}",
    "category",
    flag_value=DEFAULT_CATEGORY,
    help="Select the benchmarks that need only one machine.",
)
@click.option("--all", "category", flag_value="all", help="Select all benchmarks (the default).")
@click.option("--quick", is_flag=True, help="Measure briefly, for a first look.")
@click.option("--full", is_flag=True, help="Measure in full, with 10 s of warm-up (the default).")
@click.option("--ci", is_flag=True, help="Measure as briefly as possible, for CI.")
@click.option(
    "--backend",
    default="auto",
    metavar="auto|cpu|cuda",
    help="Backends to measure.  [default: auto, all]",
)
@click.option(
    "--iterations", type=click.IntRange(min=1), metavar="N", help="Minimum number of iterations."
)
@click.option(
    "--duration",
    callback=positive_duration,
    metavar="TIME",
    help="Sampling time of each case; the last iteration runs to its end.",
)
@click.option(
    "--processes",
    type=int,
    metavar="N",
    help="Number of fresh processes for each case.  [default: as many as its precision needs]",
)
@click.option("--warmup", callback=any_duration, metavar="TIME", help="Warm-up time of each case.")
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="K=V[,V]",
    help="Measure only these values of a parameter; repeatable.",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    callback=run_folder,
    help="Folder for the run file.  [default: results/]",
)
@click.option(
    "--profile", is_flag=True, help="Show where the time goes; adds a second to each case."
)
@click.option("--enforce-targets", is_flag=True, help="Exit with 1 if a target is missed.")
@click.option(
    "--load-modules",
    is_flag=True,
    help="Let benchmarks load and unload kernel modules, as root; they restore the former state.",
)
@click.option(
    "--resume",
    type=click.Path(path_type=Path),
    metavar="RUN",
    help="Continue an interrupted run; give its .json or .journal.",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print the run as JSON on stdout, without its samples."
)
def run(
    select: tuple[str, ...],
    category: str | None,
    quick: bool,
    full: bool,
    ci: bool,
    backend: str,
    iterations: int | None,
    duration: float | None,
    processes: int | None,
    warmup: float | None,
    params: tuple[str, ...],
    output: Path | None,
    profile: bool,
    enforce_targets: bool,
    load_modules: bool,
    resume: Path | None,
    as_json: bool,
) -> int:
    """Measure benchmarks and save the results.

    SELECT names benchmarks, patterns such as 'consensus.*', or categories; the default is all.
    Write times as 500ms, 60s, 5m or 1h.
    """
    flags = [name for name, on in (("quick", quick), ("full", full), ("ci", ci)) if on]
    if len(flags) > 1:
        raise click.UsageError(f"--{flags[0]} and --{flags[1]} exclude each other; give one")
    if category == "all" and select:
        raise click.UsageError(f"--all and {select[0]!r} exclude each other; give one")
    words = [*select, *([category] if category not in (None, "all") else [])]
    chosen = parse_params(params)

    if load_modules:
        os.environ[LOAD_MODULES] = "1"

    from stratoperf.errors import Interrupted
    from stratoperf.presentation.terminal.run_progress import RunProgress
    from stratoperf.presentation.terminal.screen import Screen
    from stratoperf.presentation.terminal.streams import OutputLost
    from stratoperf.results import Run
    from stratoperf.running import run as measure_all

    remarks = Screen.stderr()
    progress = RunProgress(remarks)
    # A resumed run stays beside its own file, and refuses another folder.
    folder = output if output is not None or resume is not None else RESULTS
    code = ExitCode.FINE
    try:
        outcome = measure_all(
            words or None,
            preset=PRESETS[flags[0]] if flags else "standard",
            backend=backend,
            params=chosen or None,
            iterations=iterations,
            duration_s=duration,
            warmup_s=warmup,
            processes=processes,
            output=folder,
            resume=resume,
            profile=profile,
            listener=progress,
        )
    except Interrupted as error:
        if not isinstance(error.run, Run):
            raise
        outcome, code = error.run, ExitCode.INTERRUPTED
    finally:
        progress.close()
    screen = remarks if as_json else Screen.stdout()
    try:
        _report(screen, outcome, progress.path, interrupted=code == ExitCode.INTERRUPTED)
    except (KeyboardInterrupt, BrokenPipeError, OutputLost):
        if progress.path is not None:
            remarks.line(f"saved: {progress.path}")
        raise
    if as_json:
        _print_document(outcome, progress.path)
    return code or _verdict(outcome, enforce_targets)


def _report(screen: Screen, outcome: Run, path: Path | None, *, interrupted: bool) -> None:
    from stratoperf.presentation.terminal.claims_view import show_measured_claims
    from stratoperf.presentation.terminal.profile_view import show_profiles
    from stratoperf.presentation.terminal.results_view import show_results
    from stratoperf.results.plans import resume_command
    from stratoperf.running import claims

    show_results(screen, outcome)
    show_profiles(screen, outcome)
    show_measured_claims(screen, claims(outcome))
    screen.line()
    if path is None:
        return
    if interrupted:
        screen.line("interrupted: the results so far are kept", "yellow")
    screen.line(f"saved: {path}")
    if interrupted:
        _advise(screen, resume_command(path), "measures the rest")
    elif all(result.status == "skipped" for result in outcome.results):
        _advise(screen, "stratoperf doctor", "what is missing, and how to fix it")
    else:
        command = command_text("stratoperf", "claims", path)
        _advise(screen, command, "all claims beside these results")


def _advise(screen: Screen, command: str, effect: str) -> None:
    """Print what to do next, and what that does if it fits on the line."""
    line = f"next:  {command}"
    full = f"{line}  # {effect}"
    screen.line(full if not screen.fancy or len(full) <= screen.width else line)


def _print_document(outcome: Run, path: Path | None) -> None:
    from stratoperf.presentation.terminal.claims_view import claim_rows
    from stratoperf.presentation.terminal.screen import print_json
    from stratoperf.running import claims

    document = _without_samples(outcome)
    document["path"] = None if path is None else str(path)
    document["claims"] = claim_rows(claims(outcome))
    print_json(document)


def _without_samples(outcome: Run) -> dict[str, Any]:
    """Return the run file's tree; the samples stay in the file, they would flood a pipe."""
    from stratoperf.presentation.variation_words import usual_speed, variation_words
    from stratoperf.results.storage import finite

    usual = usual_speed(outcome.results)
    document: dict[str, Any] = dict(outcome.document)
    document["results"] = [
        {
            **tree,
            "series": [{**series, "columns": {}} for series in tree.get("series", [])],
            # The words of the table.
            "remarks": variation_words(result, usual),
        }
        for tree, result in zip(document["results"], outcome.results, strict=True)
    ]
    plain: dict[str, Any] = finite(document)
    return plain


def _verdict(outcome: Run, enforce_targets: bool) -> ExitCode:
    """Return 1 for a failed benchmark, or a missed target where targets are enforced."""
    from stratoperf.presentation.terminal.cells import verdict_of

    if any(result.status == "failed" for result in outcome.results):
        return ExitCode.FAILED
    if enforce_targets and any(verdict_of(result) == "missed" for result in outcome.results):
        return ExitCode.FAILED
    return ExitCode.FINE
