"""Whether containers can be made here: it makes one."""

from __future__ import annotations

import os
from pathlib import Path

from stratoperf.authoring import SystemFiles
from stratoperf.errors import StratoperfError
from stratoperf.stratoswarm.containers.availability import (
    Availability,
    blocking_setting,
    remedy_for,
)
from stratoperf.stratoswarm.containers.spawner import Spawner


def available() -> Availability:
    """Make a container with all namespaces, and verify it from inside.

    Returns
    -------
    Availability
        With the setting that is in the way and the command that changes it, where it is known.
    """
    blocked = blocking_setting(SystemFiles(Path("/")), is_root=os.geteuid() == 0)
    try:
        with Spawner() as spawner:
            spawner.spawn(name="probe").verify()
    except StratoperfError as error:
        if blocked is not None:
            return blocked
        reason, _, remedy = str(error).partition("; ")
        return Availability(False, reason, remedy or remedy_for(reason))
    return Availability(True)
