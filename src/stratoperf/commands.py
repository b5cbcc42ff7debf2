"""Commands that a message suggests, written so that a shell takes them as they are meant."""

from __future__ import annotations

import os
import shlex
import sys
from pathlib import Path

from stratoperf.failures import storable
from stratoperf.text.safety import log_line, only_ascii

LOAD_MODULES = "STRATOPERF_LOAD_MODULES"
"""The variable that is ``1`` where the user allowed benchmarks to load and unload kernel modules.

``run --load-modules`` sets it, and the processes that measure inherit it."""


def command_text(*words: str | os.PathLike[str]) -> str:
    """Return a command that can be pasted into a POSIX shell.

    Parameters
    ----------
    words
        The words of the command. A path, in contrast to a text, is never taken for an option: it
        begins with ``./`` where it would begin with a ``-``.

    Examples
    --------
    >>> command_text("stratoperf", "claims", "my results/latest.json")
    "stratoperf claims 'my results/latest.json'"
    """
    return " ".join(map(_quoted, words))


def this_command() -> list[str]:
    """Return the command line of this process, as a run file keeps it.

    Where the program lies says nothing about the run. Bytes that are not text become escapes, which
    JSON can hold.
    """
    program, *arguments = sys.argv or [""]
    words = (Path(program).name, *arguments)
    return [storable(str(word)) for word in words]


def _quoted(word: str | os.PathLike[str]) -> str:
    text = os.fsdecode(word)
    if not isinstance(word, str) and text.startswith("-"):
        text = f"./{text}"
    # What stands in for a stream may have no encoding.
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    is_shown = text.isascii() or not only_ascii(encoding)
    if is_shown and log_line(text) == text:
        return shlex.quote(text)
    # Bytes that are not text, and what would be escaped on its way to the reader.
    octal = "".join(map(_octal, os.fsencode(text)))
    return f"\"$(printf '{octal}')\""


def _octal(byte: int) -> str:
    letter = chr(byte)
    return (
        letter if letter.isascii() and (letter.isalnum() or letter in "/._ ") else f"\\{byte:03o}"
    )
