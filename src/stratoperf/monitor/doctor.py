"""The doctor: what this machine can measure, what makes it noisy, and how to fix it."""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

from stratoperf.monitor.files import SystemFiles
from stratoperf.monitor.model import Check, SystemInfo
from stratoperf.monitor.noise import NoiseProbe

WINDOW_S = 0.5
"""Fifty ticks of the kernel's CPU accounting: enough to see theft of a few percent."""


def diagnose(
    root: str | Path = "/",
    *,
    output: str | Path = "results",
    window_s: float = WINDOW_S,
    further: Iterable[Check] = (),
    info: SystemInfo | None = None,
) -> list[Check]:
    """Examine the machine without changing it.

    Parameters
    ----------
    root
        The directory that stands for ``/``, for tests.
    output
        Directory of the results, whose disk is checked.
    window_s
        Minimum time to watch for steal time and other processes, in seconds.
    further
        Findings of packages, to add to these.
    info
        What `system` says of this machine, where it is known already.

    Returns
    -------
    list of Check
        By topic: what can be measured, noise, limits.
    """
    files = SystemFiles(root)
    end = time.monotonic() + window_s
    # All other work is part of the window, with its imports: it wants a CPU just as well.
    with NoiseProbe(root) as probe:
        from stratoperf.monitor.capability_checks import capability_checks
        from stratoperf.monitor.limit_checks import limit_checks
        from stratoperf.monitor.machine import system
        from stratoperf.monitor.noise_checks import noise_checks

        about = system(root) if info is None else info
        measures = [*capability_checks(files, about), *further]
        noise = [*noise_checks(about), *_battery(files)]
        limits = limit_checks(files, Path(output))
        # Theft shows only where something wants to run.
        while time.monotonic() < end:
            pass
    return [*measures, *noise, _competition(probe), *limits]


def _competition(probe: NoiseProbe) -> Check:
    window_s = probe.environment["seconds"]
    load = probe.environment["load_average"]
    shown = f"load average {load[0]:.2f}" if load else "load average unknown"
    if not probe.warnings:
        steal = probe.environment["steal_percent"]
        stolen = "unknown" if steal is None else f"{steal:.1f} %"
        detail = f"quiet for {window_s:.2g} s: steal {stolen}, {shown}"
        return Check(name="competition", status="ok", detail=detail)
    return Check(
        name="competition",
        status="warning",
        detail=f"within {window_s:.2g} s: {'; '.join(probe.warnings)} ({shown})",
        remedy="top -o %CPU  # and stop what is not needed",
    )


def _battery(files: SystemFiles) -> list[Check]:
    """Return a check where a mains adapter exists, which machines without a battery lack."""
    folder = files.path("/sys/class/power_supply")
    try:
        supplies = sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []
    for name in supplies:
        if files.text(f"/sys/class/power_supply/{name}/type") != "Mains":
            continue
        if files.integer(f"/sys/class/power_supply/{name}/online") == 1:
            return [Check(name="power", status="ok", detail="mains")]
        return [
            Check(
                name="power",
                status="warning",
                detail="runs on battery: the firmware limits the frequency",
                remedy="plug in the power adapter",
            )
        ]
    return []
