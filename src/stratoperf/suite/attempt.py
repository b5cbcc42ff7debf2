"""Measure one case, whatever happens: the result tells how it went."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any, NamedTuple

from stratoperf.errors import (
    BackendUnavailable,
    PrerequisiteMissing,
    StratoperfError,
    VerificationFailed,
)
from stratoperf.measurement import Measurement
from stratoperf.measuring import measure
from stratoperf.monitor import NoiseProbe
from stratoperf.operation import Operation
from stratoperf.suite.outcome import result_tree
from stratoperf.suite.planner import Case
from stratoperf.verification import Verification

_LOG = logging.getLogger(__name__)


class Attempt(NamedTuple):
    """A result for the run file, and whether Ctrl-C put an end to the run."""

    tree: dict[str, Any]
    interrupted: bool = False


def attempt(case: Case, *, system: str, process: str) -> Attempt:
    """Set up, measure, verify and tear down one case.

    Parameters
    ----------
    case
        What to measure.
    system, process
        Identities for the series.

    Returns
    -------
    Attempt
        The status of the result is ``failed`` when the benchmark raised or its
        outcome was wrong (then without numbers), ``skipped`` when something that it needs is
        missing, and ``interrupted`` after Ctrl-C, with the samples taken until then.
    """
    if case.skip_reason is not None:
        return Attempt(result_tree(case, "skipped", case.skip_reason))
    probe = NoiseProbe()
    measurement: Measurement | None = None
    try:
        opened = case.benchmark.operation(case.params, case.backend, case.sampling.max_duration_s)
        with opened as operation:
            with probe:
                measurement = measure(
                    operation,
                    name=case.key,
                    warmup_s=case.sampling.warmup_s,
                    min_iterations=case.sampling.min_iterations,
                    max_duration_s=case.sampling.max_duration_s,
                    precision=case.sampling.precision,
                    quantile=case.sampling.quantile,
                )
            profile, interrupted = _profile(case, operation, measurement)
        tree = result_tree(
            case,
            "ok",
            measurement=measurement,
            environment=probe.environment,
            warnings=probe.warnings,
            system=system,
            process=process,
        )
        return Attempt(tree | profile, interrupted)
    except KeyboardInterrupt as interrupt:
        # Interrupted carries what was sampled. A plain one came during the setup, or when the
        # measurement was complete: while it was summed up, or during the teardown.
        partial: Measurement | None = getattr(interrupt, "measurement", None) or measurement
        tree = result_tree(
            case,
            "interrupted",
            _how_far(partial),
            measurement=partial,
            environment=probe.environment,
            warnings=probe.warnings,
            system=system,
            process=process,
        )
        return Attempt(tree, interrupted=True)
    except (BackendUnavailable, PrerequisiteMissing) as missing:
        return Attempt(result_tree(case, "skipped", str(missing)))
    except VerificationFailed as wrong:
        checked = getattr(wrong.measurement, "verification", None) or Verification(0, False)
        return Attempt(
            result_tree(
                case, "failed", str(wrong), verification=checked, environment=probe.environment
            )
        )
    # A benchmark that calls sys.exit must not end the run of the others.
    except (Exception, SystemExit) as error:
        _LOG.debug("%s failed", case.key, exc_info=True)
        return Attempt(result_tree(case, "failed", _describe(error), environment=probe.environment))


def _profile(
    case: Case, operation: Operation, measurement: Measurement
) -> tuple[dict[str, Any], bool]:
    """Return the part of the result that a profile adds, and whether Ctrl-C cut it short.

    The measurement is complete by then: neither Ctrl-C nor an error takes it away.
    """
    if not case.profile:
        return {}, False
    from stratoperf.suite.profile import take_profile

    try:
        return {"profile": take_profile(operation, measurement)}, False
    except KeyboardInterrupt:
        return {"profile": {"why": "interrupted"}}, True
    except Exception as error:
        _LOG.debug("the profile of %s failed", case.key, exc_info=True)
        return {"profile": {"why": _describe(error)}}, False


def _how_far(partial: Measurement | None) -> str:
    """Return how far an interrupted measurement came."""
    reason = f"interrupted after {partial.count if partial is not None else 0} samples"
    verified = partial is not None and partial.verification is not None
    return reason if verified else f"{reason}; nothing was verified"


def _describe(error: BaseException) -> str:
    """Return one line that says what was raised, and where."""
    if isinstance(error, StratoperfError):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}, line {frame.lineno})"
