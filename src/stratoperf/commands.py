"""Commands that a message suggests, written so that a shell takes them as they are meant."""

from __future__ import annotations

import os
import shlex

_OWN_ESCAPES = {ord("'"): r"\047", ord("\\"): r"\\", ord("%"): "%%"}


def command_text(*words: str | os.PathLike[str]) -> str:
    """Return a command that can be pasted into a POSIX shell.

    Parameters
    ----------
    words
        The words of the command. A path, in contrast to a text, is never taken as an option: it
        begins with ``./`` where it would begin with a ``-``.

    Examples
    --------
    >>> command_text("stratoperf", "claims", "my results/latest.json")
    "stratoperf claims 'my results/latest.json'"
    """
    return " ".join(map(_quoted, words))


def _quoted(word: str | os.PathLike[str]) -> str:
    text = os.fsdecode(word)
    if not isinstance(word, str) and text.startswith("-"):
        text = f"./{text}"
    if text.isprintable():
        return shlex.quote(text)
    # Bytes that are not text, and what a terminal would act on, survive printing only as escapes.
    # A substitution loses line breaks at the end, which the slash of a folder would protect.
    octal = "".join(map(_octal, os.fsencode(text)))
    return f"\"$(printf '{octal}')\""


def _octal(byte: int) -> str:
    plain = chr(byte)
    if plain.isascii() and plain.isprintable():
        return _OWN_ESCAPES.get(byte, plain)
    return rf"\{byte:03o}"
