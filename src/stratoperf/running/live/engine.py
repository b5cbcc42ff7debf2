"""Compare two sides that both run now."""

from __future__ import annotations

import contextlib
import functools
import os
import random
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from stratoperf.analysis.comparison import ComparedMetric, Comparison, Difference, Failure, Side
from stratoperf.analysis.defaults import CONFIDENCE, DURATION_S, STATISTIC, THRESHOLD
from stratoperf.analysis.paired_design import LOOKS, Design, Look
from stratoperf.analysis.tails import design_of, is_tail
from stratoperf.artifacts.shelf import Shelf
from stratoperf.errors import Interrupted, StratoperfError
from stratoperf.monitor import NoiseProbe, system
from stratoperf.running.interrupts import deferred_interrupt
from stratoperf.running.live.advice import too_few_pairs
from stratoperf.running.live.agenda import make_agenda
from stratoperf.running.live.cases import Agenda, LiveCase
from stratoperf.running.live.command_runs import CleanupFailed, run_aside
from stratoperf.running.live.floors import floor_notes, floor_text
from stratoperf.running.live.judging import compared
from stratoperf.running.live.listener import LiveListener
from stratoperf.running.live.pair_source import SIDES, Floor, PairSource, SideFailed
from stratoperf.running.live.recording import session_tree, start_recorder
from stratoperf.running.live.session import Session, run_session
from stratoperf.running.live.settings import Settings, make_settings
from stratoperf.running.live.sides import Command, Environment
from stratoperf.running.live.tail_notes import tail_notes
from stratoperf.running.live.timed_commands import CommandPairs
from stratoperf.running.live.two_environments import WorkerPairs
from stratoperf.running.planner import Selection
from stratoperf.running.workers.guard import guarded
from stratoperf.running.workers.selection import refuse_in_import


def compare_live(
    baseline: Command | Environment,
    current: Command | Environment,
    select: Selection = None,
    *,
    backend: str = "auto",
    threshold: float = THRESHOLD,
    thresholds: Mapping[str, float] | None = None,
    statistic: str = STATISTIC,
    confidence: float = CONFIDENCE,
    duration_s: float = DURATION_S,
    timeout_s: float | None = None,
    seed: int | None = None,
    output: str | os.PathLike[str] | None = None,
    listener: LiveListener | None = None,
    stop_early: bool = True,
    setup: str | None = None,
    prepare: str | None = None,
    cleanup: str | None = None,
) -> Comparison:
    """Measure two sides in turn, in many short pairs of fresh processes, and judge the ratio.

    A coin decides for each pair which side goes first, so that identical sides differ by the coin
    alone. Each pair gives one ratio of the chosen statistic; signed ranks and a planned sequence of
    looks bound the center of the ratios (see `PairedDesign`). For a high quantile, how often each
    side exceeds their common quantile bounds the ratio (see `TailDesign`). A case ends as soon as
    its verdict is known.

    All processes that the sides start end with the comparison, daemons in their own sessions
    included. Start what must stay, such as a compile server, beforehand.

    Parameters
    ----------
    baseline, current
        Two commands, timed as whole processes, or two environments, in which workers run
        benchmarks of the suite.
    select
        As for `stratoperf.run`; only with environments.
    backend
        As for `stratoperf.run`.
    threshold
        Smallest slow-down that matters, as a fraction: 0.05 is 5 %.
    thresholds
        Other thresholds by glob pattern of the benchmark's name; the first that matches counts.
    statistic
        ``"mean"``, ``"p50"``, ``"p95"``, ``"p99"``, ``"p999"`` or ``"throughput"``, of the
        samples of one process. For high quantiles workers time single iterations, where the clock
        can; a warning says where it cannot.
    confidence
        Confidence of all intervals together; the cases share the admissible error.
    duration_s
        Time budget of each case, in seconds, including trial runs and the set-up of benchmarks.
        At its end a running process is killed and its pair dropped, so the case is inconclusive
        unless the earlier pairs settle it. Benchmarks have five more seconds to tear down.
    timeout_s
        Time limit of one process, and of `setup` and of `cleanup`, in seconds; by default ten
        minutes, or ten times the budget if that is longer. A process that takes longer fails.
    seed
        Seed of the random order of the two sides; by default a random seed. The run file keeps it.
    output
        Directory for a run file with the samples; ``None`` writes no file.
    listener
        Receives the progress.
    stop_early
        False uses the whole budget and looks once at its end, for the narrowest interval.
    setup, prepare, cleanup
        Untimed command lines for ``/bin/sh``; only with commands. `setup` runs once at the start,
        `prepare` before each run of either side, within the budget, and `cleanup` once at the end,
        however the comparison ends. Their background processes end with them; ``setsid server &``
        starts a process that lasts until the comparison ends.

    Returns
    -------
    Comparison
        ``differences`` lists the cases that one side cannot run; ``failures`` lists the cases that
        failed.

    Raises
    ------
    InvalidParameter
        For an argument out of range, a program that cannot be started, or when the sides have
        nothing to compare.
    PrerequisiteMissing
        When an environment has no stratoperf.
    SideFailed
        A `StratoperfError`, when a command, or `prepare` before it, fails or does not end; its
        attribute ``comparison`` names the run file.
    CleanupFailed
        A `StratoperfError`, when `cleanup` fails after all else went well; its attribute
        ``comparison`` has the result.
    StratoperfError
        When `setup` fails.
    Interrupted
        On Ctrl-C, after all child processes ended. Its attribute ``comparison`` has the verdicts so
        far, ``run`` the samples; with `output` they are saved.
    """
    refuse_in_import("stratoperf.compare_live")
    settings = make_settings(
        backend=backend,
        threshold=threshold,
        thresholds=thresholds,
        statistic=statistic,
        confidence=confidence,
        duration_s=duration_s,
        timeout_s=timeout_s,
        seed=seed,
        stop_early=stop_early,
        setup=setup,
        prepare=prepare,
        cleanup=cleanup,
    )
    sides: dict[Side, Command | Environment] = {"baseline": baseline, "current": current}
    agenda = make_agenda(sides, select, settings)
    return _Engine(sides, agenda, settings, output, listener or LiveListener()).run()


class _Engine:
    """One comparison in progress."""

    def __init__(
        self,
        sides: Mapping[Side, Command | Environment],
        agenda: Agenda,
        settings: Settings,
        output: str | os.PathLike[str] | None,
        listener: LiveListener,
    ) -> None:
        self._sides = sides
        self._agenda = agenda
        self._settings = settings
        self._listener = listener
        self._generator = random.Random(settings.seed)
        self._metrics: list[ComparedMetric] = []
        self._differences: list[Difference] = list(agenda.differences)
        self._failures: list[Failure] = []
        self._warnings = dict.fromkeys(agenda.warnings)
        self._floor: Floor | None = None
        self._late: CleanupFailed | None = None
        self._shelves: Mapping[Side, Shelf] = {}
        plan: dict[str, Any] = {
            "settings": msgspec.to_builtins(settings),
            "keys": [case.key for case in agenda.cases],
        }
        for side, chosen in sides.items():
            plan[side] = {"kind": type(chosen).__name__, "label": chosen.label}
        self._recorder = start_recorder(output, plan)

    def run(self) -> Comparison:
        """Compare all cases."""
        keys = [case.key for case in self._agenda.cases]
        try:
            interrupted = self._compare_all()
            with deferred_interrupt() as pressed:
                run = self._recorder.finish(keys, complete=False)
                if self._recorder.path is not None:
                    self._listener.saved(self._recorder.path)
                comparison = self._comparison(interrupted or bool(pressed))
        except BaseException:
            self._recorder.abandon()
            raise
        if comparison.interrupted:
            error = Interrupted(f"interrupted with {len(self._metrics)} of {len(keys)} cases begun")
            error.run = run
            error.comparison = comparison
            raise error
        if self._failures and not self._agenda.cases[0].arguments:
            failure = self._failures[0]
            failed = SideFailed(failure.side, f"{failure.side}: {failure.why}")
            failed.comparison = comparison
            raise failed
        if self._late is not None:
            self._late.comparison = comparison
            raise self._late
        return comparison

    def _compare_all(self) -> bool:
        """Compare case by case; return whether Ctrl-C ended it."""
        settings = self._settings
        try:
            self._listener.planned(self._agenda)
            with guarded(), contextlib.ExitStack() as stack:
                # Of each side its own: they may be different code.
                self._shelves = {side: stack.enter_context(Shelf()) for side in SIDES}
                try:
                    if settings.setup is not None:
                        run_aside("setup", settings.setup, settings.timeout_s)
                    return self._compare_cases()
                finally:
                    self._clean_up()
        except KeyboardInterrupt:
            # Between two cases: all that was measured is recorded.
            return True

    def _compare_cases(self) -> bool:
        described = msgspec.to_builtins(system())
        machine = described.pop("id")
        self._recorder.add_system(machine, described)
        for index, case in enumerate(self._agenda.cases):
            self._listener.case_started(index, case)
            source = self._source(case)
            probe = NoiseProbe()
            with probe:
                session = self._measure(index, case, source)
            with deferred_interrupt() as pressed:
                metric = self._kept(case, session, machine, probe, source.floor())
                self._listener.case_finished(index, case, metric)
            if session.interrupted or pressed:
                return True
        return False

    def _clean_up(self) -> None:
        """Run the cleanup command; a failure must not lose what was measured."""
        settings = self._settings
        if settings.cleanup is None:
            return
        try:
            run_aside("cleanup", settings.cleanup, settings.timeout_s)
        except StratoperfError as error:
            self._late = CleanupFailed(str(error))
            self._warnings[str(error)] = None

    def _measure(self, index: int, case: LiveCase, source: PairSource) -> Session:
        settings = self._settings
        threshold = settings.threshold_of(case.benchmark)
        design = design_of(settings.statistic, threshold, self._error)
        return run_session(
            source,
            design,
            statistic=settings.statistic,
            duration_s=settings.duration_s,
            generator=self._generator,
            stop_early=settings.stop_early,
            tell=functools.partial(self._tell, index, case, design),
        )

    def _tell(
        self,
        index: int,
        case: LiveCase,
        design: Design,
        look: Look | None,
        pairs: int,
        seconds: float,
    ) -> None:
        """Report a pair, and after the first one whether the budget allows enough pairs."""
        settings = self._settings
        if pairs == 1:
            least = design.least_pairs()
            warning = too_few_pairs(case.key, seconds, settings.duration_s, least)
            if warning is not None:
                self._listener.warned([warning])
        self._listener.pair(index, case, look, pairs, seconds)

    @property
    def _error(self) -> float:
        """The error of each case, so that all cases together keep to the requested one."""
        return (1 - self._settings.confidence) / len(self._agenda.cases)

    def _source(self, case: LiveCase) -> PairSource:
        timeout_s = self._settings.timeout_s
        if not case.arguments:
            commands = cast("dict[Side, Command]", self._sides)
            return CommandPairs(commands, timeout_s, self._settings.prepare)
        environments = cast("dict[Side, Environment]", self._sides)
        questions = {
            side: {
                "modules": list(environments[side].modules),
                "benchmark": case.benchmark,
                "backend": case.backend,
                "params": dict(case.arguments[side]),
            }
            for side in SIDES
        }
        singly = is_tail(self._settings.statistic)
        return WorkerPairs(environments, questions, timeout_s, shelves=self._shelves, singly=singly)

    def _kept(
        self,
        case: LiveCase,
        session: Session,
        machine: str,
        probe: NoiseProbe,
        floor: Floor | None,
    ) -> ComparedMetric:
        """Record a case and judge it."""
        settings = self._settings
        notes = session.printed
        if is_tail(settings.statistic):
            notes += tail_notes(case.key, session, settings.statistic)
        if floor is not None:
            self._floor = floor
            notes += floor_notes(floor, session)
        tree = session_tree(
            case,
            session,
            system=machine,
            environment=probe.environment,
            warnings=probe.warnings,
            notes=notes,
            floor=floor,
        )
        self._recorder.add(tree)
        self._warnings.update(dict.fromkeys([*probe.warnings, *notes]))
        metric = compared(
            case, session, statistic=settings.statistic, duration_s=settings.duration_s
        )
        self._metrics.append(metric)
        if session.failure is not None:
            self._note_failure(case, session.failure)
        return metric

    def _note_failure(self, case: LiveCase, failure: SideFailed) -> None:
        self._failures.append(Failure(key=case.key, side=failure.side, why=str(failure)))
        status = Difference(what="status", key=case.key)
        reason = {failure.side: f"failed: {failure}"}
        self._differences.append(msgspec.structs.replace(status, **reason))

    def _comparison(self, interrupted: bool) -> Comparison:
        settings = self._settings
        count = len(self._agenda.cases)
        shared = f", shared out among {count} cases (Bonferroni)" if count > 1 else ""
        looks = f"{len(LOOKS)} planned looks" if settings.stop_early else "one look"
        design = design_of(settings.statistic, settings.threshold, self._error)
        floor = self._floor
        shell = f"; {floor_text(floor)}" if floor is not None and floor.is_shell else ""
        path = self._recorder.path
        return Comparison(
            mode="live",
            baseline=self._sides["baseline"].label,
            current=self._sides["current"].label,
            confidence=settings.confidence,
            method=(
                f"pairs of fresh processes in random order, measured in turn; {design.METHOD}, "
                f"group-sequential with {looks} (alpha spending, Lan & DeMets 1983; added up by "
                "Bonferroni); "
                f"error {1 - settings.confidence:.2g}{shared}{shell}"
            ),
            metrics=tuple(self._metrics),
            differences=tuple(self._differences),
            failures=tuple(self._failures),
            warnings=tuple(self._warnings),
            interrupted=interrupted,
            run_path=None if path is None else str(path),
        )
