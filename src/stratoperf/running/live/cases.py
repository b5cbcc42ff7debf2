"""The cases that are compared: those that both sides know when they are asked."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from stratoperf.analysis.comparison import Difference, Side
from stratoperf.errors import InvalidParameter
from stratoperf.running.keys import case_key
from stratoperf.running.live.pair_source import SIDES
from stratoperf.running.live.sides import Command, Environment
from stratoperf.running.trees import Identity
from stratoperf.running.values import Value, values_of
from stratoperf.running.workers.answers import KnownCase, Planned
from stratoperf.running.workers.children import entered
from stratoperf.running.workers.client import WorkerFailed, WorkerProcess
from stratoperf.running.workers.guard import guarded


class LiveCase(Identity, frozen=True, kw_only=True):
    """What both sides measure under one key.

    Where the sides have different parameters, the key shows both, and they are among the parameters
    as ``baseline.NAME`` and ``current.NAME``.

    Attributes
    ----------
    arguments
        The parameters of each side; empty for commands.
    """

    arguments: Mapping[Side, Mapping[str, Value]] = {}


class Agenda(msgspec.Struct, frozen=True, kw_only=True):
    """All that is compared, and what is not.

    Attributes
    ----------
    seconds
        Total time that the budgets allow, once they are known.
    """

    cases: tuple[LiveCase, ...]
    seconds: float = 0.0
    differences: tuple[Difference, ...] = ()
    warnings: tuple[str, ...] = ()


def command_case(commands: Mapping[Side, Command]) -> Agenda:
    """Return the one case that two commands make."""
    params: dict[str, Value] = {side: commands[side].label for side in SIDES}
    case = LiveCase(
        key=case_key("command", params, "process"),
        benchmark="command",
        version=1,
        category="command",
        backend="process",
        params=params,
    )
    return Agenda(cases=(case,))


def environment_cases(
    environments: Mapping[Side, Environment],
    select: Sequence[str] | None,
    backend: str,
    timeout_s: float,
) -> Agenda:
    """Ask both sides for their cases, and match them.

    Raises
    ------
    InvalidParameter
        When nothing can be compared.
    """
    known: dict[Side, Planned] = {}
    versions: dict[Side, str] = {}
    with guarded():
        for side in SIDES:
            known[side], versions[side] = _ask(side, environments[side], select, backend, timeout_s)
    for word, reason in known["baseline"].unknown.items():
        if word in known["current"].unknown:
            raise InvalidParameter(reason)
    differing = _differing(environments)
    groups = {side: _grouped(side, known[side].cases, differing) for side in SIDES}
    cases: list[LiveCase] = []
    differences: list[Difference] = []
    for identity in {**groups["baseline"], **groups["current"]}:
        pair = {side: groups[side].get(identity) for side in SIDES}
        joined = _joined(pair["baseline"], pair["current"], differing)
        if isinstance(joined, LiveCase):
            cases.append(joined)
        else:
            differences.append(joined)
    if not cases:
        raise InvalidParameter(
            "select: the sides have nothing to compare; " + _reasons(known, differences)
        )
    warnings = _warnings(known, versions)
    return Agenda(cases=tuple(cases), differences=tuple(differences), warnings=tuple(warnings))


def _ask(
    side: Side,
    environment: Environment,
    select: Sequence[str] | None,
    backend: str,
    timeout_s: float,
) -> tuple[Planned, str]:
    """Return what a side knows, and its version of stratoperf."""
    with contextlib.ExitStack() as stack:
        worker = entered(stack, lambda: WorkerProcess(side, environment.python, {}, timeout_s))
        worker.ask(
            "plan",
            modules=list(environment.modules),
            select=None if select is None else list(select),
            backend=backend,
            params=_plain(environment.params),
        )
        try:
            return worker.answer("planned", Planned), worker.version
        except WorkerFailed as failure:
            raise InvalidParameter(f"{side} ({environment.python}): {failure}") from failure


def _plain(params: Mapping[str, Any]) -> dict[str, Any]:
    return {name: list(values_of(name, values)) for name, values in params.items()}


def _differing(environments: Mapping[Side, Environment]) -> set[str]:
    """Return the parameters to which the sides give different values."""
    chosen = {side: _plain(environments[side].params) for side in SIDES}
    names = {*chosen["baseline"], *chosen["current"]}
    return {name for name in names if chosen["baseline"].get(name) != chosen["current"].get(name)}


def _grouped(side: Side, cases: Sequence[KnownCase], differing: set[str]) -> dict[str, KnownCase]:
    """Return the cases by what they have in common with the other side."""
    groups: dict[str, KnownCase] = {}
    for case in cases:
        common = {name: value for name, value in case.params.items() if name not in differing}
        identity = case_key(case.benchmark, common, case.backend)
        if identity in groups:
            names = ", ".join(sorted(differing))
            raise InvalidParameter(
                f"params: {side} has several cases for {identity}, so it is not clear which one "
                f"to compare; give {names} one value on each side"
            )
        groups[identity] = case
    return groups


def _joined(
    baseline: KnownCase | None, current: KnownCase | None, differing: set[str]
) -> LiveCase | Difference:
    if baseline is None or current is None:
        return _only_in("current", current) if baseline is None else _only_in("baseline", baseline)
    if baseline.skip_reason or current.skip_reason:
        return Difference(
            what="status",
            key=current.key,
            baseline=_status(baseline),
            current=_status(current),
        )
    if baseline.version != current.version:
        return Difference(
            what="benchmark version",
            key=current.key,
            baseline=str(baseline.version),
            current=str(current.version),
        )
    if baseline.params == current.params:
        params = dict(current.params)
    else:
        params = {name: value for name, value in current.params.items() if name not in differing}
        for side, case in (("baseline", baseline), ("current", current)):
            for name in sorted(differing & set(case.params)):
                params[f"{side}.{name}"] = case.params[name]
    return LiveCase(
        key=case_key(current.benchmark, params, current.backend),
        benchmark=current.benchmark,
        version=current.version,
        category=current.category,
        backend=current.backend,
        params=params,
        arguments={"baseline": baseline.params, "current": current.params},
    )


def _only_in(side: Side, case: KnownCase | None) -> Difference:
    key = None if case is None else case.key
    one_sided = Difference(what=f"only in {side}", key=key)
    return msgspec.structs.replace(one_sided, **{side: key})


def _status(case: KnownCase) -> str:
    return f"skipped: {case.skip_reason}" if case.skip_reason else "ok"


def _reasons(known: Mapping[Side, Planned], differences: Sequence[Difference]) -> str:
    reasons = [f"{side}: {why}" for side in SIDES for why in known[side].unknown.values()]
    reasons += [
        f"{difference.key}: {difference.what}"
        + (
            f" ({difference.baseline} and {difference.current})"
            if difference.baseline and difference.current
            else ""
        )
        for difference in differences
    ]
    return "; ".join(reasons[:5]) or "no benchmark is known"


def _warnings(known: Mapping[Side, Planned], versions: Mapping[Side, str]) -> list[str]:
    warnings = dict.fromkeys(note for side in SIDES for note in known[side].warnings)
    if versions["baseline"] != versions["current"]:
        warnings[
            "the sides measure with different versions of stratoperf "
            f"({versions['baseline']} and {versions['current']}): a part of a difference may be "
            "the instrument's"
        ] = None
    return list(warnings)
