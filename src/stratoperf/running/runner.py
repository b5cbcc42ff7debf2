"""Run a plan: measure its cases and keep their results."""

from __future__ import annotations

import contextlib
import dataclasses
import itertools
import os
import time
import uuid
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import msgspec

from stratoperf.artifacts.shelf import Shelf
from stratoperf.errors import Interrupted, InvalidParameter, SchemaError, StratoperfError
from stratoperf.monitor import system
from stratoperf.monitor.speed import Reference, references
from stratoperf.paths import absolute_path
from stratoperf.results import Result, Run, load
from stratoperf.results.names import LATEST
from stratoperf.results.part_seconds import with_seconds
from stratoperf.results.parts import check_part
from stratoperf.results.plans import Request, stored_plan
from stratoperf.results.validation import read_result
from stratoperf.running.attempt import attempt
from stratoperf.running.case_progress import CaseProgress
from stratoperf.running.cases import Case, Plan
from stratoperf.running.containment import Containment
from stratoperf.running.document import new_document
from stratoperf.running.fresh_process import CannotLoad, Taken, measured_afresh
from stratoperf.running.interrupts import deferred_interrupt
from stratoperf.running.listener import Listener
from stratoperf.running.outcome import over_processes, stored_form
from stratoperf.running.planner import DECLARE, NOWHERE, Selection, make_plan, make_request
from stratoperf.running.recorder import FileRecorder, MemoryRecorder
from stratoperf.running.registry import REGISTRY, PluginWarning
from stratoperf.running.start_recording import resume_file, start_file
from stratoperf.running.workers.client import WorkerFailed
from stratoperf.running.workers.guard import guarded
from stratoperf.running.workers.selection import refuse_in_import

_Recorder: TypeAlias = MemoryRecorder | FileRecorder


def run(
    select: Selection = None,
    preset: str = "standard",
    backend: str = "auto",
    *,
    params: Mapping[str, Any] | None = None,
    iterations: int | None = None,
    duration_s: float | None = None,
    warmup_s: float | None = None,
    output: str | os.PathLike[str] | None = None,
    resume: str | os.PathLike[str] | None = None,
    profile: bool = False,
    processes: int | None = None,
    listener: Listener | None = None,
) -> Run:
    """Measure benchmarks, each case in several fresh processes.

    Every pass measures each open case in one process, in a new random order, so that the processes
    of a case are spread over the run. After the minimum number of processes of the preset, a case
    ends as soon as the interval between its processes is precise enough. A fresh process cannot
    import a benchmark that a function or a notebook declares, or a script that measures when it is
    imported; such a benchmark is measured in this process alone, and its result says so.

    Parameters
    ----------
    select
        One or several names, glob patterns, categories such as ``"single-node"``, or benchmarks;
        ``None`` selects all.
    preset
        ``"standard"`` (at least 1000 iterations after 10 s of warm-up), ``"quick"`` or ``"ci"``.
    backend
        The name of a backend, or ``"auto"`` for all backends of each benchmark except the
        reference. Backends that cannot run here give results with the status ``skipped``.
    params
        One or several values by parameter, in place of the declared values.
    iterations
        Minimum number of iterations, as far as the time allows.
    duration_s
        Sampling time of each case, in seconds; the case does not stop early.
    warmup_s
        Warm-up time of each case, in seconds.
    output
        Directory for the run file, which is named after the selection and the time;
        ``latest.json`` there becomes the same run. ``None`` writes no file.
    resume
        The journal or run file of an interrupted run, to continue it with its own plan.
    profile
        Run each case again for about a second after its measurement, under the processor's
        counters and, where it is a Python callable, Python's profiler; the result's ``profile``
        then shows where the time goes.
    processes
        Number of fresh processes for each case, 1 to 500, in place of the preset's 6 to 10. They
        share the iterations and times. By default a process that was disturbed from outside is
        measured again.
    listener
        Receives the progress.

    Returns
    -------
    Run

    Raises
    ------
    InvalidParameter
        For an unknown name (suggests the nearest), a value out of range, or an output directory
        that is not writable. Nothing was measured then.
    BackendUnavailable
        When the named backend cannot run here.
    Interrupted
        On Ctrl-C. Its attribute ``run`` has the results so far; with `output` they are saved.
    StratoperfError
        When the disk is full; the message says where the finished results are.
    """
    refuse_in_import("stratoperf.run")
    request = make_request(
        select,
        params,
        preset=preset,
        backend=backend,
        iterations=iterations,
        duration_s=duration_s,
        warmup_s=warmup_s,
        profile=profile,
        processes=processes,
    )
    listener = listener or _Warner()
    if resume is not None:
        plan, recorder = _resumed(request, output, absolute_path("resume", resume))
    else:
        plan = make_plan(request, REGISTRY, saves=output is not None)
        plan.check_total()
        document = new_document(plan.request.preset, plan=_asked(plan))
        recorder = (
            MemoryRecorder(document)
            if output is None
            else start_file(absolute_path("output", output), document, request.select or ())
        )
    try:
        return _Execution(plan, recorder, listener).run()
    except BaseException:
        recorder.abandon()
        raise


class _Warner(Listener):
    """Shows the plan's warnings when there is no other listener."""

    def planned(self, plan: Plan) -> None:
        for sentence in plan.warnings:
            warnings.warn(sentence, PluginWarning, stacklevel=4)


def _of_latest(path: Path, machine: str) -> list[Reference]:
    """Return the references of the latest run beside this, as far as it was on this machine."""
    try:
        latest = load(path)
    # It does not exist, or is not a run file: this run does not depend on it.
    except SchemaError:
        return []
    return [
        reference
        for result in latest.results
        if any(series.system == machine for series in result.series)
        for source in result.processes or (result,)
        for reference in references({"environment": source.environment})
    ]


class _Execution:
    """One run in progress."""

    def __init__(self, plan: Plan, recorder: _Recorder, listener: Listener) -> None:
        self._plan = plan
        self._recorder = recorder
        self._listener = listener
        self._process = uuid.uuid4().hex[:12]
        self._described = msgspec.to_builtins(system())
        self._machine = self._described.pop("id")
        self._open = [
            CaseProgress(
                index, case, self._parts(case), recorder.base, recorder.lost_seconds(case.key)
            )
            for index, case in enumerate(plan.cases)
            if case.key not in plan.finished
        ]
        self._started: set[int] = set()
        self._shelf: Shelf
        # Why no fresh process can have a benchmark, by its name.
        self._unloadable: dict[str, str] = {}
        self._earlier: Sequence[Reference] = ()
        # Of the machine's speed, around each process of the run.
        self._references: list[Reference] = [
            reference
            for tree in [*recorder.results, *(part for each in self._open for part in each.parts)]
            for reference in references(tree)
        ]

    def _parts(self, case: Case) -> list[dict[str, Any]]:
        """Return the parts of a case that were measured on this machine; others do not mix."""
        parts = self._recorder.parts(case.key)
        for part in parts:
            check_part(part, case.key)
        return [
            part
            for part in parts
            if all(series.get("system") == self._machine for series in part["series"])
        ]

    def run(self) -> Run:
        self._listener.planned(self._plan)
        self._recorder.add_system(self._machine, self._described)
        if self._recorder.path is not None:
            self._earlier = _of_latest(self._recorder.path.parent / LATEST, self._machine)
        interrupt: BaseException | None
        try:
            interrupt = self._measure_all()
        except KeyboardInterrupt as between:
            # Between two processes: all that was measured is recorded.
            interrupt = between
        with deferred_interrupt() as pressed:
            for progress in list(self._open):
                if progress.parts or progress.index in self._started:
                    self._record(progress, progress.tree(self._references, self._earlier))
            keys = [case.key for case in self._plan.cases]
            run = self._recorder.finish(keys, complete=interrupt is None)
            if self._recorder.path is not None:
                self._listener.saved(self._recorder.path)
        if interrupt is not None and not isinstance(interrupt, KeyboardInterrupt):
            # A signal handler of the user's own means something else by it.
            raise interrupt
        if interrupt is not None or pressed:
            count = sum(result.status != "interrupted" for result in run.results)
            error = Interrupted(f"interrupted with {count} of {len(keys)} cases measured")
            error.run = run
            raise error
        return run

    def _measure_all(self) -> BaseException | None:
        """Measure the open cases; return what a signal handler raised to put an end to it."""
        earlier = {result["key"]: result for result in self._recorder.results}
        for index, case in enumerate(self._plan.cases):
            if case.key in self._plan.finished:
                result = read_result(earlier[case.key], case.key, self._recorder.base)
                self._listener.case_finished(index, case, result)
        for progress in list(self._open):
            case = progress.case
            why = f"since {NOWHERE}; {DECLARE}" if case.benchmark.origin is None else None
            if not progress.is_open:
                # It came to its end just before the run did.
                result = self._record(progress, progress.tree(self._references, self._earlier))
                self._listener.case_finished(progress.index, case, result)
            elif not case.is_measured or why is not None:
                interrupt = self._measure_here(progress, why)
                if interrupt is not None:
                    return interrupt
        if not self._open:
            return None
        with contextlib.ExitStack() as stack:
            self._shelf = stack.enter_context(Shelf())
            try:
                stack.enter_context(guarded())
            except StratoperfError as error:
                # Nothing may be started here.
                self._unloadable = dict.fromkeys(
                    [progress.case.benchmark.name for progress in self._open], str(error)
                )
            return self._measure_in_passes()

    def _measure_in_passes(self) -> BaseException | None:
        for number in itertools.count():
            due = {progress.index: progress for progress in self._open}
            if not due:
                break
            for index in self._plan.order(number):
                # Of an earlier session of the run there may be more.
                if index in due and due[index].begun <= number:
                    interrupt = self._measure_next(due[index])
                    if interrupt is not None:
                        return interrupt
        return None

    def _measure_next(self, progress: CaseProgress) -> BaseException | None:
        """Measure a case in one more process."""
        index, case, number = progress.index, progress.case, progress.begun + 1
        if case.benchmark.name in self._unloadable and not progress.parts:
            return self._measure_alone(progress)
        self._tell_start(progress)
        self._listener.process_started(index, case, number, case.most)
        begin = time.monotonic()
        profile = case.profile and not progress.parts
        taken: list[Taken] = []
        results: list[Result] = []

        def finish(around: Containment) -> None:
            error = around.error
            seconds = time.monotonic() - begin
            if taken:
                # What builds for all processes is not what each takes.
                seconds -= taken[0].building_s
                tree, is_set_up = taken[0].tree, taken[0].is_set_up
                if progress.took(tree, is_set_up=is_set_up, seconds=seconds):
                    self._references += references(tree)
                    self._recorder.add_part(with_seconds(tree, seconds))
                    # Where they are on the disk by now, they need no memory.
                    progress.parts = self._parts(case)
                else:
                    self._recorder.add_lost(case.key, seconds)
            elif around.interrupts:
                return
            elif isinstance(error, CannotLoad) and not progress.parts:
                self._unloadable[case.benchmark.name] = str(error)
                return
            elif isinstance(error, CannotLoad | WorkerFailed):
                progress.missed(error, seconds)
                self._recorder.add_lost(case.key, seconds)
            if not progress.is_open:
                results.append(
                    self._record(progress, progress.tree(self._references, self._earlier))
                )

        with Containment((), finish=finish) as around:
            taken.append(
                measured_afresh(
                    progress.next_case, number, self._machine, shelf=self._shelf, profile=profile
                )
            )
        if around.interrupts:
            return around.interrupts[0]
        self._listener.process_finished(index, case, number, case.most)
        if case.benchmark.name in self._unloadable and not progress.parts:
            return self._measure_alone(progress)
        if around.error is not None and progress.begun < number:
            raise around.error
        if results:
            self._listener.case_finished(index, case, results[0])
        return None

    def _measure_alone(self, progress: CaseProgress) -> BaseException | None:
        """Measure a case in this process, since a fresh process cannot load its benchmark."""
        reason = self._unloadable[progress.case.benchmark.name]
        return self._measure_here(progress, f"since a fresh one cannot: {reason}")

    def _tell_start(self, progress: CaseProgress) -> None:
        """Report once that a case begins."""
        if progress.index not in self._started:
            self._started.add(progress.index)
            self._listener.case_started(progress.index, progress.case)

    def _measure_here(self, progress: CaseProgress, why: str | None) -> BaseException | None:
        """Measure a case in this process, or say why it is not measured."""
        case = progress.case
        self._tell_start(progress)
        results: list[Result] = []

        def record(tree: dict[str, Any]) -> None:
            if tree["series"]:
                self._references += references(tree)
                tree = over_processes(
                    case, [tree], self._references, None, why, machine=self._earlier
                )
            results.append(self._record(progress, tree))

        tried = attempt(
            case,
            system=self._machine,
            process=self._process,
            is_shared=True,
            notes=[] if why is None else [f"measured in this process alone, {why}"],
            record=record,
        )
        self._listener.case_finished(progress.index, case, results[0])
        return tried.interrupt

    def _record(self, progress: CaseProgress, tree: dict[str, Any]) -> Result:
        """Keep the result of a case, and return it as a reader sees it."""
        plain, result = stored_form(tree, self._recorder.base)
        self._recorder.add(plain)
        self._open.remove(progress)
        return result


def _asked(plan: Plan) -> dict[str, Any]:
    """Return the plan as the run file keeps it, so that the run can be resumed."""
    return {
        "request": msgspec.to_builtins(dataclasses.asdict(plan.request)),
        "keys": [case.key for case in plan.cases],
        "seed": plan.seed,
    }


def _resumed(request: Request, output: object, source: Path) -> tuple[Plan, _Recorder]:
    """Return the plan of an interrupted run and a recorder that goes on with it."""
    if output is not None or request != Request():
        raise InvalidParameter(
            "resume: an interrupted run continues with its own plan and directory; "
            "leave out all other arguments"
        )
    return resume_file(source, lambda document: _stored_plan(document, source))


def _stored_plan(document: dict[str, Any], source: Path) -> Plan:
    stored = stored_plan(document, source)
    plan = make_plan(stored.request, REGISTRY, saves=True, seed=stored.seed)
    keys = [case.key for case in plan.cases]
    if keys != stored.keys:
        differing = sorted(set(keys) ^ set(stored.keys)) or keys
        raise InvalidParameter(
            f"resume: the benchmarks changed since {source} was started ({differing[0]} differs); "
            "start a new run instead"
        )
    versions = {case.key: case.benchmark.version for case in plan.cases}
    for result in document["results"]:
        key, measured = result["key"], result.get("benchmark_version")
        if key not in versions:
            raise InvalidParameter(
                f"resume: {source} has a result of {key}, which its plan does not have; start a "
                "new run "
                "instead"
            )
        if versions[key] != measured:
            raise InvalidParameter(
                f"resume: {key} was measured with version {measured} of the benchmark, which is "
                f"now at {versions[key]}; start a new run instead"
            )
    finished = frozenset(
        result["key"] for result in document["results"] if result["status"] != "interrupted"
    )
    return dataclasses.replace(plan, finished=finished)
