"""Measure one case, whatever happens: the result tells how it went."""

from __future__ import annotations

import logging
import traceback
from pathlib import Path
from typing import Any

from stratoperf.errors import (
    BackendUnavailable,
    PrerequisiteMissing,
    StratoperfError,
    VerificationFailed,
)
from stratoperf.measurement import Measurement, Verification, measure
from stratoperf.monitor import NoiseProbe
from stratoperf.suite.outcome import result_tree
from stratoperf.suite.planner import Case

_LOG = logging.getLogger(__name__)


def attempt(case: Case, *, system: str, process: str) -> dict[str, Any]:
    """Set up, measure, verify and tear down one case.

    Parameters
    ----------
    case
        What to measure.
    system, process
        Identities for the series.

    Returns
    -------
    dict
        A result for the run file. Its status is ``failed`` when the benchmark raised or its
        outcome was wrong (then without numbers), ``skipped`` when something that it needs is
        missing, and ``interrupted`` after Ctrl-C, with the samples taken until then.
    """
    if case.skip_reason is not None:
        return result_tree(case, "skipped", case.skip_reason)
    probe = NoiseProbe()
    try:
        with case.benchmark.operation(case.params, case.backend) as operation, probe:
            measurement = measure(
                operation,
                name=case.key,
                warmup_s=case.sampling.warmup_s,
                min_iterations=case.sampling.min_iterations,
                max_duration_s=case.sampling.max_duration_s,
                precision=case.sampling.precision,
                quantile=case.sampling.quantile,
            )
        return result_tree(
            case,
            "ok",
            measurement=measurement,
            environment=probe.environment,
            warnings=probe.warnings,
            system=system,
            process=process,
        )
    except KeyboardInterrupt as interrupt:
        # Interrupted carries what was sampled; a plain one came during setup or teardown.
        partial: Measurement | None = getattr(interrupt, "measurement", None)
        return result_tree(
            case,
            "interrupted",
            f"interrupted after {partial.count if partial else 0} samples; nothing was verified",
            measurement=partial,
            environment=probe.environment,
            warnings=probe.warnings,
            system=system,
            process=process,
        )
    except (BackendUnavailable, PrerequisiteMissing) as missing:
        return result_tree(case, "skipped", str(missing))
    except VerificationFailed as wrong:
        checked = getattr(wrong.measurement, "verification", None) or Verification(0, False)
        return result_tree(
            case, "failed", str(wrong), verification=checked, environment=probe.environment
        )
    # A benchmark that calls sys.exit must not end the run of the others.
    except (Exception, SystemExit) as error:
        _LOG.debug("%s failed", case.key, exc_info=True)
        return result_tree(case, "failed", _describe(error), environment=probe.environment)


def _describe(error: BaseException) -> str:
    """Return one line that says what was raised, and where."""
    if isinstance(error, StratoperfError):
        return str(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__}: {error} ({Path(frame.filename).name}, line {frame.lineno})"
