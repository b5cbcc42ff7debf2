"""Temporary files and directories, and what is left of them when their process dies.

Each is ours by two signs: a name that ends in its own checksum, and a lock that its writer holds.
A lock goes away with its process, also across containers that share the folder; a number of a
process would name another one there.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import secrets
import stat
from collections.abc import Iterator
from pathlib import Path

HEADER = "run.json"
LINES = "results.jsonl"
ARRAYS = "arrays.npz"

_TEMPORARY = re.compile(r"\.stratoperf-([0-9a-f]{16})([0-9a-f]{8})\.part")
# Versions without locks made these inside a journal.
_OLD_TEMPORARY = re.compile(r"\.(run\.json|results\.jsonl|\d{4,}\.npz)\.[a-z0-9_]{8}\.part")
_SERIES = re.compile(r"\d{4,}\.npz")


def create_temporary(directory: Path) -> tuple[int, Path]:
    """Create a file under a name of ours and lock it.

    Returns
    -------
    tuple
        The descriptor, which holds the lock until it is closed, and the path.
    """
    while True:
        path = directory / _temporary_name()
        descriptor = _create_locked(path)
        if descriptor is not None:
            return descriptor, path


def create_temporary_directory(directory: Path) -> tuple[int, Path]:
    """Create a directory under a name of ours, with a locked file `LINES` in it.

    Returns
    -------
    tuple
        The descriptor of the file, which holds the lock until it is closed, and the directory.
    """
    while True:
        path = directory / _temporary_name()
        path.mkdir()
        # Somebody who sweeps may take an empty directory for a leftover.
        with contextlib.suppress(FileNotFoundError):
            descriptor = _create_locked(path / LINES)
            if descriptor is not None:
                return descriptor, path


def lock(descriptor: int) -> bool:
    """Lock a file for as long as it is open; return whether nobody else holds the lock.

    On file systems that know no locks, nobody ever does.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def names_file(path: Path, descriptor: int) -> bool:
    """Return whether a path still names the file that is open."""
    try:
        return os.path.samestat(path.stat(follow_symlinks=False), os.fstat(descriptor))
    except OSError:
        return False


def foreign_names(directory: Path) -> list[str]:
    """Return what lies in a journal's directory but was not made by the library."""
    with os.scandir(directory) as entries:
        return sorted(entry.name for entry in entries if not _belongs_to_journal(entry))


def remove_journal_files(directory: Path) -> None:
    """Delete the files of a journal by their names, and the directory when nothing else is in it.

    The caller holds the lock of the journal.

    Raises
    ------
    OSError
        When a file cannot be deleted; the file with the lock is then still there.
    """
    with os.scandir(directory) as entries:
        names = {entry.name for entry in entries if _belongs_to_journal(entry)}
    # Without its header it is no journal any more; the lock lies on the lines.
    for name in sorted(names, key=lambda name: (name != HEADER, name == LINES)):
        (directory / name).unlink()
    with contextlib.suppress(OSError):
        directory.rmdir()


def set_aside(directory: Path) -> Path:
    """Give a journal that is to be deleted a temporary name, so that it is gone at once.

    Returns
    -------
    pathlib.Path
        Where it lies now: where it was, when it holds more than a journal or cannot be moved.
    """
    aside = directory.with_name(_temporary_name())
    try:
        if foreign_names(directory):
            return directory
        directory.rename(aside)
    except OSError:
        return directory
    return aside


def sweep(directory: Path) -> None:
    """Delete temporary files that nobody is writing to any more."""
    for path in _temporaries(directory):
        with contextlib.suppress(OSError):
            mode = path.stat(follow_symlinks=False).st_mode
            if stat.S_ISREG(mode):
                _remove_dead_file(path)
            elif stat.S_ISDIR(mode):
                _remove_dead_directory(path)


def _remove_dead_file(path: Path) -> None:
    with _locked(path):
        path.unlink()


def _remove_dead_directory(path: Path) -> None:
    try:
        with _locked(path / LINES):
            remove_journal_files(path)
    except FileNotFoundError:
        # Its process died right at the beginning, or right before the end of the removal.
        path.rmdir()


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file that nobody else writes to.

    Raises
    ------
    OSError
        When somebody does, or when that cannot be known.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _temporary_name() -> str:
    number = secrets.token_hex(8)
    return f".stratoperf-{number}{_checksum(number)}.part"


def _checksum(number: str) -> str:
    return hashlib.sha256(f"stratoperf {number}".encode()).hexdigest()[:8]


def _is_temporary(name: str) -> bool:
    match = _TEMPORARY.fullmatch(name)
    return match is not None and _checksum(match[1]) == match[2]


def _temporaries(directory: Path) -> list[Path]:
    try:
        return [path for path in directory.iterdir() if _is_temporary(path.name)]
    except OSError:
        return []


def _belongs_to_journal(entry: os.DirEntry[str]) -> bool:
    known = entry.name in {HEADER, LINES, ARRAYS} or any(
        pattern.fullmatch(entry.name) for pattern in (_SERIES, _OLD_TEMPORARY)
    )
    return (known or _is_temporary(entry.name)) and entry.is_file(follow_symlinks=False)


def _create_locked(path: Path) -> int | None:
    """Create a file and lock it; return ``None`` when somebody who sweeps was faster."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
    if lock(descriptor) and names_file(path, descriptor):
        return descriptor
    os.close(descriptor)
    return None
