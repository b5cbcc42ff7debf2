"""From the words and options of a command to a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from stratoperf.cli.comparison_options import (
    COMMANDS_ONLY,
    ENVIRONMENTS_ONLY,
    LIVE_ONLY,
    STORED_ONLY,
    ComparisonOptions,
    option,
)
from stratoperf.cli.likely_mistakes import (
    check_modules,
    check_program,
    check_thresholds_file,
    threshold_warning,
)
from stratoperf.cli.options import RESULTS, parse_params
from stratoperf.errors import Interrupted, InvalidParameter, StratoperfError

if TYPE_CHECKING:
    from stratoperf.analysis.comparison import Comparison
    from stratoperf.analysis.thresholds import Thresholds
    from stratoperf.presentation.terminal.screen import Screen
    from stratoperf.running.live import Command, Environment

DEFAULT_THRESHOLD = 0.05
DEFAULT_CONFIDENCE = 0.99
DEFAULT_DURATION_S = 60.0
PLANNING_TIMEOUT_S = 600.0
_SHOWN = 5
_SIDES = ("baseline_env", "current_env", "baseline_params", "current_params")
"""Options that make the sides environments."""


def check_mode(options: ComparisonOptions) -> None:
    """Raise a usage error for options of the other mode."""
    wrong = options.given(STORED_ONLY if options.live else LIVE_ONLY)
    if wrong and options.live:
        raise click.UsageError(f"{wrong[0]} is for stored runs; leave it out, or --live")
    if wrong:
        raise click.UsageError(f"{wrong[0]} is for live comparisons; add --live, or leave it out")
    if options.live and len(options.statistics) > 1:
        raise click.UsageError(
            "--statistic: a live comparison is judged by one, which its budget is spent on; give "
            f"one of {', '.join(options.statistics)}"
        )


def stored(
    baseline: Sequence[Path], current: Sequence[Path], options: ComparisonOptions
) -> Comparison:
    """Compare run files and directories."""
    from stratoperf.analysis.stored import compare

    limits = _thresholds(options)
    comparison = compare(
        baseline[0] if len(baseline) == 1 else baseline,
        current[0] if len(current) == 1 else current,
        _threshold(options, limits),
        thresholds=limits.benchmarks,
        statistics=options.statistics or ("p50",),
        confidence=options.confidence or DEFAULT_CONFIDENCE,
        history=options.history or None,
    )
    compared = {metric.benchmark for metric in comparison.metrics}
    listed = {one.key.partition("[")[0] for one in comparison.differences if one.key}
    _check_names(limits, compared | listed)
    if not comparison.metrics and not comparison.failures:
        from stratoperf.presentation.comparison_words import difference_text

        told = [difference_text(one) for one in comparison.differences[:_SHOWN]]
        raise InvalidParameter(
            f"baseline, current: {comparison.baseline} and {comparison.current} have nothing to "
            f"compare; {'; '.join(told) or 'they have no results'}"
        )
    return comparison


def live(
    words: Sequence[str], options: ComparisonOptions, screen: Screen
) -> tuple[Comparison, StratoperfError | None]:
    """Compare two commands, or benchmarks in two environments, that run now.

    Returns
    -------
    tuple
        The comparison, and what failed after it and is to be raised once it is shown.
    """
    from stratoperf.analysis.comparison import Comparison
    from stratoperf.presentation.terminal.live_progress import LiveProgress
    from stratoperf.running.live import compare_live
    from stratoperf.running.live.command_runs import CleanupFailed
    from stratoperf.running.live.pair_source import SideFailed

    sides = _sides(words, options)
    limits = _thresholds(options)
    select = list(words) or None if options.given(_SIDES) else None
    _check_live_names(limits, sides, options)
    progress = LiveProgress(screen, _beside(options))
    try:
        comparison = compare_live(
            sides[0],
            sides[1],
            select,
            backend=options.backend or "auto",
            threshold=_threshold(options, limits),
            thresholds=limits.benchmarks,
            statistic=options.statistics[0] if options.statistics else "p50",
            confidence=options.confidence or DEFAULT_CONFIDENCE,
            duration_s=options.duration or DEFAULT_DURATION_S,
            timeout_s=options.timeout,
            seed=options.seed,
            output=options.output or RESULTS,
            listener=progress,
            setup=options.setup,
            prepare=options.prepare,
            cleanup=options.cleanup,
        )
    except (Interrupted, SideFailed, CleanupFailed) as error:
        if not isinstance(error.comparison, Comparison):
            raise
        return error.comparison, error if isinstance(error, CleanupFailed) else None
    finally:
        progress.close()
    return comparison, None


def _beside(options: ComparisonOptions) -> str:
    """Return how long the commands beside the budgets may take, in words for the plan."""
    from stratoperf.running.live.settings import default_timeout_s
    from stratoperf.text.units import duration

    names = options.given(("setup", "cleanup"))
    if not names:
        return ""
    limit_s = options.timeout or default_timeout_s(options.duration or DEFAULT_DURATION_S)
    each = " each" if len(names) > 1 else ""
    return f"; beside that {' and '.join(names)}, at most {duration(limit_s)}{each}"


def _sides(
    words: Sequence[str], options: ComparisonOptions
) -> tuple[Command, Command] | tuple[Environment, Environment]:
    if options.given(_SIDES):
        wrong = options.given(COMMANDS_ONLY)
        if wrong:
            raise click.UsageError(
                f"{wrong[0]} is for two commands, and these are benchmarks; leave it out"
            )
        return _environments(options)
    wrong = options.given(ENVIRONMENTS_ONLY)
    if wrong:
        raise click.UsageError(
            f"{wrong[0]} is for benchmarks, whose sides differ in their environment or in a "
            "parameter; add --baseline-env PYTHON --current-env PYTHON, or --baseline-param K=V "
            "--current-param K=V"
        )
    if len(words) != 2:
        raise click.UsageError(
            f"--live: expected two commands, each in quotes, got {len(words)}; or give "
            "--baseline-env PYTHON --current-env PYTHON and benchmarks"
        )
    return _command("baseline", words[0], options), _command("current", words[1], options)


def _command(side: str, text: str, options: ComparisonOptions) -> Command:
    from stratoperf.running.live import Command

    given = None if options.input is None else str(options.input)
    try:
        command = Command.parse(text, shell=options.shell, input=given)
    except InvalidParameter as error:
        raise click.UsageError(f"{side}: {error}") from None
    # The set-up may still build the program.
    if options.setup is None and not options.shell:
        check_program(side, text, command.argv)
    return command


def _environments(options: ComparisonOptions) -> tuple[Environment, Environment]:
    from stratoperf.running.live import Environment

    given = [options.baseline_env is not None, options.current_env is not None]
    if any(given) and not all(given):
        raise click.UsageError(
            "--baseline-env and --current-env belong together; give both, or neither to compare "
            "parameters in this environment"
        )

    check_modules(options.modules)

    def environment(python: str | None, name: str, own: tuple[str, ...]) -> Environment:
        params = {**parse_params(options.params), **parse_params(own, option(name))}
        plain = {key: values[0] if len(values) == 1 else values for key, values in params.items()}
        chosen = {} if python is None else {"python": _interpreter(python)}
        return Environment(params=plain, modules=options.modules, **chosen)

    return (
        environment(options.baseline_env, "baseline_params", options.baseline_params),
        environment(options.current_env, "current_params", options.current_params),
    )


def _interpreter(python: str) -> str:
    """Return the interpreter of a virtual environment, where that is what was given."""
    inside = Path(python) / "bin" / "python"
    return str(inside) if inside.exists() else python


def _thresholds(options: ComparisonOptions) -> Thresholds:
    """Return the thresholds of the file that was given, and warn of what looks like a fraction."""
    from stratoperf.analysis.thresholds import Thresholds, load_thresholds
    from stratoperf.presentation.terminal.screen import Screen

    if options.thresholds is not None:
        check_thresholds_file(options.thresholds)
    limits = Thresholds() if options.thresholds is None else load_thresholds(options.thresholds)
    named = {"--threshold": options.threshold, f"{limits.source}: default =": limits.default}
    named |= {f"{limits.source}: {name!r} =": value for name, value in limits.benchmarks.items()}
    for name, value in named.items():
        warning = None if value is None else threshold_warning(name, value)
        if warning is not None:
            Screen.stderr().paragraph(f"warning: {warning}", "yellow")
    return limits


def _threshold(options: ComparisonOptions, limits: Thresholds) -> float:
    """Return the threshold of what has none of its own: what was typed comes first."""
    return options.threshold or limits.default or DEFAULT_THRESHOLD


def _check_names(limits: Thresholds, names: set[str]) -> None:
    """Make sure that a file of thresholds names benchmarks of the sides or of the suite."""
    if limits.unknown(names):
        limits.check(names | _names_here())


def _names_here() -> set[str]:
    from stratoperf.running.registry import REGISTRY

    return {benchmark.name for benchmark in REGISTRY.all()}


def _check_live_names(
    limits: Thresholds,
    sides: tuple[Command, Command] | tuple[Environment, Environment],
    options: ComparisonOptions,
) -> None:
    """Do so before the time is spent; environments are asked what they know only if need be."""
    from stratoperf.running.live import Environment

    if not limits.benchmarks:
        return
    known = _names_here()
    baseline, current = sides
    if not isinstance(baseline, Environment) or not isinstance(current, Environment):
        known.add("command")
    elif limits.unknown(known):
        known |= _names_in(baseline, current, options)
    limits.check(known)


def _names_in(baseline: Environment, current: Environment, options: ComparisonOptions) -> set[str]:
    """Return all benchmarks that two environments know, also what was not selected."""
    from stratoperf.running.live import Environment
    from stratoperf.running.live.cases import environment_cases

    agenda = environment_cases(
        {
            "baseline": Environment(python=baseline.python, modules=baseline.modules),
            "current": Environment(python=current.python, modules=current.modules),
        },
        None,
        options.backend or "auto",
        options.timeout or PLANNING_TIMEOUT_S,
    )
    listed = {one.key.partition("[")[0] for one in agenda.differences if one.key}
    return {case.benchmark for case in agenda.cases} | listed
