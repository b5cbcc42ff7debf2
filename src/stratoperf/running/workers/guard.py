"""The driver's side of the guardian, which kills what our children leave behind."""

from __future__ import annotations

import contextlib
import mmap
import os
import subprocess
import sys
import tempfile
import threading
import uuid
from collections.abc import Iterator, Mapping
from pathlib import Path

from stratoperf.errors import StratoperfError
from stratoperf.running.interrupts import deferred_interrupt
from stratoperf.running.workers import guardian

MARK = "STRATOPERF_CHILD_OF"
"""The environment variable by which a child is known: tokens, where comparisons are nested."""

_END_S = 10.0
"""Seconds that the guardian has for its last sweep."""


class Guard:
    """A guardian process, and what it knows of the children of this one.

    Nothing is sent to it while it waits: it never wakes while something is timed.

    Raises
    ------
    StratoperfError
        When it cannot be started.
    """

    def __init__(self) -> None:
        self._token = uuid.uuid4().hex
        self._free = list(range(guardian.PLACES))
        self._file = os.fdopen(_memory(), "r+b", buffering=0)
        self._file.write(bytes(mmap.PAGESIZE))
        self._table = mmap.mmap(self._file.fileno(), mmap.PAGESIZE)
        self._sessions = memoryview(self._table).cast("i")
        try:
            self._start()
        except BaseException:
            self._release()
            raise

    def _start(self) -> None:
        theirs, ours = os.pipe()
        self._pipe = os.fdopen(ours, "wb", buffering=0)
        try:
            self._guardian = subprocess.Popen(
                [
                    # Without the site's packages it starts sooner, and nothing of theirs runs.
                    *(sys.executable or "python3", "-I", "-S", guardian.__file__),
                    *(self._token, str(os.getpid()), str(self._file.fileno())),
                ],
                stdin=theirs,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                cwd="/",
                # Not its own prey, nor that of a comparison around this one.
                env={name: value for name, value in os.environ.items() if name != MARK},
                pass_fds=(self._file.fileno(),),
                start_new_session=True,
            )
        except OSError as error:
            self._pipe.close()
            raise StratoperfError(
                "the process that ends what benchmarks leave behind cannot be started: "
                f"{error.strerror or error}; allow this process to start {sys.executable}"
            ) from None
        finally:
            os.close(theirs)

    def renew(self) -> None:
        """Start another guardian where something killed it."""
        if self._guardian.poll() is not None:
            self._pipe.close()
            self._start()

    def marked(self, env: Mapping[str, str] | None) -> dict[bytes, bytes]:
        """Return an environment with the mark; by default that of this process."""
        marked = (
            dict(os.environb)
            if env is None
            else {os.fsencode(name): os.fsencode(value) for name, value in env.items()}
        )
        earlier = marked.get(MARK.encode())
        own = self._token.encode()
        marked[MARK.encode()] = own if earlier is None else earlier + b"," + own
        return marked

    @contextlib.contextmanager
    def place(self) -> Iterator[Place]:
        """Reserve a place in the table of children."""
        number = self._free.pop() if self._free else None
        place = Place(self._sessions, number)
        try:
            yield place
        finally:
            place.clear()
            if number is not None:
                self._free.append(number)

    def end(self) -> None:
        """Have what is left killed, and the guardian end."""
        with contextlib.suppress(OSError):
            self._pipe.write(guardian.ENDED)
        self._pipe.close()
        try:
            self._guardian.wait(_END_S)
        except subprocess.TimeoutExpired:
            self._guardian.kill()
            self._guardian.wait()
        self._release()

    def _release(self) -> None:
        self._sessions.release()
        self._table.close()
        self._file.close()

    def let_go(self) -> None:
        """Leave the guardian to the process that this one is a copy of."""
        self._pipe.close()


def _memory() -> int:
    """Return a descriptor of memory to share; on a disk, entering a child might wait for that."""
    if hasattr(os, "memfd_create"):
        return os.memfd_create("stratoperf-children")
    # An interpreter that was built for an old system.
    descriptor, name = tempfile.mkstemp()
    Path(name).unlink()
    return descriptor


class Place:
    """Where the guardian reads which session a child has.

    Parameters
    ----------
    sessions
        The table.
    number
        Its place in the table; ``None`` when the table is full: then the token alone tells.
    """

    def __init__(self, sessions: memoryview, number: int | None) -> None:
        self._sessions = sessions
        self._number = number

    def note(self, session: int) -> None:
        """Enter the session of a child that was started."""
        if self._number is not None:
            self._sessions[self._number] = session

    def clear(self) -> None:
        """Remove the session, before the child is reaped and the number free for others."""
        self.note(0)


class _Shared:
    """The guard of this process, while anybody needs it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.guard: Guard | None = None
        self.users = 0

    def forked(self) -> None:
        """Let go of the guard of the process that this one is a copy of."""
        if self.guard is not None:
            self.guard.let_go()
        self.lock = threading.RLock()
        self.guard = None
        self.users = 0


_SHARED = _Shared()
os.register_at_fork(after_in_child=_SHARED.forked)


@contextlib.contextmanager
def guarded() -> Iterator[Guard]:
    """Make sure that no child, nor what it starts, outlives the block or this process.

    A block inside another one shares its guardian, and the outermost one ends what is left.

    Raises
    ------
    StratoperfError
        When the guardian cannot be started.
    KeyboardInterrupt
        At the end, when a signal asked to stop meanwhile.
    """
    with _SHARED.lock:
        guard = _SHARED.guard
        if guard is None:
            guard = _SHARED.guard = Guard()
        else:
            guard.renew()
        _SHARED.users += 1
    try:
        yield guard
    finally:
        with deferred_interrupt() as pressed, _SHARED.lock:
            # Not in a forked process, which has none.
            if _SHARED.guard is guard:
                _SHARED.users -= 1
                if _SHARED.users == 0:
                    _SHARED.guard = None
                    guard.end()
        if pressed:
            raise KeyboardInterrupt
