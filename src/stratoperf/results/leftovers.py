"""Temporary files and directories, and what is left of them when their process dies.

Each is ours by two signs: a name that ends in its own checksum, and a lock that its writer holds.
A lock goes away with its process, also across containers that share the folder; a number of a
process would name another one there. Some network file systems keep the locks of each machine to
itself: the name says from which machine a file is, and those of others have to be old as well.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import hashlib
import os
import platform
import re
import secrets
import stat
import weakref
from collections.abc import Iterator
from pathlib import Path

from stratoperf.errors import StratoperfError
from stratoperf.results.names import ARRAYS, HEADER, LINES

_TEMPORARY = re.compile(r"\.stratoperf-([0-9a-f]{16}([0-9a-f]{8}))([0-9a-f]{8})\.part")
_LONGEST_PAUSE_S = 600.0
"""No writer leaves a temporary file unchanged for that long."""

_SERIES = re.compile(r"\d{4,}\.npz")
_OPEN_ONLY = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class LockedFile:
    """A file that stays open, with its lock, while benchmarks run.

    They may close every descriptor and open files of their own, so the number alone says nothing:
    each use makes sure that it still names this file.

    Parameters
    ----------
    path
        The file.
    descriptor
        Open and locked; it belongs to this object from now on.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path = path
        self._descriptor: int | None = descriptor
        self._status = os.fstat(descriptor)
        _LOCKED_FILES.add(self)

    @property
    def is_closed(self) -> bool:
        """Whether `close` was called, also by a fork in the child."""
        return self._descriptor is None

    def descriptor(self) -> int:
        """Return the descriptor; if foreign code closed it, the file is opened and locked again.

        Raises
        ------
        StratoperfError
            When the path does not name the file any more, or another process took it over.
        """
        if self._descriptor is None:
            raise StratoperfError(f"{self._path} is closed")
        if not self._is_own(self._descriptor):
            self._descriptor = self._open_again()
        if not names_file(self._path, self._descriptor):
            raise self._removed()
        return self._descriptor

    def note_size(self) -> None:
        """Remember how large the file is, after writing to it."""
        if self._descriptor is not None and self._is_own(self._descriptor):
            self._status = os.fstat(self._descriptor)

    def close(self) -> None:
        """Let go of the lock; a descriptor that is not ours any more stays open."""
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None and self._is_own(descriptor):
            os.close(descriptor)

    def _is_own(self, descriptor: int) -> bool:
        try:
            return os.path.samestat(os.fstat(descriptor), self._status)
        except OSError:
            return False

    def _open_again(self) -> int:
        try:
            descriptor = os.open(self._path, _OPEN_ONLY)
        except FileNotFoundError:
            raise self._removed() from None
        is_free = lock(descriptor) is not False
        if is_free and self._is_own(descriptor):
            # A process that had the lock in between may have added to the file.
            if os.fstat(descriptor).st_size == self._status.st_size:
                return descriptor
            is_free = False
        os.close(descriptor)
        if is_free:
            raise self._removed()
        raise StratoperfError(
            f"{self._path}: a benchmark closed this file, and another process has used it since; "
            "do not close descriptors that the benchmark did not open"
        )

    def _removed(self) -> StratoperfError:
        return StratoperfError(
            f"{self._path} was removed or replaced during the run, and its results with it; start "
            "a new run"
        )


_LOCKED_FILES: weakref.WeakSet[LockedFile] = weakref.WeakSet()


def _close_in_child() -> None:
    """Let a forked child hold no lock: it may live longer than the run."""
    for file in list(_LOCKED_FILES):
        file.close()


os.register_at_fork(after_in_child=_close_in_child)


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


def lock(descriptor: int) -> bool | None:
    """Lock a file for as long as it is open.

    Returns
    -------
    bool or None
        Whether no other process holds the lock; ``None`` if that is unknown, as on a file system
        without locks.
    """
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return None
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
    # Without its header it is not a journal any more; the lock is on the lines.
    for name in sorted(names, key=lambda name: (name != HEADER, name == LINES)):
        (directory / name).unlink()
    with contextlib.suppress(OSError):
        directory.rmdir()


def set_aside(directory: Path) -> Path:
    """Rename a journal before deleting it, so that it is gone at once.

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
    """Delete temporary files that no process writes to."""
    for path in _temporaries(directory):
        with contextlib.suppress(OSError):
            if not _is_of_this_machine(path.name) and _age_s(path) < _LONGEST_PAUSE_S:
                continue
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
    """Hold the lock of a file that no other process writes to.

    Raises
    ------
    OSError
        When somebody does, or when that cannot be known.
    """
    descriptor = os.open(path, _OPEN_ONLY)
    try:
        if not lock(descriptor):
            raise BlockingIOError(errno.EWOULDBLOCK, os.strerror(errno.EWOULDBLOCK), str(path))
        yield
    finally:
        os.close(descriptor)


def _temporary_name() -> str:
    number = secrets.token_hex(8) + machine()
    return f".stratoperf-{number}{_checksum(number)}.part"


def _checksum(number: str) -> str:
    return hashlib.sha256(f"stratoperf {number}".encode()).hexdigest()[:8]


def _is_temporary(name: str) -> bool:
    match = _TEMPORARY.fullmatch(name)
    return match is not None and _checksum(match[1]) == match[3]


@functools.cache
def machine() -> str:
    """Return what tells machines apart whose locks may not know of each other.

    All containers of a machine have it in common; a restart changes it.
    """
    try:
        start = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        start = platform.node()
    return hashlib.sha256(f"stratoperf machine {start.strip()}".encode()).hexdigest()[:8]


def _is_of_this_machine(name: str) -> bool:
    match = _TEMPORARY.fullmatch(name)
    return match is not None and match[2] == machine()


def _age_s(path: Path) -> float:
    """Return how long ago a file, or a directory with what is in it, was changed."""
    parts = [path, *(path.iterdir() if path.is_dir() and not path.is_symlink() else ())]
    # By the clock of the file system, which a new file shows.
    descriptor, new = create_temporary(path.parent)
    try:
        now = os.fstat(descriptor).st_mtime
    finally:
        new.unlink()
        os.close(descriptor)
    changed_at: float = max(each.stat(follow_symlinks=False).st_mtime for each in parts)
    return now - changed_at


def _temporaries(directory: Path) -> list[Path]:
    try:
        return [path for path in directory.iterdir() if _is_temporary(path.name)]
    except OSError:
        return []


def _belongs_to_journal(entry: os.DirEntry[str]) -> bool:
    is_known = (
        entry.name in {HEADER, LINES, ARRAYS}
        or _SERIES.fullmatch(entry.name) is not None
        or _is_temporary(entry.name)
    )
    return is_known and entry.is_file(follow_symlinks=False)


def _create_locked(path: Path) -> int | None:
    """Create a file and lock it; return ``None`` when somebody who sweeps was faster."""
    descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o666)
    if lock(descriptor) is not False and names_file(path, descriptor):
        return descriptor
    os.close(descriptor)
    return None
