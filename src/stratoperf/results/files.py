"""Files that are written as a whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from stratoperf.errors import InvalidParameter, StratoperfError
from stratoperf.results.columns import Array
from stratoperf.results.leftovers import create_temporary, names_file, sweep


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that gets its name only when it is complete and on the disk.

    Parameters
    ----------
    path
        Where the content is to appear; its directory exists. An older file there stays whole
        until it is replaced, and stays for good when the block raises. A symbolic link is
        replaced, not what it points to.

    Raises
    ------
    StratoperfError
        When the disk is full, the directory is not writable, or `path` is a device or the like;
        the message names the path.
    """
    with describe_failure(path):
        if (path.exists() and not path.is_file()) or _leads_to_a_descriptor(path):
            raise StratoperfError(f"cannot write {path}: it is not a regular file; {_OTHER_NAME}")
        sweep(path.parent)
        descriptor, temporary = create_temporary(path.parent)
        # The lock on the file shows that it is in use: it is closed once it has its name.
        with os.fdopen(descriptor, "wb") as file:
            try:
                yield file
                file.flush()
                os.fsync(descriptor)
                temporary.replace(path)
            except BaseException:
                if names_file(temporary, descriptor):
                    temporary.unlink()
                raise
        sync_directory(path.parent)


def _leads_to_a_descriptor(path: Path) -> bool:
    """Return whether a path is a link such as ``/dev/stdout``: root could replace it for all."""
    return path.is_symlink() and str(path.readlink()).startswith("/proc/")


@contextlib.contextmanager
def describe_failure(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` of the block into one sentence that names `path`."""
    try:
        yield
    except OSError as error:
        remedy = _REMEDIES.get(error.errno or 0, "choose another directory")
        raise StratoperfError(
            f"cannot write {path}: {error.strerror or error}; {remedy}"
        ) from error


_OTHER_NAME = "choose another name"
_FREE_SPACE = "free space, or choose another directory"
_REMEDIES = {
    errno.ENOSPC: _FREE_SPACE,
    errno.EDQUOT: _FREE_SPACE,
    errno.EFBIG: _FREE_SPACE,
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.EISDIR: _OTHER_NAME,
}


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory to the disk, where the file system can."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOSYS}:
            raise
    finally:
        os.close(descriptor)


def write_whole(descriptor: int, content: bytes, offset: int) -> None:
    """Write at an offset and bring it to the disk."""
    rest = memoryview(content)
    while rest:
        written = os.pwrite(descriptor, rest, offset)
        rest, offset = rest[written:], offset + written
    os.fsync(descriptor)


def write_arrays(file: IO[bytes], members: Mapping[str, Callable[[], Array]]) -> None:
    """Write an ``.npz``, one member at a time.

    Parameters
    ----------
    file
        Open for writing.
    members
        For each name what yields the array: only one of them is in memory at a time, which
        `numpy.savez` cannot do.
    """
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
        for name, load in members.items():
            with archive.open(f"{name}.npy", "w", force_zip64=True) as member:
                np.lib.format.write_array(_as_io(member), load(), allow_pickle=False)


def check_directory(directory: Path, argument: str) -> None:
    """Create a directory unless it exists, and prove that files can be written in it.

    Raises
    ------
    InvalidParameter
        Names the argument, the directory and the reason.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        sweep(directory)
        descriptor, temporary = create_temporary(directory)
        try:
            os.write(descriptor, b"\0")
        finally:
            temporary.unlink()
            os.close(descriptor)
    except OSError as error:
        raise InvalidParameter(
            f"{argument}: cannot write to {str(directory)!r}: {error.strerror or error}; "
            "choose a writable directory"
        ) from error


def check_no_run(path: Path, argument: str) -> None:
    """Make sure that a report does not replace a run file.

    Raises
    ------
    InvalidParameter
        Names the argument and the file.
    """
    with contextlib.suppress(OSError):
        if looks_like_run(path):
            raise InvalidParameter(
                f"{argument}: {path} is a run file, which the report would replace; give another "
                "name"
            )


def looks_like_run(path: Path) -> bool:
    """Return whether the beginning of a file is that of a run file; it is not read further."""
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return b'"stratoperf.run/' in file.read(_HEAD_BYTES)


_HEAD_BYTES = 4096


def _as_io(member: Any) -> IO[bytes]:
    file: IO[bytes] = member
    return file
