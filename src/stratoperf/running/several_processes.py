"""`stratoperf.measure` in several fresh processes."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
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
from stratoperf.measurement import MeasuredProcess, Measurement, Warmup
from stratoperf.monitor.speed import references
from stratoperf.operation import Observed
from stratoperf.running.cases import Case, known_case
from stratoperf.running.declaration import Benchmark
from stratoperf.running.fresh_process import CannotLoad, measured_afresh
from stratoperf.running.pickled_work import (
    MEASURED,
    Pickled,
    benchmark_of,
    pickle_work,
    title_of,
)
from stratoperf.running.planner import DECLARE, NOWHERE
from stratoperf.running.presets import MOST_PROCESSES, Sampling
from stratoperf.running.workers.client import WorkerFailed
from stratoperf.running.workers.selection import refuse_in_import
from stratoperf.verification import Verification


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
        How long and how precisely to sample, over all processes together.
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
        title = title_of(work)
        pickled = pickle_work(work, title, processes)
        case = known_case(
            benchmark_of(work, MEASURED), "cpu", {}, sampling.shared(processes), False
        )
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
    """Measure in one process, and add its result."""
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
            MeasuredProcess(part.tree["series"][0]["process"], ours, theirs, _step_ns(part))
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


def _step_ns(part: _Part) -> float | None:
    """Return the machine's speed around a process."""
    (reference,) = references(part.tree) or [{}]
    step = reference.get("integer_ns")
    return step if isinstance(step, float) else None


def _slices(columns: Sequence[Any]) -> list[slice]:
    """Return the slice of each process in the joined columns."""
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
    """Return what the operations of all processes observed."""
    metrics = parts[0].tree["metrics"]
    named = {name: [part.column(name) for part in parts] for name in metrics}
    return {
        name: Observed(metrics[name]["unit"], metrics[name]["better"], np.concatenate(columns))
        for name, columns in named.items()
        if name not in ("latency", "device_time") and all(column is not None for column in columns)
    }
