"""Directories that the user assigns to kinds of disks."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple, TypeAlias

from stratoperf.errors import did_you_mean
from stratoperf.stratoswarm.memory.disks import DISK_KINDS

Directories: TypeAlias = Mapping[str, "str | os.PathLike[str] | Sequence[str | os.PathLike[str]]"]
"""Directories by the kind of disk that they are assigned to."""

DIRECTORIES_VARIABLE = "STRATOPERF_TIER_DIRECTORIES"
"""The environment variable that assigns directories to kinds of disks."""


class Assignments(NamedTuple):
    """The assignments of the environment: directories, and messages on wrong entries."""

    directories: dict[str, list[str]]
    wrong: tuple[str, ...]


def assignments() -> Assignments:
    """Return the assignments of the environment; a wrong entry does not hide the others."""
    chosen: dict[str, list[str]] = {}
    wrong: list[str] = []
    for item in filter(None, os.environ.get(DIRECTORIES_VARIABLE, "").split(",")):
        kind, equals, directory = (word.strip() for word in item.partition("="))
        if not equals or not directory:
            wrong.append(
                f"{DIRECTORIES_VARIABLE}: expected KIND=DIRECTORY, such as nvme=/mnt/fast, "
                f"got {item.strip()!r}"
            )
        elif kind not in DISK_KINDS:
            wrong.append(
                f"{DIRECTORIES_VARIABLE}: {kind!r} in {item.strip()!r} is not a kind of disk; "
                f"{did_you_mean(kind, DISK_KINDS)}"
            )
        else:
            chosen.setdefault(kind, []).append(directory)
    return Assignments(chosen, tuple(wrong))
