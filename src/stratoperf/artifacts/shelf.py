"""The artifacts of a run, in the process that drives the workers and in a worker.

An artifact is a sealed file in memory, without a name. The worker that built it sends its
descriptor through a socket, where it lies until the driver takes it; later workers inherit it. So
nothing of it outlives its processes, however they end, and what is half built was never sent.
"""

from __future__ import annotations

import contextlib
import os
import socket
import struct
from collections.abc import Mapping
from types import TracebackType
from typing import NamedTuple

from stratoperf.artifacts.content import key_of

VARIABLE = "STRATOPERF_ARTIFACTS"
"""Environment variable by which a worker knows what it inherits."""

MOST_ARTIFACTS = 128
"""Descriptors that the driver keeps open."""


_NUMBER = struct.Struct("i")


class Handed(NamedTuple):
    """What a worker gets: descriptors to inherit, and environment variables."""

    descriptors: tuple[int, ...]
    variables: Mapping[str, str]


NOTHING = Handed((), {})
"""For a worker that shares nothing."""


class Shelf:
    """What the workers of one side of a measurement share; the driver has it.

    They run the same code: each side of a comparison has a shelf of its own.

    Attributes
    ----------
    unstable
        Benchmarks whose artifacts have other keys in each process: these are not worth a process
        that builds and does not measure.
    """

    def __init__(self) -> None:
        self.unstable: set[str] = set()
        self._kept: dict[bytes, int] = {}
        self._ours, self._theirs = socket.socketpair()

    def handed(self, *, again: bool) -> Handed:
        """Return what the next worker gets.

        Parameters
        ----------
        again
            Whether it goes on with what it builds in its set-up, and keeps that to itself. What
            builds does not measure otherwise: after that its memory and caches are not those of
            other processes.
        """
        self._collect()
        descriptors = (self._theirs.fileno(), *self._kept.values())
        words = ("again" if again else "first", *map(str, descriptors))
        return Handed(descriptors, {VARIABLE: ",".join(words)})

    def _collect(self) -> None:
        """Receive what workers have sent."""
        # `socket.recv_fds` drops the flags.
        flags = socket.MSG_DONTWAIT | socket.MSG_CMSG_CLOEXEC
        while True:
            try:
                _, sent, _, _ = self._ours.recvmsg(1, socket.CMSG_LEN(_NUMBER.size), flags)
            except BlockingIOError:
                return
            for descriptor in (_NUMBER.unpack(data)[0] for *_, data in sent):
                key = key_of(descriptor)
                if key is None or key in self._kept or len(self._kept) == MOST_ARTIFACTS:
                    os.close(descriptor)
                else:
                    self._kept[key] = descriptor

    def close(self) -> None:
        """Let go of all artifacts."""
        self._collect()
        for descriptor in self._kept.values():
            os.close(descriptor)
        self._kept.clear()
        self._ours.close()
        self._theirs.close()

    def __enter__(self) -> Shelf:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()


class Reach:
    """What a process has of its driver's shelf: nothing, unless it is a worker.

    Attributes
    ----------
    is_again
        Whether it measures whatever its set-up builds.
    notes
        Sentences for the reader of the result: why an artifact was not shared.
    """

    def __init__(self) -> None:
        self.notes: list[str] = []
        self._socket: socket.socket | None = None
        self.is_again = False
        self._known: dict[bytes, int] = {}
        self._is_set_up = False
        self._has_built = False

    def take(self, text: str) -> None:
        """Take what the driver handed; `text` is the environment variable."""
        word, sending, *descriptors = text.split(",")
        self.is_again = word == "again"
        self._socket = socket.socket(fileno=int(sending))
        for descriptor in map(int, (sending, *descriptors)):
            # Of what the benchmark starts nothing has it.
            os.set_inheritable(descriptor, False)
        for descriptor in map(int, descriptors):
            key = key_of(descriptor)
            if key is not None:
                self._known[key] = descriptor

    def find(self, key: bytes) -> int | None:
        """Return the descriptor of an artifact, unless foreign code closed or replaced it."""
        descriptor = self._known.get(key)
        return descriptor if descriptor is not None and key_of(descriptor) == key else None

    def add(self, key: bytes, descriptor: int) -> bool:
        """Share an artifact; return whether the descriptor is kept."""
        if self._socket is None:
            return False
        self._known[key] = descriptor
        if self._is_set_up:
            self._send(descriptor)
        elif self.is_again:
            self._has_built = True
            self.notes.append(
                "an artifact has another key in each process, and each builds it; leave out of "
                "its key what changes from process to process, such as times, addresses and the "
                "order of sets"
            )
        else:
            self._has_built = self._send(descriptor) or self._has_built
        return True

    def _send(self, descriptor: int) -> bool:
        assert self._socket is not None
        try:
            sent = (socket.SOL_SOCKET, socket.SCM_RIGHTS, _NUMBER.pack(descriptor))
            self._socket.sendmsg([b"a"], [sent], socket.MSG_DONTWAIT)
        except OSError as error:
            self.missed(error)
            return False
        return True

    def missed(self, error: OSError) -> None:
        """Note that an artifact cannot be shared."""
        if self._socket is not None:
            self.notes.append(
                "an artifact cannot be shared, so each process builds it: "
                f"{error.strerror or error}"
            )

    def end_set_up(self) -> bool:
        """Note that the set-up has ended; return whether anything was built in it."""
        self._is_set_up = True
        return self._has_built


REACH = Reach()
"""Of this process."""


def take_over() -> None:
    """Accept what the driver handed to this worker."""
    text = os.environ.pop(VARIABLE, None)
    if text is not None:
        with contextlib.suppress(OSError, ValueError):
            REACH.take(text)
