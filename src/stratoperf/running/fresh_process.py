"""Measure one case in one fresh process."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import hashlib
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from stratoperf.artifacts.shelf import Handed, Shelf
from stratoperf.errors import SchemaError, StratoperfError
from stratoperf.results.parts import check_part
from stratoperf.results.validation import read_result
from stratoperf.running.cases import Case
from stratoperf.running.origin import MAIN, Origin, place_of
from stratoperf.running.pickled_work import Pickled
from stratoperf.running.workers.answers import Loaded, Measured, Piece
from stratoperf.running.workers.children import entered
from stratoperf.running.workers.client import WorkerFailed, WorkerProcess
from stratoperf.running.workers.protocol import LONGEST_PIECE

PATIENCE_S = 600.0
"""Seconds that a process may last, or ten times what was planned if that is more."""


INTERRUPTED_S = 2.0
"""Seconds that an interrupted process has for handing over the samples that it took until then."""


class CannotLoad(StratoperfError):
    """A fresh process cannot load the benchmark; the message says why, and how to fix it."""


class Taken(NamedTuple):
    """The answer of a process about a case.

    Attributes
    ----------
    tree
        As for a run file.
    is_set_up
        Whether the set-up had ended.
    has_built
        Whether the set-up built an artifact.
    interrupt
        What interrupted the waiting for it, where something did.
    building_s
        Seconds of a process before it that built an artifact and did not measure.
    """

    tree: dict[str, Any]
    is_set_up: bool
    has_built: bool = False
    interrupt: KeyboardInterrupt | None = None
    building_s: float = 0.0


def measured_afresh(
    case: Case,
    number: int,
    system: str,
    *,
    shelf: Shelf,
    profile: bool = False,
    pickled: Pickled | None = None,
) -> Taken:
    """Measure a case in a fresh process; what builds an artifact in its set-up goes before it.

    Parameters
    ----------
    case
        What to measure; its benchmark has an origin, unless it is made of what was pickled.
    number
        Number of the process among those of the case.
    system
        Identity of the machine, for the series.
    shelf
        What the processes share.
    profile
        Whether a profile is taken after the measurement.
    pickled
        What the process makes the benchmark of, instead of importing its declaration.

    Raises
    ------
    CannotLoad
        When a fresh process cannot have the benchmark.
    WorkerFailed
        When the process died, hung, or did not follow the protocol.
    """
    name = case.benchmark.name
    measure = functools.partial(_measured, case, number, system, profile, pickled)
    if name in shelf.unstable:
        return measure(shelf.handed(again=True))
    begin = time.monotonic()
    taken = measure(shelf.handed(again=False))
    if not taken.has_built or taken.interrupt is not None:
        return taken
    building_s = time.monotonic() - begin
    taken = measure(shelf.handed(again=True))
    if taken.has_built:
        shelf.unstable.add(name)
    return taken._replace(building_s=building_s)


def _measured(
    case: Case,
    number: int,
    system: str,
    profile: bool,
    pickled: Pickled | None,
    handed: Handed,
) -> Taken:
    """Measure in one process."""
    benchmark = case.benchmark
    timeout_s = max(PATIENCE_S, 10 * case.process_seconds)
    start = functools.partial(
        WorkerProcess,
        f"process {number}",
        sys.executable,
        {},
        timeout_s,
        remedy="let its set-up or an iteration do less",
        options=_options(),
        path=_path(),
        handed=handed,
    )
    with contextlib.ExitStack() as stack:
        try:
            worker = entered(stack, start)
            if pickled is None:
                assert benchmark.origin is not None
                worker.ask(
                    "load",
                    origin=list(benchmark.origin),
                    arguments=sys.argv,
                    benchmark=benchmark.name,
                    version=benchmark.version,
                    place=place_of(benchmark.function),
                )
            else:
                worker.ask(
                    "pickled",
                    origin=None if pickled.main is None else list(pickled.main),
                    arguments=sys.argv,
                    benchmark=benchmark.name,
                    pickled=pickled.work,
                )
            worker.answer("loaded", Loaded)
        except WorkerFailed as failure:
            if failure.cause == "killed":
                raise
            raise CannotLoad(str(failure)) from failure
        except StratoperfError as error:
            # It cannot be started, or it finds another stratoperf or none.
            raise CannotLoad(str(error)) from error
        worker.ask(
            "measure",
            benchmark=benchmark.name,
            backend=case.backend,
            params=dict(case.params),
            sampling=dataclasses.asdict(case.share),
            profile=profile,
            system=system,
            process=worker.process,
        )
        try:
            return _answered(worker, case)
        except KeyboardInterrupt as interrupt:
            worker.interrupt(INTERRUPTED_S)
            try:
                return _answered(worker, case)._replace(interrupt=interrupt)
            except StratoperfError:
                raise interrupt from None


def _answered(worker: WorkerProcess, case: Case) -> Taken:
    """Wait for the answer of a process, and check it."""
    measured = worker.answer("measured", Measured)
    series = [
        {
            **series,
            "columns": {
                name: _column(worker, index, name, length)
                for name, length in lengths.columns.items()
            },
        }
        for index, (series, lengths) in enumerate(
            zip(measured.result.get("series", []), measured.series, strict=True)
        )
    ]
    tree = {**measured.result, "series": series}
    try:
        result = read_result(tree, case.key, None)
        if result.status == "ok":
            check_part(tree, case.key)
    except SchemaError as error:
        raise worker.garbled(str(error), "measured") from None
    if (printed := worker.printed) is not None:
        tree["notes"] = [*tree.get("notes", []), printed]
    if result.key != case.key:
        raise worker.garbled(f"the key {result.key} where {case.key} was asked for", "measured")
    return Taken(
        {**_with_remark(tree, case), "source": _source(case.benchmark.origin)},
        measured.is_set_up,
        measured.has_built,
    )


def _source(origin: Origin | None) -> str | None:
    """Return the SHA-256 of the file that declares a benchmark."""
    try:
        return (
            None if origin is None else hashlib.sha256(Path(origin.file).read_bytes()).hexdigest()
        )
    # It was deleted since it was imported.
    except OSError:
        return None


def _with_remark(tree: dict[str, Any], case: Case) -> dict[str, Any]:
    """Say of a script what a fresh process does not run of it."""
    origin = case.benchmark.origin
    if origin is None or case.benchmark.function.__module__ != MAIN:
        return tree
    remark = (
        f"measured in fresh processes, which import {Path(origin.file).name} without what stands "
        "under if __name__ == '__main__'"
    )
    if tree["status"] == "failed":
        return {**tree, "reason": f"{tree['reason']}; {remark}"}
    return {**tree, "notes": [*tree["notes"], remark]}


def _column(worker: WorkerProcess, series: int, name: str, length: int) -> NDArray[np.float64]:
    """Fetch a column."""
    pieces = []
    for start in range(0, length, LONGEST_PIECE):
        stop = min(start + LONGEST_PIECE, length)
        worker.ask("column", series=series, name=name, start=start, stop=stop)
        piece = np.frombuffer(worker.answer("column", Piece).values, dtype="<f8")
        if len(piece) != stop - start:
            raise worker.garbled(
                f"{len(piece)} numbers of {name!r} from {start} of {length}", "column"
            )
        pieces.append(piece.astype(np.float64))
    return np.concatenate(pieces) if pieces else np.empty(0)


def _path() -> list[str]:
    """Return the module search path of this process, absolute."""
    try:
        here = Path.cwd()
    except OSError:
        # It was deleted: what is relative to it finds nothing.
        return [entry for entry in sys.path if Path(entry).is_absolute()]
    return [str(here / entry) for entry in sys.path]


def _options() -> list[str]:
    """Return the options of this interpreter that change how code runs."""
    optimized = ["-" + "O" * sys.flags.optimize] if sys.flags.optimize else []
    given = [
        f"{name}" if value is True else f"{name}={value}" for name, value in sys._xoptions.items()
    ]
    return [*optimized, *(word for option in given for word in ("-X", option))]
