"""Asking what packages contribute to the doctor, whatever these functions do."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Iterable
from pathlib import Path

from stratoperf.failures import describe
from stratoperf.monitor.model import Check
from stratoperf.running.containment import Containment
from stratoperf.running.contributions import DoctorCheck
from stratoperf.running.process_state import IMPORTING

PATIENCE_S = 10.0
"""For how long one function may examine the machine. Ours take milliseconds."""


def findings(
    checks: Iterable[DoctorCheck], root: str | Path = "/", patience_s: float = PATIENCE_S
) -> list[Check]:
    """Return what the functions find, and a finding for each that fails.

    Parameters
    ----------
    checks
        What packages contributed.
    root
        The folder that stands for ``/``.
    patience_s
        Seconds until a function that does not return is left alone.
    """
    return [finding for check in checks for finding in _findings(check, Path(root), patience_s)]


def _findings(check: DoctorCheck, root: Path, patience_s: float) -> list[Check]:
    checks: list[Check] = []
    faults: list[str] = []

    def ask() -> None:
        try:
            takes_root = "root" in inspect.signature(check.function).parameters
            answer = check.function(root=root) if takes_root else check.function()
            several = [answer] if isinstance(answer, Check) else list(answer)
            wrong = [check for check in several if not isinstance(check, Check)]
            if wrong:
                faults.append(f"returned a {type(wrong[0]).__name__} among its findings")
            else:
                checks.extend(several)
        except BaseException as error:
            faults.append(f"raised {describe(error)}")

    # A thread of its own: what does not return cannot be ended, but it can be left alone.
    thread = threading.Thread(target=ask, name=check.name, daemon=True)
    with Containment(IMPORTING) as around:
        thread.start()
        thread.join(patience_s)
    around.pass_on()
    if thread.is_alive():
        faults.append(f"did not answer within {patience_s:g} s")
    if not faults:
        return checks
    return [
        Check(
            name=check.name,
            status="unknown",
            detail=f"the check {check.name} of the package {check.package} {faults[0]}",
            remedy=f"correct or upgrade the package {check.package}; it must return sp.Check",
            topic="measures",
        )
    ]
