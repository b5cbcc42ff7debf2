"""Checks of what goes into the fields of a command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from stratoperf import arguments
from stratoperf.errors import InvalidParameter, did_you_mean

NAMESPACES = {
    "pid": 0x01,
    "net": 0x02,
    "ipc": 0x04,
    "uts": 0x08,
    "mnt": 0x10,
    "user": 0x20,
    "cgroup": 0x40,
}
MOUNT_FLAGS = {"readonly": 1, "nosuid": 2, "noexec": 4, "nodev": 8}
ACCESSES = {"read": 1, "write": 2}

LARGEST_U32 = 2**32 - 1
LARGEST_U64 = 2**64 - 1


def u32(argument: str, value: object, at_least: int = 0) -> int:
    """Return a value that fits into 32 bits without a sign.

    Raises
    ------
    InvalidParameter
        Otherwise.
    """
    return arguments.whole_number(argument, value, at_least, LARGEST_U32)


def u64(argument: str, value: object, at_least: int = 0) -> int:
    """Return a value that fits into 64 bits without a sign.

    Raises
    ------
    InvalidParameter
        Otherwise.
    """
    return arguments.whole_number(argument, value, at_least, LARGEST_U64)


def field_text(argument: str, value: object, most_bytes: int) -> str:
    """Return a text that fits into a field, as UTF-8 and with a NUL after it.

    Raises
    ------
    InvalidParameter
        Otherwise.
    """
    text = arguments.text(argument, value)
    size = len(text.encode())
    if size > most_bytes:
        raise InvalidParameter(
            f"{argument}: expected at most {most_bytes} bytes of UTF-8, got {size} "
            f"({arguments.shown(text)}); shorten it"
        )
    return text


def flags(argument: str, names: object, known: Mapping[str, int]) -> int:
    """Return the bits of flags that are given by name.

    Raises
    ------
    InvalidParameter
        For anything but a collection of known names.
    """
    if isinstance(names, str) or not isinstance(names, Iterable):
        raise InvalidParameter(
            f"{argument}: expected a collection of {', '.join(known)}, got {arguments.shown(names)}"
        )
    bits = 0
    for name in names:
        if not isinstance(name, str) or name not in known:
            raise InvalidParameter(
                f"{argument}: {arguments.shown(name)} is unknown; {did_you_mean(str(name), known)}"
            )
        bits |= known[name]
    return bits
