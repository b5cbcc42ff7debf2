"""What foreign code raised, in words that can be shown and stored."""

from __future__ import annotations

from pathlib import Path
from types import CodeType, TracebackType
from typing import Any

from stratoperf.errors import StratoperfError

LONGEST_MESSAGE = 2000
"""Characters of a message that are kept; an exception may carry a whole document."""


def describe(error: BaseException) -> str:
    """Return what was raised and where, whatever the exception does when it is asked.

    Parameters
    ----------
    error
        Its methods and attributes are foreign code: they may raise, or return anything.

    Returns
    -------
    str
        At most about 2000 characters that a file can hold. An error of this package says all by
        itself; of others it is the type, the message and the place.
    """
    kind = type(error)
    message = _message(error)
    # The type itself, not `isinstance`, which asks the object.
    if issubclass(kind, StratoperfError) and message:
        return storable(message)
    name = type_name(error)
    return storable(f"{name}: {message}{_place(error)}" if message else f"{name}{_place(error)}")


def type_name(error: BaseException) -> str:
    """Return the name of an exception's type."""
    # Not what a metaclass makes of it.
    name: str = type.__dict__["__name__"].__get__(type(error))
    return storable(name)


def storable(text: str) -> str:
    r"""Return text that UTF-8 has bytes for: a lone surrogate becomes ``\udc80``, say."""
    return text.encode("utf-8", "backslashreplace").decode()


def is_storable(text: str) -> bool:
    """Return whether UTF-8 can encode every character; it cannot encode lone surrogates."""
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _message(error: BaseException) -> str:
    try:
        # Exactly a string: a subclass could do anything when it is used.
        text = str.__str__(str(error))
    except BaseException as problem:
        return f"(its message cannot be shown: {type(problem).__name__} in __str__)"
    if len(text) > LONGEST_MESSAGE:
        return f"{text[:LONGEST_MESSAGE]}... ({len(text)} characters in all)"
    return text


def _place(error: BaseException) -> str:
    # The attribute of the base class: a subclass may have put something else in its way.
    attribute: Any = BaseException.__dict__["__traceback__"]
    last: TracebackType | None = attribute.__get__(error)
    if last is None:
        return ""
    while last.tb_next is not None:
        last = last.tb_next
    code: CodeType = last.tb_frame.f_code
    return f" ({Path(code.co_filename).name}, line {last.tb_lineno})"
