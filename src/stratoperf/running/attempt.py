"""Measure one case, whatever happens: the result tells how it went."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from stratoperf.artifacts.shelf import REACH
from stratoperf.errors import (
    BackendUnavailable,
    Interrupted,
    PrerequisiteMissing,
    StratoperfError,
    VerificationFailed,
)
from stratoperf.failures import describe
from stratoperf.measurement import Measurement
from stratoperf.monitor import NoiseProbe, ReferenceProbe
from stratoperf.monitor.disturbance import disturbance
from stratoperf.operation import Operation
from stratoperf.running.cases import Case
from stratoperf.running.containment import Containment
from stratoperf.running.outcome import result_tree, stored_form
from stratoperf.sampling import measure_here
from stratoperf.verification import Verification

_LOG = logging.getLogger(__name__)


class Attempt(NamedTuple):
    """The outcome of a case in this process.

    Attributes
    ----------
    tree
        Its result as a run file will hold it; the columns are arrays.
    interrupt
        What a signal handler raised, which ends the run; or ``None``.
    is_set_up
        Whether the benchmark's set-up had ended.
    has_built
        Whether the set-up built an artifact that a fresh process would load.
    """

    tree: dict[str, Any]
    interrupt: BaseException | None
    is_set_up: bool
    has_built: bool = False


def attempt(
    case: Case,
    *,
    system: str,
    process: str,
    is_shared: bool,
    notes: Sequence[str] = (),
    record: Callable[[dict[str, Any]], None] | None = None,
) -> Attempt:
    """Set up, measure, verify and tear down one case in this process.

    Parameters
    ----------
    case
        What to measure.
    system, process
        Identities for the series.
    is_shared
        Whether other cases run in this process too: then what the benchmark changed in it is put
        back and named.
    notes
        For the reader of the result.
    record
        Is called with the tree, before Ctrl-C can interrupt anything again.

    Returns
    -------
    Attempt
        The status of the result is ``failed`` when the benchmark raised anything, its
        outcome was wrong (then without numbers), or what it says of itself cannot be stored;
        ``skipped`` when something that it needs is missing; and ``interrupted`` when a signal
        handler raised, by Ctrl-C for one, with the samples taken until then.
    """
    work = _Work(case)
    trees: list[dict[str, Any]] = []

    def finish(around: Containment) -> None:
        # The measurement is complete, or as complete as it will be.
        notes_of_case = [
            *(around.sentences if is_shared else ()),
            *notes,
            *dict.fromkeys(REACH.notes),
        ]
        tree = _stored(case, work, around, notes_of_case, system, process)
        if record is not None:
            record(tree)
        trees.append(tree)

    is_open = case.skip_reason is None and case.declared.fault is None
    with Containment(None if is_open and is_shared else (), finish=finish) as around:
        if is_open:
            work.run(around)
    interrupt = around.interrupts[0] if around.interrupts else None
    return Attempt(trees[0], interrupt, work.is_set_up, work.has_built)


class _Work:
    """What is known of a case while its benchmark runs."""

    def __init__(self, case: Case) -> None:
        self._case = case
        self.probe = NoiseProbe()
        self.reference = ReferenceProbe()
        self.measurement: Measurement | None = None
        self.profile: dict[str, Any] = {}
        self.is_profile_interrupted = False
        self.is_set_up = False
        self.has_built = False

    @property
    def environment(self) -> dict[str, Any]:
        """Environment of the measurement; empty before it began."""
        reference = self.reference.environment
        return self.probe.environment | ({"reference": reference} if reference else {})

    def run(self, around: Containment) -> None:
        """Run the code of the benchmark: set-up, operation and teardown."""
        case = self._case
        opened = case.benchmark.operation(case.params, case.backend, case.sampling.max_duration_s)
        with opened as operation:
            self.is_set_up = True
            self.has_built = REACH.end_set_up()
            if self.has_built and not REACH.is_again:
                raise StratoperfError(
                    "its set-up built an artifact; a fresh process measures in its place"
                )
            self._measure(operation)
            if case.profile:
                self._take_profile(operation, around)

    def _measure(self, operation: Operation) -> None:
        sampling = self._case.sampling
        try:
            with self.reference, self.probe:
                self.measurement = measure_here(
                    operation,
                    name=self._case.key,
                    warmup_s=sampling.warmup_s,
                    min_iterations=sampling.min_iterations,
                    max_duration_s=sampling.max_duration_s,
                    precision=sampling.precision,
                    quantile=sampling.quantile,
                    batch=sampling.batch,
                    spread_s=sampling.spread_s,
                )
        except Interrupted as interrupt:
            # Of this measurement: others that the benchmark makes are not told apart elsewhere.
            if isinstance(interrupt.measurement, Measurement):
                self.measurement = interrupt.measurement
            raise

    def _take_profile(self, operation: Operation, around: Containment) -> None:
        """Take a profile; neither Ctrl-C nor an error takes the measurement away by then."""
        from stratoperf.running.profile import take_profile

        assert self.measurement is not None
        before = len(around.interrupts)
        try:
            profile = take_profile(operation, self.measurement)
        except BaseException as error:
            _LOG.debug("the profile of %s failed", self._case.key, exc_info=True)
            profile = {"why": describe(error)}
        if len(around.interrupts) > before:
            profile = {"why": "interrupted"}
            self.is_profile_interrupted = True
        self.profile = {"profile": profile}


def _stored(
    case: Case,
    work: _Work,
    around: Containment,
    notes: Sequence[str],
    system: str,
    process: str,
) -> dict[str, Any]:
    """Return the result as the run file will hold it."""
    try:
        return stored_form(_tree(case, work, around, notes, system, process), None)[0]
    # What the benchmark says of itself may break whatever reads it.
    except BaseException as problem:
        _LOG.debug("the result of %s cannot be stored", case.key, exc_info=True)
        tree = result_tree(
            case,
            "failed",
            f"what the benchmark says of itself cannot be stored: {describe(problem)}",
            environment=work.environment,
            notes=notes,
        )
        return stored_form(tree, None)[0]


def _tree(
    case: Case,
    work: _Work,
    around: Containment,
    notes: Sequence[str],
    system: str,
    process: str,
) -> dict[str, Any]:
    """Return the result for the run file."""
    if case.skip_reason is not None:
        return result_tree(case, "skipped", case.skip_reason)
    if case.declared.fault is not None:
        return result_tree(case, "failed", case.declared.fault)
    environment, measurement, error = work.environment, work.measurement, around.error
    # The type itself, not `isinstance`, which asks the object.
    kind = type(error)
    if around.interrupts and not (work.is_profile_interrupted and error is None):
        # During the setup, the measurement, or when that was complete.
        return result_tree(
            case,
            "interrupted",
            _how_far(measurement),
            measurement=measurement,
            environment=environment,
            warnings=work.probe.warnings,
            notes=notes,
            system=system,
            process=process,
        )
    if error is None:
        tree = result_tree(
            case,
            "ok",
            measurement=measurement,
            environment=environment,
            warnings=work.probe.warnings,
            notes=notes,
            system=system,
            process=process,
        )
        # Judged before anybody looks at the samples.
        return {**tree, **work.profile, "disturbed": disturbance(environment)}
    if issubclass(kind, BackendUnavailable | PrerequisiteMissing):
        return result_tree(case, "skipped", describe(error), notes=notes)
    wrong = issubclass(kind, VerificationFailed)
    return result_tree(
        case,
        "failed",
        describe(_origin(error)),
        verification=_verification(error) if wrong else None,
        environment=environment,
        notes=notes,
    )


def _origin(error: BaseException) -> BaseException:
    """Return what the benchmark raised: `measure` turns a ``KeyboardInterrupt`` into its own."""
    while type(error) is Interrupted and error.__cause__ is not None:
        error = error.__cause__
    return error


def _verification(error: BaseException) -> Verification:
    """Return what was checked before an outcome was wrong."""
    try:
        measurement = getattr(error, "measurement", None)
    # A subclass may have put anything there.
    except BaseException:
        measurement = None
    checked = measurement.verification if type(measurement) is Measurement else None
    return checked or Verification(0, False)


def _how_far(partial: Measurement | None) -> str:
    """Return what an interrupted measurement completed."""
    reason = f"interrupted after {partial.count if partial is not None else 0} samples"
    verified = partial is not None and partial.verification is not None
    return reason if verified else f"{reason}; nothing was verified"
