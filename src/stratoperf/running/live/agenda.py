"""From two sides to the cases that both can run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import msgspec

from stratoperf.analysis.comparison import Side
from stratoperf.errors import InvalidParameter
from stratoperf.running.declaration import Benchmark
from stratoperf.running.live.cases import Agenda, command_case, environment_cases
from stratoperf.running.live.settings import ASIDE, Settings
from stratoperf.running.live.sides import Command, Environment, open_input
from stratoperf.running.planner import Selection


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
        Settings of the comparison.

    Raises
    ------
    InvalidParameter
        For two sides of different kinds, or when they have nothing to compare.
    PrerequisiteMissing
        When an environment has no stratoperf.
    """
    commands = {side: given for side, given in sides.items() if isinstance(given, Command)}
    environments = {side: given for side, given in sides.items() if isinstance(given, Environment)}
    if len(commands) == 2:
        if select is not None:
            raise InvalidParameter(
                "select: two commands have no benchmarks to select from; leave it out"
            )
        _check_inputs(commands, settings)
        return _completed(command_case(commands), sides, settings)
    if len(environments) != 2:
        raise InvalidParameter(
            "baseline, current: expected two commands or two environments, got "
            f"{type(sides['baseline']).__name__} and {type(sides['current']).__name__}"
        )
    for name in ASIDE:
        if getattr(settings, name) is not None:
            raise InvalidParameter(
                f"{name}: is for two commands; a benchmark does that before and after its yield"
            )
    agenda = environment_cases(environments, _words(select), settings.backend, settings.timeout_s)
    return _completed(agenda, sides, settings)


def _completed(
    agenda: Agenda, sides: Mapping[Side, Command | Environment], settings: Settings
) -> Agenda:
    """Return an agenda with its budget, which says so where both sides are the same."""
    agenda = msgspec.structs.replace(agenda, seconds=len(agenda.cases) * settings.duration_s)
    if sides["baseline"] != sides["current"]:
        return agenda
    same = (
        f"baseline and current are the same ({sides['baseline'].label}): any difference is "
        "noise; correct one of them if that is not what you meant"
    )
    return msgspec.structs.replace(agenda, warnings=(same, *agenda.warnings))


def _check_inputs(commands: Mapping[Side, Command], settings: Settings) -> None:
    """Check that the input files of the commands exist, unless the set-up may create them."""
    for command in commands.values():
        if command.input is not None and (settings.setup is None or Path(command.input).exists()):
            open_input(command.input).close()


def _words(select: Selection) -> list[str] | None:
    if select is None:
        return None
    words = [select] if isinstance(select, str | Benchmark) else list(select)
    return [word if isinstance(word, str) else word.name for word in words] or None
