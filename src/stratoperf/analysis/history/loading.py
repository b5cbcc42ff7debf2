"""The runs of a history: whatever can be read, and the reason for whatever cannot."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from stratoperf import arguments
from stratoperf.analysis.history.model import LeftOut
from stratoperf.analysis.stored.sides import Stored, is_live
from stratoperf.analysis.stored.sources import is_folder, load_folder
from stratoperf.errors import InvalidParameter
from stratoperf.paths import user_path
from stratoperf.results import Run, load
from stratoperf.results.moments import moment_of
from stratoperf.results.names import JOURNAL_SUFFIX
from stratoperf.results.plans import resume_advice

_LIVE = "a live comparison: its two sides ran in turn, so it is not a run of one version"


class DatedRun(NamedTuple):
    """A run and when it was taken, which sorts it among the others."""

    moment: datetime
    run: Run


class Loaded(NamedTuple):
    """The runs in the order taken, and what is left out."""

    runs: list[DatedRun]
    left_out: list[LeftOut]


def load_runs(stored: Stored, since: datetime | None) -> Loaded:
    """Load the runs of a history, each once.

    Parameters
    ----------
    stored
        Runs, run files or directories of run files, also mixed.
    since
        Earlier runs are ignored.

    Raises
    ------
    SchemaError
        When a file that was named cannot be read, or no file of a directory can.
    InvalidParameter
        When there is no run for another reason.
    """
    left_out: list[LeftOut] = []
    runs: dict[str, DatedRun] = {}
    earlier = 0
    for run in _sources(stored, left_out):
        moment = moment_of(run.created)
        if is_live(run):
            left_out.append(LeftOut(_name(run), _LIVE))
        elif since is not None and moment < since:
            earlier += 1
        else:
            runs.setdefault(run.id, DatedRun(moment, run))
    if not runs:
        _complain(stored, left_out, earlier)
    return Loaded(sorted(runs.values(), key=_order), left_out)


def source_name(stored: Stored, runs: int) -> str:
    """Return in words where the runs come from."""
    if isinstance(stored, str | os.PathLike):
        return str(stored)
    return f"{runs} runs"


def _sources(stored: Stored, left_out: list[LeftOut]) -> Iterator[Run]:
    if isinstance(stored, Run):
        yield stored
    elif isinstance(stored, str | os.PathLike):
        yield from _from_path(user_path("stored", stored), left_out)
    elif isinstance(stored, Iterable) and not isinstance(stored, bytes):
        for item in stored:
            yield from _sources(item, left_out)
    else:
        raise InvalidParameter(
            f"stored: expected runs, run files or a directory, got {arguments.shown(stored)}"
        )


def _from_path(path: Path, left_out: list[LeftOut]) -> Iterator[Run]:
    if not is_folder(path):
        with contextlib.suppress(OSError):
            _check_is_there(path)
        yield load(path)
        return
    runs, unreadable = load_folder(path, "history")
    left_out += [LeftOut(str(file), why) for file, why in unreadable]
    yield from runs
    for journal in sorted(path.glob(f"*{JOURNAL_SUFFIX}")):
        if not journal.with_suffix(".json").exists():
            left_out.append(LeftOut(str(journal), resume_advice(journal)))


def _check_is_there(path: Path) -> None:
    try:
        path.stat()
    except FileNotFoundError:
        raise InvalidParameter(
            f"history: {path} does not exist; give a directory of run files, such as results/"
        ) from None


def _order(dated: DatedRun) -> tuple[datetime, int]:
    """Sort by date, and runs of one second by the clock of the machine."""
    started = (
        series.started_ns
        for result in dated.run.results
        for series in result.series
        if series.started_ns is not None
    )
    return dated.moment, min(started, default=0)


def _name(run: Run) -> str:
    return str(run.path) if run.path is not None else f"run {run.id}"


def _complain(stored: Stored, left_out: list[LeftOut], earlier: int) -> None:
    """Raise the error for a history without runs."""
    where = f"in {stored}" if isinstance(stored, str | os.PathLike) else "among the given ones"
    if earlier:
        raise InvalidParameter(
            f"since: all {earlier} runs {where} are earlier; give an earlier moment"
        )
    if left_out:
        raise InvalidParameter(
            f"history: no run can be used {where}; left out: {left_out[0].what}, {left_out[0].why}"
        )
    raise InvalidParameter(f"history: there is no run file {where}; stratoperf run writes one")
