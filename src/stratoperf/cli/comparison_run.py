"""From the words and options of a command to a comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from stratoperf.analysis.defaults import THRESHOLD, TIMEOUT_S
from stratoperf.cli.comparison_options import CommandSides, EnvironmentSides, Judging, Measuring
from stratoperf.cli.likely_mistakes import (
    check_modules,
    check_program,
    check_thresholds_file,
    threshold_warning,
)
from stratoperf.cli.options import parse_params
from stratoperf.errors import Interrupted, InvalidParameter, StratoperfError

if TYPE_CHECKING:
    from stratoperf.analysis.comparison import Comparison
    from stratoperf.analysis.thresholds import Thresholds
    from stratoperf.presentation.terminal.screen import Screen
    from stratoperf.running.live import Command, Environment

_SHOWN = 5


def stored(
    baseline: Sequence[Path],
    current: Sequence[Path],
    judging: Judging,
    history: tuple[Path, ...],
) -> Comparison:
    """Compare run files and directories."""
    from stratoperf.analysis.stored import compare

    limits = _thresholds(judging)
    comparison = compare(
        baseline[0] if len(baseline) == 1 else baseline,
        current[0] if len(current) == 1 else current,
        limits.default or THRESHOLD,
        thresholds=limits.benchmarks,
        statistics=judging.statistics,
        confidence=judging.confidence,
        history=history or None,
    )
    compared = {metric.benchmark for metric in comparison.metrics}
    listed = {diff.key.partition("[")[0] for diff in comparison.differences if diff.key}
    _check_names(limits, compared | listed)
    if not comparison.metrics and not comparison.failures:
        from stratoperf.presentation.comparison_words import difference_text

        details = [difference_text(item) for item in comparison.differences[:_SHOWN]]
        raise InvalidParameter(
            f"baseline, current: {comparison.baseline} and {comparison.current} have nothing to "
            f"compare; {'; '.join(details) or 'they have no results'}"
        )
    return comparison


def live(
    words: Sequence[str],
    sides: CommandSides | EnvironmentSides,
    judging: Judging,
    measuring: Measuring,
    screen: Screen,
) -> tuple[Comparison, StratoperfError | None]:
    """Compare two commands, or benchmarks in two environments, that run now.

    Returns
    -------
    tuple
        The comparison, and the error to raise after it is shown.
    """
    from stratoperf.analysis.comparison import Comparison
    from stratoperf.presentation.terminal.live_progress import LiveProgress
    from stratoperf.running.live import compare_live
    from stratoperf.running.live.command_runs import CleanupFailed
    from stratoperf.running.live.pair_source import SideFailed

    baseline: Command | Environment
    current: Command | Environment
    select = None
    if isinstance(sides, EnvironmentSides):
        baseline, current = _environments(sides)
        select = list(words) or None
    else:
        baseline, current = _commands(words, sides, is_built=measuring.setup is None)
    limits = _thresholds(judging)
    _check_live_names(limits, baseline, current, measuring.backend, measuring.timeout or TIMEOUT_S)
    progress = LiveProgress(screen, _beside(measuring))
    try:
        comparison = compare_live(
            baseline,
            current,
            select,
            backend=measuring.backend,
            threshold=limits.default or THRESHOLD,
            thresholds=limits.benchmarks,
            statistic=judging.statistics[0],
            confidence=judging.confidence,
            duration_s=measuring.duration,
            timeout_s=measuring.timeout,
            seed=measuring.seed,
            output=measuring.output,
            listener=progress,
            setup=measuring.setup,
            prepare=measuring.prepare,
            cleanup=measuring.cleanup,
        )
    except (Interrupted, SideFailed, CleanupFailed) as error:
        if not isinstance(error.comparison, Comparison):
            raise
        return error.comparison, error if isinstance(error, CleanupFailed) else None
    finally:
        progress.close()
    return comparison, None


def _beside(measuring: Measuring) -> str:
    """Return how long the commands beside the budgets may take, in words for the plan."""
    from stratoperf.running.live.settings import default_timeout_s
    from stratoperf.text.units import duration

    lines = {"--setup": measuring.setup, "--cleanup": measuring.cleanup}
    names = [name for name, line in lines.items() if line is not None]
    if not names:
        return ""
    limit_s = measuring.timeout or default_timeout_s(measuring.duration)
    each = " each" if len(names) > 1 else ""
    return f"; plus {' and '.join(names)}, at most {duration(limit_s)}{each}"


def _commands(
    words: Sequence[str], sides: CommandSides, *, is_built: bool
) -> tuple[Command, Command]:
    if len(words) != 2:
        raise click.UsageError(
            f"--live: expected two commands, each in quotes, got {len(words)}; or give "
            "--baseline-env PYTHON --current-env PYTHON and benchmarks"
        )
    return (
        _command("baseline", words[0], sides, is_built=is_built),
        _command("current", words[1], sides, is_built=is_built),
    )


def _command(side: str, text: str, sides: CommandSides, *, is_built: bool) -> Command:
    from stratoperf.running.live import Command

    given = None if sides.input is None else str(sides.input)
    try:
        command = Command.parse(text, shell=sides.shell, input=given)
    except InvalidParameter as error:
        raise click.UsageError(f"{side}: {error}") from None
    # The set-up may still build the program.
    if is_built and not sides.shell:
        check_program(side, text, command.argv)
    return command


def _environments(sides: EnvironmentSides) -> tuple[Environment, Environment]:
    from stratoperf.running.live import Environment

    if (sides.baseline_env is None) != (sides.current_env is None):
        raise click.UsageError(
            "--baseline-env and --current-env belong together; give both, or neither to compare "
            "parameters in this environment"
        )
    check_modules(sides.modules)

    def environment(python: str | None, option: str, own: tuple[str, ...]) -> Environment:
        params = {**parse_params(sides.params), **parse_params(own, option)}
        plain = {key: values[0] if len(values) == 1 else values for key, values in params.items()}
        chosen = {} if python is None else {"python": _interpreter(python)}
        return Environment(params=plain, modules=sides.modules, **chosen)

    return (
        environment(sides.baseline_env, "--baseline-param", sides.baseline_params),
        environment(sides.current_env, "--current-param", sides.current_params),
    )


def _interpreter(python: str) -> str:
    """Return the interpreter of a virtual environment, where that is what was given."""
    inside = Path(python) / "bin" / "python"
    return str(inside) if inside.exists() else python


def _thresholds(judging: Judging) -> Thresholds:
    """Return the thresholds to judge by, and warn of one that looks like a fraction.

    The default of the file gives way to the threshold that was typed.
    """
    from stratoperf.analysis.thresholds import Thresholds, load_thresholds
    from stratoperf.presentation.terminal.screen import Screen

    if judging.thresholds is not None:
        check_thresholds_file(judging.thresholds)
    limits = Thresholds() if judging.thresholds is None else load_thresholds(judging.thresholds)
    named = {"--threshold": judging.threshold, f"{limits.source}: default =": limits.default}
    named |= {f"{limits.source}: {name!r} =": value for name, value in limits.benchmarks.items()}
    for name, value in named.items():
        warning = None if value is None else threshold_warning(name, value)
        if warning is not None:
            Screen.stderr().paragraph(f"warning: {warning}", "yellow")
    return msgspec.structs.replace(limits, default=judging.threshold or limits.default)


def _check_names(limits: Thresholds, names: set[str]) -> None:
    """Make sure that a file of thresholds names benchmarks of the sides or of the suite."""
    if limits.unknown(names):
        limits.check(names | _names_here())


def _names_here() -> set[str]:
    from stratoperf.running.registry import REGISTRY

    return {benchmark.name for benchmark in REGISTRY.all()}


def _check_live_names(
    limits: Thresholds,
    baseline: Command | Environment,
    current: Command | Environment,
    backend: str,
    timeout_s: float,
) -> None:
    """Check the names before any time is spent; ask the environments only when it is needed."""
    from stratoperf.running.live import Environment

    if not limits.benchmarks:
        return
    known = _names_here()
    if not isinstance(baseline, Environment) or not isinstance(current, Environment):
        known.add("command")
    elif limits.unknown(known):
        known |= _names_in(baseline, current, backend, timeout_s)
    limits.check(known)


def _names_in(
    baseline: Environment, current: Environment, backend: str, timeout_s: float
) -> set[str]:
    """Return all benchmarks that two environments know, also what was not selected."""
    from stratoperf.running.live import Environment
    from stratoperf.running.live.cases import environment_cases

    agenda = environment_cases(
        {
            "baseline": Environment(python=baseline.python, modules=baseline.modules),
            "current": Environment(python=current.python, modules=current.modules),
        },
        None,
        backend,
        timeout_s,
    )
    listed = {diff.key.partition("[")[0] for diff in agenda.differences if diff.key}
    return {case.benchmark for case in agenda.cases} | listed
