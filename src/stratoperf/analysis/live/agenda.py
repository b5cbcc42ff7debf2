"""From two sides to the cases that both can run."""

from __future__ import annotations

from collections.abc import Mapping

from stratoperf.analysis.comparison import Side
from stratoperf.analysis.live.cases import Agenda, command_case, environment_cases
from stratoperf.analysis.live.settings import Settings
from stratoperf.analysis.live.sides import Command, Environment
from stratoperf.errors import InvalidParameter
from stratoperf.suite.declaration import Benchmark
from stratoperf.suite.planner import Selection


def make_agenda(
    sides: Mapping[Side, Command | Environment], select: Selection, settings: Settings
) -> Agenda:
    """Return what two sides have to compare.

    Parameters
    ----------
    sides
        Two commands or two environments.
    select
        As for `stratoperf.run`; only with environments.
    settings
        Of the comparison.

    Raises
    ------
    InvalidParameter
        For two sides of different kinds, or when they have nothing to compare.
    PrerequisiteMissing
        When an environment has no stratoperf.
    """
    commands = {side: one for side, one in sides.items() if isinstance(one, Command)}
    environments = {side: one for side, one in sides.items() if isinstance(one, Environment)}
    if len(commands) == 2:
        if select is not None:
            raise InvalidParameter(
                "select: two commands have no benchmarks to select from; leave it out"
            )
        return command_case(commands)
    if len(environments) != 2:
        raise InvalidParameter(
            "baseline, current: expected two commands or two environments, got "
            f"{type(sides['baseline']).__name__} and {type(sides['current']).__name__}"
        )
    return environment_cases(environments, _words(select), settings.backend, settings.timeout_s)


def _words(select: Selection) -> list[str] | None:
    if select is None:
        return None
    words = [select] if isinstance(select, str | Benchmark) else list(select)
    return [word if isinstance(word, str) else word.name for word in words] or None
