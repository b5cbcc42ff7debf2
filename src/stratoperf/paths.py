"""Paths that users give."""

from __future__ import annotations

import os
from pathlib import Path

from stratoperf.errors import InvalidParameter


def user_path(argument: str, path: object) -> Path:
    """Return a path that a user gave.

    Parameters
    ----------
    argument
        Whose it is, for messages.
    path
        The path, as text or as an object that stands for a path.

    Raises
    ------
    InvalidParameter
        For other types, and for text that no file system takes as a name.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise InvalidParameter(f"{argument}: expected a path as text, got {path!r}")
    if "\0" in text:
        raise InvalidParameter(
            f"{argument}: {text!r} has a null character, which no path can have; remove it"
        )
    try:
        os.fsencode(text)
    except UnicodeEncodeError as error:
        raise InvalidParameter(
            f"{argument}: {text!r} has a character that no path can have here, "
            f"{text[error.start]!r}; remove it"
        ) from None
    return Path(text)


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
            "deleted; go to another one, or give an absolute path"
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
