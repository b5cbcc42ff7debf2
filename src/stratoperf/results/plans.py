"""What a run was to measure, as its file keeps it, and how an interrupted run goes on."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from stratoperf.commands import command_text
from stratoperf.errors import InvalidParameter, StratoperfError
from stratoperf.results.journal import Journal
from stratoperf.results.names import HEADER
from stratoperf.results.run import Run
from stratoperf.results.validation import convert


@dataclasses.dataclass(frozen=True)
class Request:
    """What was asked of a run; kept in the run file, so that an interrupted run can go on.

    The fields are the parameters of `stratoperf.run`, `select` as names.
    """

    select: tuple[str, ...] | None = None
    preset: str = "standard"
    backend: str = "auto"
    params: Mapping[str, tuple[bool | int | float | str, ...]] = dataclasses.field(
        default_factory=dict
    )
    iterations: int | None = None
    duration_s: float | None = None
    warmup_s: float | None = None
    profile: bool = False
    processes: int | None = None


class StoredPlan(msgspec.Struct, frozen=True):
    """What a run file says about what was to be measured."""

    request: Request
    keys: list[str]
    seed: int = 0


def stored_plan(document: Mapping[str, Any], source: Path) -> StoredPlan:
    """Return what an interrupted run was to measure.

    Parameters
    ----------
    document
        Document of the run.
    source
        Its file, for messages.

    Raises
    ------
    InvalidParameter
        When it does not say.
    SchemaError
        When it cannot be understood.
    """
    if "plan" not in document:
        raise InvalidParameter(f"resume: {source} does not hold its plan; start a new run")
    return convert(document["plan"], StoredPlan, "plan")


def resume_command(path: Path) -> str:
    """Return the command that goes on with an interrupted run."""
    return command_text("stratoperf", "run", "--resume", path)


def resume_advice(place: Path) -> str:
    """Return in words what can be done with the journal of a run that has no run file."""
    try:
        with Journal.open(place) as journal:
            document = Run(journal.document, place / HEADER).document
            if "live" in document:
                return (
                    "the live comparison did not end, and cannot go on; stratoperf.load reads what "
                    "it measured"
                )
            stored_plan(document, place)
    except StratoperfError as error:
        return str(error).removeprefix("resume: ").removeprefix(f"{place}: ")
    return f"the run did not end; {resume_command(place)} measures the rest"
