"""`stratoperf.measure` in several fresh processes."""

from __future__ import annotations

import base64
import dataclasses
import inspect
import pickle
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from stratoperf import arguments, backends
from stratoperf.artifacts.shelf import Shelf
from stratoperf.errors import (
    Interrupted,
    InvalidParameter,
    PrerequisiteMissing,
    StratoperfError,
    VerificationFailed,
)
from stratoperf.failures import type_name
from stratoperf.measurement import MeasuredProcess, Measurement, Warmup
from stratoperf.operation import CAPSULE_NAME, Observed, Operation
from stratoperf.running.declaration import Benchmark, declare
from stratoperf.running.fresh_process import CannotLoad, Pickled, measured_afresh
from stratoperf.running.origin import MAIN, Origin
from stratoperf.running.planner import DECLARE, NOWHERE, Case, known_case
from stratoperf.running.presets import MOST_PROCESSES, Sampling
from stratoperf.running.workers.client import WorkerFailed
from stratoperf.running.workers.protocol import LONGEST_LINE
from stratoperf.running.workers.selection import refuse_in_import
from stratoperf.verification import Verification

_NAME = "measured"
"""Of the benchmark that a fresh process makes of what was pickled."""

_LARGEST_PICKLE = LONGEST_LINE * 3 // 4 - (1 << 20)
"""Bytes: in a message it takes a third more, and the arguments of this process stand beside it."""

_REMEDY = (
    "give a function that stands at the top level of a module, or one there that makes the "
    "operation and returns it, or leave processes out"
)


def measure_in_processes(
    work: Any, name: str | None, sampling: Sampling, processes: int
) -> Measurement:
    """Measure in fresh processes, one after the other.

    Parameters
    ----------
    work
        What fresh processes can import or unpickle, or a benchmark with one case.
    name
        Shown in reports.
    sampling
        Of all processes together.
    processes
        At least 2.

    Raises
    ------
    InvalidParameter
        For what a fresh process cannot have, with the remedy.
    Interrupted
        On Ctrl-C, with the samples of the processes that had ended.
    VerificationFailed, PrerequisiteMissing
        From a process.
    StratoperfError
        When a process died or hung, or the work raised something else.
    """
    arguments.whole_number("processes", processes, 1, MOST_PROCESSES)
    refuse_in_import("stratoperf.measure with processes")
    if isinstance(work, Benchmark):
        title, pickled, case = work.name, None, _only_case(work, sampling, processes)
    else:
        title = _title(work)
        pickled = _pickled(work, title, processes)
        case = known_case(benchmark_of(work, _NAME), "cpu", {}, sampling.shared(processes), False)
    # The spread is that of all processes as well.
    share = dataclasses.replace(
        case.share, batch=sampling.batch, spread_s=sampling.spread_s / processes
    )
    parts: list[_Part] = []
    try:
        with Shelf() as shelf:
            for number in range(1, processes + 1):
                case = dataclasses.replace(case, share=share)
                _take(parts, case, number, shelf, pickled, f"{name or title}, process {number}")
                # Batches of one size, so that the samples of all are of one kind.
                share = dataclasses.replace(share, batch=parts[-1].batch)
    except CannotLoad as problem:
        raise InvalidParameter(
            f"processes: a fresh process cannot have {title}: {problem}; or leave processes out"
        ) from problem
    except KeyboardInterrupt as interrupt:
        interrupted = Interrupted(
            f"{name or title}: interrupted after {len(parts)} of {processes} processes"
        )
        interrupted.measurement = _joined(name or title, parts) if parts else None
        raise interrupted from interrupt
    return _joined(name or title, parts)


def benchmark_of(work: Any, name: str) -> Benchmark:
    """Return a benchmark that measures what `measure` was given.

    Parameters
    ----------
    work
        What is measured. A function is called once for that: if it returns an operation, or
        yields one, this is measured, and else the function itself.
    name
        Of the benchmark.
    """

    def operation() -> Any:
        if isinstance(work, Operation) or not callable(work):
            return work
        made = work()
        is_operation = isinstance(made, Operation) or _is_capsule(made)
        return made if is_operation or inspect.isgenerator(made) else work

    return declare(
        operation,
        name,
        params={},
        backend_params={},
        version=1,
        backends=("cpu",),
        category="custom",
        target=None,
        items=None,
        item_unit=None,
        disk_bytes=0,
        setup_s=0.0,
        sustained_s=0.0,
        check=None,
    )


def _is_capsule(thing: Any) -> bool:
    return type(thing).__name__ == "PyCapsule" and CAPSULE_NAME in repr(thing)


def _only_case(benchmark: Benchmark, sampling: Sampling, processes: int) -> Case:
    """Return the case of a benchmark that has one, for one of the processes."""
    if benchmark.origin is None:
        raise InvalidParameter(
            f"processes: {benchmark.name} cannot run in {processes} fresh processes, since "
            f"{NOWHERE}; {DECLARE}, or leave processes out"
        )
    backend, params = only_case(benchmark)
    return known_case(benchmark, backend, params, sampling.shared(processes), False)


def only_case(benchmark: Benchmark) -> tuple[str, Mapping[str, Any]]:
    """Return backend and parameters of a benchmark that has one case.

    Raises
    ------
    InvalidParameter
        When it has another number of cases.
    """
    backend = backends.resolve("auto", benchmark.measured_backends)
    cases = list(benchmark.combinations({}, backend))
    if len(cases) != 1:
        raise InvalidParameter(
            f"fn: {benchmark.name} has {len(cases)} cases; choose among them with "
            f"stratoperf.run({benchmark.name!r}, params=...)"
        )
    return backend, cases[0]


def _title(work: Any) -> str:
    """Return what a measurement of it is called."""
    if isinstance(work, Operation):
        return work.name
    return str(getattr(work, "__qualname__", type(work).__qualname__))


def _pickled(work: Any, title: str, processes: int) -> Pickled:
    """Return what a fresh process makes the work of."""
    try:
        data = pickle.dumps(work)
    # An object pickles itself as it likes.
    except Exception as error:
        raise _refused(title, processes, _why_not(title, error)) from None
    main = _main() if MAIN.encode() in data else None
    if main is None and MAIN.encode() in data:
        why = "it is defined at a prompt, in a notebook or by python -c, where none can import it"
        raise _refused(title, processes, why)
    if len(data) > _LARGEST_PICKLE:
        raise InvalidParameter(
            f"processes: {title} takes {len(data):,} bytes when it is pickled for a fresh process, "
            f"at most {_LARGEST_PICKLE:,}; give a function at the top level of a module that "
            "makes its data and returns the operation, or leave processes out"
        )
    return Pickled(base64.b64encode(data).decode(), main)


def _why_not(title: str, error: Exception) -> str:
    if title.endswith("<lambda>"):
        return "it is a lambda"
    if "<locals>" in title:
        return "it is defined within a function"
    return f"it cannot be pickled ({type_name(error)}: {error})"


def _refused(title: str, processes: int, why: str) -> InvalidParameter:
    return InvalidParameter(
        f"processes: {title} cannot be measured in {processes} fresh processes, since {why}; "
        f"{_REMEDY}"
    )


def _main() -> Origin | None:
    """Return what Python was started with, if a fresh process can import it."""
    module = sys.modules.get(MAIN)
    file = getattr(module, "__file__", None)
    try:
        path = Path(str(file)).resolve(strict=True)
    except OSError:
        return None
    specification = getattr(module, "__spec__", None)
    return Origin(getattr(specification, "name", MAIN), str(path), path.stat().st_mtime_ns)


class _Part(NamedTuple):
    """What one process measured: a result as for a run file."""

    tree: dict[str, Any]

    @property
    def batch(self) -> int:
        return int(self.tree["series"][0]["batch"])

    def column(self, name: str) -> Any:
        """Return a column, or ``None`` where there is none."""
        for series in self.tree["series"]:
            if name in series["columns"]:
                return np.asarray(series["columns"][name], np.float64)
        return None


def _take(
    parts: list[_Part],
    case: Case,
    number: int,
    shelf: Shelf,
    pickled: Pickled | None,
    title: str,
) -> None:
    """Measure in one process, and add what it says."""
    try:
        taken = measured_afresh(case, number, "", shelf=shelf, pickled=pickled)
    except WorkerFailed as failure:
        raise StratoperfError(f"{title}: {failure}") from failure
    tree, interrupt = taken.tree, taken.interrupt
    if tree["status"] == "ok" or (interrupt is not None and tree["series"]):
        parts.append(_Part(tree))
    if interrupt is not None:
        raise interrupt
    if tree["status"] == "ok":
        return
    message = f"{title}: {tree['reason']}"
    if tree["status"] == "skipped":
        raise PrerequisiteMissing(message)
    verification = tree["verification"]
    if verification is not None and not verification["passed"]:
        raise VerificationFailed(message)
    raise StratoperfError(message)


def _joined(name: str, parts: Sequence[_Part]) -> Measurement:
    """Return one measurement of all processes."""
    first = parts[0].tree
    latency = [part.column("latency") for part in parts]
    device = [part.column("device_time") for part in parts]
    has_device = all(column is not None for column in device)
    measurement = Measurement(
        name,
        np.concatenate(latency),
        batch=parts[0].batch,
        started_ns=first["series"][0]["started_ns"],
        warmup=Warmup(
            sum(part.tree["warmup"]["seconds"] for part in parts),
            sum(part.tree["warmup"]["iterations"] for part in parts),
        ),
        verification=_verified(parts),
        stopped_because=_stopped(parts),
        items=first["items"],
        item_unit=first["item_unit"],
        device_ns=np.concatenate(device) if has_device else None,
        details=first.get("details"),
        processes=[
            MeasuredProcess(part.tree["series"][0]["process"], ours, theirs)
            for part, ours, theirs in zip(
                parts,
                _slices(latency),
                _slices(device) if has_device else [None] * len(parts),
                strict=True,
            )
        ],
    )
    measurement.observed = _observed(parts)
    return measurement


def _slices(columns: Sequence[Any]) -> list[slice]:
    """Return where each column lies in all of them."""
    ends = np.cumsum([len(column) for column in columns]).tolist()
    return [slice(begin, end) for begin, end in zip([0, *ends], ends, strict=False)]


def _verified(parts: Sequence[_Part]) -> Verification | None:
    checks = [part.tree["verification"] for part in parts]
    if any(check is None for check in checks):
        return None
    return Verification(sum(check["checked"] for check in checks), True)


def _stopped(parts: Sequence[_Part]) -> str:
    """Return why the processes ended: by the precision only if all did."""
    reasons = [str(part.tree["stopped_because"]) for part in parts]
    return next((reason for reason in reasons if reason != "precision"), "precision")


def _observed(parts: Sequence[_Part]) -> dict[str, Observed]:
    """Return what the operations observed, of all processes."""
    metrics = parts[0].tree["metrics"]
    named = {name: [part.column(name) for part in parts] for name in metrics}
    return {
        name: Observed(metrics[name]["unit"], metrics[name]["better"], np.concatenate(columns))
        for name, columns in named.items()
        if name not in ("latency", "device_time") and all(one is not None for one in columns)
    }
