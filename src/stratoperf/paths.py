"""Paths that users give."""

from __future__ import annotations

import os
from pathlib import Path

from stratoperf.arguments import is_for_system, shown
from stratoperf.errors import InvalidParameter


def user_path(argument: str, path: object) -> Path:
    """Return a path that a user gave.

    Parameters
    ----------
    argument
        Name of the argument, for messages.
    path
        The path, as text or as an object that stands for a path.

    Raises
    ------
    InvalidParameter
        For other types, and for text that no file system takes as a name.
    """
    try:
        name = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    # Whatever the conversion of a foreign type raises.
    except Exception:
        name = None
    if not isinstance(name, str) or not name:
        raise InvalidParameter(
            f"{argument}: expected a path, got {shown(path)}; give a non-empty string or "
            "a pathlib.Path"
        )
    if not is_for_system(name):
        raise InvalidParameter(
            f"{argument}: {shown(path)} cannot be a file name; remove null characters and lone "
            "surrogates"
        )
    return Path(name)


def absolute_path(argument: str, path: object) -> Path:
    """Return where a path that a user gave leads now: a benchmark may change the directory.

    Raises
    ------
    InvalidParameter
        As `user_path` does, and for a relative path in a directory that was deleted.
    """
    relative = user_path(argument, path)
    try:
        return relative.absolute()
    except FileNotFoundError:
        raise InvalidParameter(
            f"{argument}: {str(relative)!r} is relative to the working directory, which was "
            "deleted; change to another one, or give an absolute path"
        ) from None


def is_directory(path: Path) -> bool:
    """Return whether a path leads to a directory; of what cannot be looked at it does not."""
    try:
        return path.is_dir()
    except (OSError, ValueError):
        return False


def is_file(path: Path) -> bool:
    """Return whether a path leads to a regular file; of what cannot be looked at it does not."""
    try:
        return path.is_file()
    except (OSError, ValueError):
        return False
