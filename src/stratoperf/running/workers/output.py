"""The output of a child: it is read all the time, and only its end is kept."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import threading
from collections.abc import Iterator

from stratoperf.errors import StratoperfError
from stratoperf.text.units import size

TAIL_BYTES = 4096
_TAIL_LINES = 6

CAPACITY = 1 << 16
"""Bytes that a pipe holds: whoever prints more may have to wait for its reader."""


class Output:
    """Where a child's output goes: a pipe that a thread of this process empties.

    However much a child prints, it fills neither disk nor memory, and it is blocked no longer than
    the reader takes.

    Attributes
    ----------
    written
        Bytes so far, since `clear`.

    Raises
    ------
    StratoperfError
        When this process may have no more descriptors or threads.
    """

    def __init__(self) -> None:
        self.written = 0
        self._kept = b""
        self._lock = threading.Lock()
        with contextlib.ExitStack() as opened:
            try:
                self._read_end, self._write_end = _pipe(opened)
                self._end, self._signal_end = _pipe(opened)
                # The other end, which the child writes to, keeps its blocking mode.
                os.set_blocking(self._read_end, False)
                self._thread = threading.Thread(
                    target=self._drain, name="stratoperf-output", daemon=True
                )
                self._thread.start()
            except (OSError, RuntimeError) as error:
                raise StratoperfError(
                    f"cannot read what a process prints: {error}; raise the limits of open files "
                    "and of threads (ulimit -n, ulimit -u)"
                ) from error
            self._opened = opened.pop_all()

    def fileno(self) -> int:
        """Return the descriptor to write to."""
        return self._write_end

    def clear(self) -> None:
        """Drop what was written."""
        with self._lock:
            self._take_what_is_there()
            self.written, self._kept = 0, b""

    def tail(self) -> str:
        """Return the last lines, of all that was written before the call."""
        with self._lock:
            self._take_what_is_there()
            text = self._kept.decode(errors="replace")
        return "\n".join(text.strip().splitlines()[-_TAIL_LINES:])

    def remark(self) -> str | None:
        """Return how much was printed, where that may have slowed the work down."""
        with self._lock:
            self._take_what_is_there()
            written = self.written
        if written <= CAPACITY:
            return None
        return (
            f"it printed {size(written)}, of which the last {size(TAIL_BYTES)} are kept; printing "
            "takes time of its own: leave it out of what is measured"
        )

    def close(self) -> None:
        """End the reading; what a descendant still writes is lost to it."""
        with self._opened:
            os.write(self._signal_end, b"!")
            self._thread.join()

    def _drain(self) -> None:
        # Signals are for the main thread, which else would not wake from a wait.
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        ready = select.poll()
        ready.register(self._read_end, select.POLLIN)
        ready.register(self._end, select.POLLIN)
        while True:
            events = dict(ready.poll())
            if self._end in events:
                return
            with self._lock:
                self._take_once()

    def _take_what_is_there(self) -> None:
        """Take what the pipe holds; a child that goes on printing does not hold this up."""
        end = self.written + 2 * CAPACITY
        while self.written < end and self._take_once():
            pass

    def _take_once(self) -> bool:
        """Take a piece; return whether there was any."""
        try:
            piece = os.read(self._read_end, CAPACITY)
        except BlockingIOError:
            return False
        self.written += len(piece)
        self._kept = (self._kept + piece[-TAIL_BYTES:])[-TAIL_BYTES:]
        return bool(piece)


def _pipe(opened: contextlib.ExitStack) -> tuple[int, int]:
    """Make a pipe whose ends are closed with the stack."""
    ends = os.pipe()
    for descriptor in ends:
        opened.callback(os.close, descriptor)
    return ends


@contextlib.contextmanager
def unnamed_output() -> Iterator[Output]:
    """Make an output that ends with the block."""
    output = Output()
    try:
        yield output
    finally:
        output.close()
