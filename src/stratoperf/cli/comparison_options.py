"""The options that ``compare`` and ``check`` share."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from stratoperf.cli.likely_mistakes import run_folder, threshold
from stratoperf.cli.options import percentage, positive_duration

STORED_ONLY = ("history",)
LIVE_ONLY = (
    "baseline_env",
    "current_env",
    "params",
    "baseline_params",
    "current_params",
    "modules",
    "shell",
    "input",
    "setup",
    "prepare",
    "cleanup",
    "backend",
    "duration",
    "timeout",
    "seed",
    "output",
)
ENVIRONMENTS_ONLY = ("params", "modules", "backend")
"""Of the options for live comparisons those that mean nothing with two commands."""

COMMANDS_ONLY = ("shell", "input", "setup", "prepare", "cleanup")
"""Those that mean nothing with benchmarks."""

NAMES = {
    "params": "--param",
    "baseline_params": "--baseline-param",
    "current_params": "--current-param",
    "modules": "--module",
    "statistics": "--statistic",
}
"""Options whose name is not that of the argument."""


@dataclasses.dataclass(frozen=True)
class ComparisonOptions:
    """How to compare and what to write, as given: ``None``, ``()`` or False where nothing was said.

    Percentages and times are fractions and seconds already.
    """

    live: bool
    baseline_env: str | None
    current_env: str | None
    params: tuple[str, ...]
    baseline_params: tuple[str, ...]
    current_params: tuple[str, ...]
    modules: tuple[str, ...]
    shell: bool
    input: Path | None
    setup: str | None
    prepare: str | None
    cleanup: str | None
    backend: str | None
    duration: float | None
    timeout: float | None
    seed: int | None
    output: Path | None
    history: tuple[Path, ...]
    threshold: float | None
    thresholds: Path | None
    statistics: tuple[str, ...]
    confidence: float | None
    markdown: Path | None
    junit: Path | None
    annotations: bool
    as_json: bool

    def given(self, names: tuple[str, ...]) -> list[str]:
        """Return which of these options were given, as one writes them."""
        return [option(name) for name in names if getattr(self, name) not in (None, (), False)]


def option(name: str) -> str:
    """Return an option as one writes it."""
    return NAMES.get(name, f"--{name.replace('_', '-')}")


def comparison_options(command: Callable[..., int]) -> Callable[..., int]:
    """Give a command the options of `ComparisonOptions`, which it receives as ``options``."""
    fields = [field.name for field in dataclasses.fields(ComparisonOptions)]

    @functools.wraps(command)
    def wrapped(**arguments: Any) -> int:
        own = {name: value for name, value in arguments.items() if name not in fields}
        options = ComparisonOptions(**{name: arguments[name] for name in fields})
        return command(**own, options=options)

    for decorate in reversed(_DECORATORS):
        wrapped = decorate(wrapped)
    return wrapped


_FILE = click.Path(path_type=Path, dir_okay=False, writable=True)

_DECORATORS: list[Callable[[Callable[..., int]], Callable[..., int]]] = [
    click.option("--live", is_flag=True, help="Run both sides now, in pairs of fresh processes."),
    click.option(
        "--threshold",
        callback=threshold,
        metavar="PERCENT",
        help="Smallest slow-down that matters.  [default: 5]",
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
        help="p50, p95, p99, p999, mean or throughput; repeatable unless live.  [default: p50]",
    ),
    click.option(
        "--confidence",
        callback=percentage(99.99, above=50),
        metavar="PERCENT",
        help="Confidence of all intervals together.  [default: 99]",
    ),
    click.option(
        "--history",
        multiple=True,
        type=click.Path(path_type=Path, exists=True),
        metavar="DIR",
        help="Stored: earlier runs; their scatter bounds how far the machine drifts.",
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
        help="Live, two commands: run each line through /bin/sh and show what that costs.",
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
        help="Live, two commands: run once through /bin/sh at the end, also after a failure or "
        "Ctrl-C.",
    ),
    click.option(
        "--backend",
        metavar="auto|cpu|cuda",
        help="Live: backends to measure.  [default: auto, all]",
    ),
    click.option(
        "--duration",
        callback=positive_duration,
        metavar="TIME",
        help="Live: time budget of each benchmark or pair of commands, with trial runs and set-up. "
        "When it ends, running processes are stopped.  [default: 60s]",
    ),
    click.option(
        "--timeout",
        callback=positive_duration,
        metavar="TIME",
        help="Live: time limit of a process, and of --setup and --cleanup.  "
        "[default: 10m, or ten budgets if longer]",
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
        help="Live: folder for the run file with all samples.  [default: results/]",
    ),
    click.option("--markdown", type=_FILE, metavar="FILE", help="Write a summary in Markdown."),
    click.option("--junit", type=_FILE, metavar="FILE", help="Write JUnit XML."),
    click.option(
        "--annotations",
        is_flag=True,
        help="Print annotations for GitHub Actions; there, check does so by default.",
    ),
    click.option("--json", "as_json", is_flag=True, help="Print JSON on stdout."),
]
