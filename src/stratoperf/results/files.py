"""Files that are either there, whole, or not there at all."""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

import numpy as np

from stratoperf.errors import InvalidParameter, StratoperfError
from stratoperf.results.columns import Array


@contextlib.contextmanager
def atomic_file(path: Path) -> Iterator[IO[bytes]]:
    """Open a file for writing that takes its name only once it is complete and on the disk.

    Parameters
    ----------
    path
        Where the content is to appear; its directory exists. An older file there stays whole
        until it is replaced, and stays for good when the block raises.

    Raises
    ------
    StratoperfError
        When the disk is full or the directory cannot be written to; names the path.
    """
    temporary: Path | None = None
    try:
        with describe_failure(path):
            handle, name = tempfile.mkstemp(
                dir=path.parent, prefix=f".{path.name}.", suffix=".part"
            )
            temporary = Path(name)
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                # mkstemp keeps the file to its owner; results are for sharing.
                os.fchmod(file.fileno(), 0o666 & ~_umask())
                os.fsync(file.fileno())
            temporary.replace(path)
            temporary = None
            sync_directory(path.parent)
    finally:
        if temporary is not None:
            temporary.unlink(missing_ok=True)


@contextlib.contextmanager
def describe_failure(path: Path) -> Iterator[None]:
    """Turn an ``OSError`` of the block into one sentence that names `path`."""
    try:
        yield
    except OSError as error:
        raise StratoperfError(
            f"cannot write {path}: {error.strerror or error}; "
            "free space, or choose another directory"
        ) from error


def sync_directory(directory: Path) -> None:
    """Bring the names in a directory to the disk."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


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
        with tempfile.NamedTemporaryFile(
            dir=directory, prefix=".stratoperf.", buffering=0
        ) as probe:
            probe.write(b"\0")
    except OSError as error:
        raise InvalidParameter(
            f"{argument}: cannot write to {str(directory)!r}: {error.strerror or error}; "
            "choose a directory that can be written to"
        ) from error


def _umask() -> int:
    # The only way to read it is to set it.
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _as_io(member: Any) -> IO[bytes]:
    file: IO[bytes] = member
    return file
