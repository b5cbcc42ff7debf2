"""What a container gets: its namespaces, limits, root and command, checked once."""

from __future__ import annotations

import dataclasses
import os
import stat
from collections.abc import Iterable, Sequence
from pathlib import Path

from stratoperf import arguments
from stratoperf._core import containers as native
from stratoperf.errors import InvalidParameter, did_you_mean
from stratoperf.paths import user_path

NAMESPACES = ("mount", "uts", "ipc", "network", "pid", "user", "cgroup")
"""The types of namespaces, in the order of the bits of the protocol."""

WAYS = ("cold", "pooled", "parked")
"""How a container comes to be: made from nothing, from prepared namespaces, or waiting."""

LONGEST_NAME = 63
"""Bytes of a host name, as the kernel limits it."""

PERIOD_US = 100_000
"""In which a container may use its share of CPUs."""

LONGEST_PATH = 4096
"""Bytes of a path, with its final zero, as the kernel limits it."""

MIN_MEMORY = 1 << 20
"""Below it the kernel cannot start a process in a control group."""


@dataclasses.dataclass(frozen=True)
class Limits:
    """Limits of a container's control group.

    Parameters
    ----------
    memory_bytes
        Maximum memory, in bytes; at least 1 MiB.
    cpus
        Maximum CPU time per time, in CPUs; at least 0.01.
    processes
        Maximum number of processes.

    Raises
    ------
    InvalidParameter
        For a limit out of range.
    """

    memory_bytes: int = 128 << 20
    cpus: float = 1.0
    processes: int = 64

    def __post_init__(self) -> None:
        arguments.whole_number("memory_bytes", self.memory_bytes, MIN_MEMORY, 1 << 50)
        arguments.number("cpus", self.cpus, at_least=0.01, at_most=10_000)
        arguments.whole_number("processes", self.processes, 1, 1 << 22)


def namespace_bits(namespaces: Iterable[str]) -> int:
    """Return the bits of the protocol.

    Raises
    ------
    InvalidParameter
        For an unknown namespace.
    """
    if isinstance(namespaces, str):
        namespaces = (namespaces,)
    bits = 0
    for name in namespaces:
        if name not in NAMESPACES:
            raise InvalidParameter(
                f"namespaces: {arguments.shown(name)} is unknown; "
                f"{did_you_mean(str(name), NAMESPACES)}"
            )
        bits |= 1 << NAMESPACES.index(name)
    return bits


def check_name(name: str) -> str:
    """Return a container's name.

    Raises
    ------
    InvalidParameter
        When the kernel cannot have it as a host name.
    """
    text = arguments.text("name", name)
    if len(os.fsencode(text)) > LONGEST_NAME:
        raise InvalidParameter(
            f"name: {arguments.shown(name)} has {len(os.fsencode(text))} bytes; use at most "
            f"{LONGEST_NAME}"
        )
    return text


def check_way(way: str) -> str:
    """Return one of `WAYS`.

    Raises
    ------
    InvalidParameter
        For another.
    """
    if way not in WAYS:
        raise InvalidParameter(
            f"way: {arguments.shown(way)} is unknown; {did_you_mean(str(way), WAYS)}"
        )
    return way


def check_command(command: Sequence[str]) -> list[str]:
    """Return the words of a command.

    Raises
    ------
    InvalidParameter
        For a string, no words, a relative program, or words that the system cannot be given.
    """
    if isinstance(command, str | bytes):
        raise InvalidParameter(
            f"command: expected a list of words, got {arguments.shown(command)}; split it"
        )
    words = [os.fspath(word) if isinstance(word, os.PathLike) else word for word in command]
    if not words or not all(
        isinstance(word, str) and arguments.is_for_system(word) for word in words
    ):
        raise InvalidParameter(
            f"command: expected words without null bytes, got {arguments.shown(command)}"
        )
    if not words[0].startswith("/"):
        raise InvalidParameter(
            f"command: {arguments.shown(words[0])} is not an absolute path; write the program's "
            "path in the container's root, such as '/bin/true'"
        )
    if len(words) > 250:
        raise InvalidParameter(f"command: expected at most 250 words, got {len(words)}")
    return words


def check_root(root: str | Path) -> str:
    """Return the real path of a directory that is to be a container's root.

    Raises
    ------
    InvalidParameter
        When it is not one.
    """
    path = user_path("root", root)
    shown = arguments.shown(str(path))
    try:
        is_directory = stat.S_ISDIR(path.stat().st_mode)
        real = os.path.realpath(path)
    except OSError as error:
        raise InvalidParameter(
            f"root: {shown} is not a directory that can be used: {error.strerror}; name one that "
            "has the directories dev and proc"
        ) from None
    if not is_directory:
        raise InvalidParameter(
            f"root: {shown} is not a directory; name one that has the directories dev and proc"
        )
    if len(os.fsencode(real)) >= LONGEST_PATH:
        raise InvalidParameter(
            f"root: its path has {len(os.fsencode(real))} bytes; use one of less than "
            f"{LONGEST_PATH}"
        )
    return real


def native_settings(
    *,
    name: str,
    namespaces: Iterable[str],
    limits: Limits | None,
    root: str | Path | None,
    command: Sequence[str] | None,
) -> native.Settings:
    """Return the settings of the protocol.

    Raises
    ------
    InvalidParameter
        For anything out of range, or settings that contradict each other.
    """
    settings = native.Settings()
    settings.name = check_name(name)
    settings.namespaces = namespace_bits(namespaces)
    chosen = {space for space in NAMESPACES if settings.namespaces >> NAMESPACES.index(space) & 1}
    if "pid" not in chosen and limits is None:
        raise InvalidParameter(
            "namespaces: without 'pid' only a control group finds all processes of a container; "
            "give limits, or keep 'pid'"
        )
    if limits is not None:
        if not isinstance(limits, Limits):
            raise InvalidParameter(
                f"limits: expected Limits or None, got {arguments.shown(limits)}"
            )
        settings.memory_bytes = limits.memory_bytes
        settings.cpu_us = round(limits.cpus * PERIOD_US)
        settings.processes = limits.processes
        settings.flags = native.LIMITED
    if root is not None:
        if "mount" not in chosen:
            raise InvalidParameter("root: a root of its own needs the namespace 'mount'; add it")
        settings.root = check_root(root)
    if command is not None:
        settings.command = check_command(command)
    return settings
