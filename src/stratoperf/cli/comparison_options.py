"""The options that ``compare`` and ``check`` share, checked and taken apart."""

from __future__ import annotations

import dataclasses
import functools
import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from stratoperf.analysis.defaults import CONFIDENCE, DURATION_S, STATISTIC, THRESHOLD, TIMEOUT_S
from stratoperf.cli.likely_mistakes import run_folder, threshold
from stratoperf.cli.options import RESULTS, percentage, positive_duration

_Group = TypeVar("_Group")


@dataclasses.dataclass(frozen=True)
class Judging:
    """What a comparison is judged by; fractions, not percentages.

    Attributes
    ----------
    threshold
        ``None`` leaves it to the file of thresholds, or else to the default.
    thresholds
        A file of thresholds by benchmark.
    statistics
        At least one.
    confidence
        Confidence of all intervals together.
    """

    threshold: float | None
    thresholds: Path | None
    statistics: tuple[str, ...]
    confidence: float


@dataclasses.dataclass(frozen=True)
class CommandSides:
    """How two commands run."""

    shell: bool
    input: Path | None


@dataclasses.dataclass(frozen=True)
class EnvironmentSides:
    """How the two environments of a live comparison of benchmarks differ."""

    baseline_env: str | None
    current_env: str | None
    params: tuple[str, ...]
    baseline_params: tuple[str, ...]
    current_params: tuple[str, ...]
    modules: tuple[str, ...]


@dataclasses.dataclass(frozen=True)
class Measuring:
    """How a live comparison measures; times in seconds."""

    backend: str
    duration: float
    timeout: float | None
    seed: int | None
    output: Path
    setup: str | None
    prepare: str | None
    cleanup: str | None


@dataclasses.dataclass(frozen=True)
class Reports:
    """What a comparison writes beside its text."""

    markdown: Path | None
    junit: Path | None
    annotations: bool
    as_json: bool


@dataclasses.dataclass(frozen=True)
class ComparisonOptions:
    """The options in groups: a command hands each group to the function that takes it.

    Attributes
    ----------
    judging, reports
        Options of every comparison.
    history
        Options of a stored comparison.
    sides, measuring
        Options of a live comparison.
    live
        Whether both sides run now.
    """

    judging: Judging
    reports: Reports
    history: tuple[Path, ...]
    sides: CommandSides | EnvironmentSides
    measuring: Measuring
    live: bool


_SHARED = {
    "live",
    "history",
    *(
        field.name
        for group in (Judging, Reports, CommandSides, EnvironmentSides, Measuring)
        for field in dataclasses.fields(group)
    ),
}

_SIDES = ("baseline_env", "current_env", "baseline_params", "current_params")
"""Options that make the sides environments."""

_ENVIRONMENTS_ONLY = ("params", "modules", "backend")
_COMMANDS_ONLY = ("shell", "input", "setup", "prepare", "cleanup")
_STORED_ONLY = ("history",)
_LIVE_ONLY = (
    *_SIDES,
    *_ENVIRONMENTS_ONLY,
    *_COMMANDS_ONLY,
    "duration",
    "timeout",
    "seed",
    "output",
)


def comparison_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command these options; it receives them as a `ComparisonOptions` ``options``.

    Raises
    ------
    click.UsageError
        For options that do not go together.
    """

    @functools.wraps(command)
    def wrapped(**values: Any) -> int:
        context = click.get_current_context()
        given = {
            option.name: option.opts[0]
            for option in context.command.params
            if option.name is not None
            and context.get_parameter_source(option.name) is not ParameterSource.DEFAULT
        }
        own = {name: value for name, value in values.items() if name not in _SHARED}
        return command(**own, options=_taken_apart(values, given))

    for decorate in reversed(_DECORATORS):
        wrapped = decorate(wrapped)
    return wrapped


def _taken_apart(values: dict[str, Any], given: dict[str, str]) -> ComparisonOptions:
    """Check that the given options go together, and put all of them into groups.

    Parameters
    ----------
    values
        By the names of arguments.
    given
        Those that were given, as one writes them.
    """

    def refuse(names: tuple[str, ...], why: str) -> None:
        for name in names:
            if name in given:
                raise click.UsageError(f"{given[name]} {why}")

    live, statistics = values["live"], values["statistics"]
    has_environments = not given.keys().isdisjoint(_SIDES)
    if not live:
        refuse(_LIVE_ONLY, "is for live comparisons; add --live, or leave it out")
    else:
        refuse(_STORED_ONLY, "is for stored runs; leave it out, or --live")
        if len(statistics) > 1:
            raise click.UsageError(
                "--statistic: a live comparison spends its budget on one statistic; give one of "
                f"{', '.join(statistics)}"
            )
        if has_environments:
            refuse(_COMMANDS_ONLY, "is for two commands; leave it out to compare benchmarks")
        else:
            refuse(
                _ENVIRONMENTS_ONLY,
                "is for benchmarks, whose sides differ in their environment or in a parameter; "
                "add --baseline-env PYTHON --current-env PYTHON, or --baseline-param K=V "
                "--current-param K=V",
            )
    return ComparisonOptions(
        judging=_group(Judging, values),
        reports=_group(Reports, values),
        history=values["history"],
        sides=(
            _group(EnvironmentSides, values) if has_environments else _group(CommandSides, values)
        ),
        measuring=_group(Measuring, values),
        live=live,
    )


def _group(kind: Callable[..., _Group], values: dict[str, Any]) -> _Group:
    return kind(**{name: values[name] for name in inspect.signature(kind).parameters})


_FILE = click.Path(path_type=Path, dir_okay=False, writable=True)

_DECORATORS: list[Callable[[Callable[..., int]], Callable[..., int]]] = [
    click.option("--live", is_flag=True, help="Run both sides now, in pairs of fresh processes."),
    click.option(
        "--threshold",
        callback=threshold,
        metavar="PERCENT",
        help=f"Smallest slow-down that matters.  [default: {100 * THRESHOLD:g}]",
    ),
    click.option(
        "--thresholds",
        type=click.Path(path_type=Path),
        metavar="FILE.toml",
        help='Thresholds by benchmark: default = 5, and below [benchmarks] "kv.*" = 10.',
    ),
    click.option(
        "--statistic",
        "statistics",
        multiple=True,
        metavar="NAME",
        default=[STATISTIC],
        show_default=True,
        help="p50, p95, p99, p999, mean or throughput; repeatable unless live.",
    ),
    click.option(
        "--confidence",
        callback=percentage(99.99, above=50),
        metavar="PERCENT",
        default=f"{100 * CONFIDENCE:g}",
        show_default=True,
        help="Confidence of all intervals together.",
    ),
    click.option(
        "--history",
        multiple=True,
        type=click.Path(path_type=Path, exists=True),
        metavar="DIR",
        help="Stored: earlier runs, which show how far this machine drifts.",
    ),
    click.option(
        "--baseline-env", metavar="PYTHON", help="Live: Python interpreter of the baseline."
    ),
    click.option(
        "--current-env", metavar="PYTHON", help="Live: Python interpreter of the current side."
    ),
    click.option(
        "--param",
        "params",
        multiple=True,
        metavar="K=V[,V]",
        help="Live: measure only these values, on both sides; repeatable.",
    ),
    click.option(
        "--baseline-param",
        "baseline_params",
        multiple=True,
        metavar="K=V",
        help="Live: parameter value for the baseline only; repeatable.",
    ),
    click.option(
        "--current-param",
        "current_params",
        multiple=True,
        metavar="K=V",
        help="Live: parameter value for the current side only; repeatable.",
    ),
    click.option(
        "--module",
        "modules",
        multiple=True,
        metavar="MODULE",
        help="Live: import this module or .py file with benchmarks on both sides; repeatable.",
    ),
    click.option(
        "--shell",
        is_flag=True,
        help="Live, two commands: run each command through /bin/sh, and show its cost.",
    ),
    click.option(
        "--input",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Live, two commands: standard input of each run.",
    ),
    click.option(
        "--setup",
        metavar="COMMAND",
        help="Live, two commands: run once through /bin/sh before everything, untimed.",
    ),
    click.option(
        "--prepare",
        metavar="COMMAND",
        help="Live, two commands: run through /bin/sh before each timed run, untimed.",
    ),
    click.option(
        "--cleanup",
        metavar="COMMAND",
        help="Live, two commands: run once through /bin/sh at the end, even after a failure or "
        "Ctrl-C.",
    ),
    click.option(
        "--backend",
        metavar="auto|cpu|cuda",
        default="auto",
        help="Live: backends to measure.  [default: auto, all]",
    ),
    click.option(
        "--duration",
        callback=positive_duration,
        metavar="TIME",
        default=f"{DURATION_S:g}s",
        show_default=True,
        help="Live: time budget of each benchmark or pair of commands, with trial runs and set-up. "
        "When it ends, running processes are stopped.",
    ),
    click.option(
        "--timeout",
        callback=positive_duration,
        metavar="TIME",
        help="Live: time limit of a process, and of --setup and --cleanup.  "
        f"[default: {TIMEOUT_S / 60:g}m, or ten budgets if longer]",
    ),
    click.option(
        "--seed",
        type=click.IntRange(min=0),
        metavar="N",
        help="Live: seed of the random order of the two sides.  [default: random]",
    ),
    click.option(
        "--output",
        type=click.Path(path_type=Path, file_okay=False),
        callback=run_folder,
        default=RESULTS,
        help="Live: folder for the run file with all samples.  [default: results/]",
    ),
    click.option("--markdown", type=_FILE, metavar="FILE", help="Write a summary in Markdown."),
    click.option("--junit", type=_FILE, metavar="FILE", help="Write JUnit XML."),
    click.option(
        "--annotations",
        is_flag=True,
        help="Print annotations for GitHub Actions; on GitHub, check does so by default.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout."),
]
