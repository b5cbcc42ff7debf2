"""The standard streams across foreign code, which may close, replace or redirect them."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
import sys
from collections.abc import Callable
from typing import IO, Any

from stratoperf.running.kept_descriptor import DescriptorLost, KeptDescriptor

_NAMES = ("stdin", "stdout", "stderr")


def keep_standard_streams() -> Callable[[], str | None]:
    """Remember the standard streams and their descriptors.

    Returns
    -------
    callable
        Makes them work as before, and returns their names when they did not. Raises
        `DescriptorLost` with the names of those that cannot be put back.
    """
    streams = [_Stream(name) for name in _NAMES]
    descriptors = [_Descriptor(number) for number in range(len(_NAMES))]

    def restore() -> str | None:
        # A stream that is dropped closes its descriptor with it: so the descriptors come second,
        # and what was closed is opened again last.
        changed = [stream.name for stream in streams if stream.put_back()]
        lost: list[str] = []
        for put_back in (
            *(descriptor.put_back for descriptor in descriptors),
            *(stream.reopen for stream in streams),
        ):
            try:
                name = put_back()
            except DescriptorLost as error:
                lost.append(str(error))
            else:
                changed += [] if name is None else [name]
        if lost:
            raise DescriptorLost(", ".join(dict.fromkeys(lost)))
        return ", ".join(dict.fromkeys(changed)) or None

    return restore


class _Stream:
    """One of the objects in `sys`."""

    def __init__(self, name: str) -> None:
        self.name = f"sys.{name}"
        self._attribute = name
        self._stream: Any = getattr(sys, name)
        self._was_open = _is_open(self._stream)
        self._reopening: Callable[[], None] | None = None
        if type(self._stream) is io.TextIOWrapper and self._was_open:
            with contextlib.suppress(OSError, ValueError):
                self._reopening = _reopening(self._stream, self.name)

    def put_back(self) -> bool:
        """Put the object back; return whether another stood in its place."""
        current: Any = getattr(sys, self._attribute, None)
        if current is self._stream:
            return False
        setattr(sys, self._attribute, self._stream)
        buffer = getattr(self._stream, "buffer", None)
        with contextlib.suppress(Exception):
            if buffer is not None and getattr(current, "buffer", None) is buffer:
                # It would close what it shares with ours when it goes away.
                current.detach()
        return True

    def reopen(self) -> str | None:
        """Make a closed stream work again; return its name if it was closed."""
        if not self._was_open or _is_open(self._stream):
            return None
        if self._reopening is not None:
            self._reopening()
        else:
            fallback: IO[str] | None = getattr(sys, f"__{self._attribute}__")
            setattr(sys, self._attribute, fallback)
        return self.name


def _is_open(stream: Any) -> bool:
    try:
        return not getattr(stream, "closed", True)
    except ValueError:  # its buffer was detached
        return False


def _reopening(stream: io.TextIOWrapper, name: str) -> Callable[[], None]:
    """Return what opens a stream again once it is closed, when it does not tell its settings."""
    number = stream.fileno()
    kept = KeptDescriptor(number)
    writes = stream.writable()
    settings: dict[str, Any] = {
        name: getattr(stream, name)
        for name in ("encoding", "errors", "line_buffering", "write_through")
    }

    def reopen() -> None:
        kept.check(name)
        file = io.FileIO(number, "w" if writes else "r", closefd=False)
        buffer = io.BufferedWriter(file) if writes else io.BufferedReader(file)
        # The same object, since others hold it too, such as a handler of `logging`.
        io.TextIOWrapper.__init__(stream, buffer, **settings)

    return reopen


class _Descriptor:
    """One of the descriptors 0 to 2."""

    def __init__(self, number: int) -> None:
        self.number = number
        self._name = f"sys.{_NAMES[number]}"
        self._copy: KeptDescriptor | None = None
        with contextlib.suppress(OSError):
            self._flags = fcntl.fcntl(number, fcntl.F_GETFL)
            self._was_terminal = os.isatty(number)
            self._copy = KeptDescriptor(fcntl.fcntl(number, fcntl.F_DUPFD_CLOEXEC, len(_NAMES)))

    def put_back(self) -> str | None:
        """Make the number mean the same file as before; return its name if it did not."""
        if self._copy is None:
            return None
        try:
            if self._copy.is_also(self.number):
                return self._put_flags_back()
            self._copy.check(self._name)
            if self._was_terminal and not os.isatty(self._copy.number):
                # It was closed meanwhile: the command line sends what it would get nowhere.
                return None
            os.dup2(self._copy.number, self.number)
            self._put_flags_back()
            return self._name
        finally:
            self._copy.close()

    def _put_flags_back(self) -> str | None:
        # Such as O_NONBLOCK, which event loops set; a write then fails where it used to wait.
        if fcntl.fcntl(self.number, fcntl.F_GETFL) == self._flags:
            return None
        fcntl.fcntl(self.number, fcntl.F_SETFL, self._flags)
        return self._name
