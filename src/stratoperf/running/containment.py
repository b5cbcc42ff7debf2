"""Foreign code in a block: what it raises is caught, and what it changes is put back.

A benchmark is code of the user that runs in this process, and the cases after it run there too.
Whatever it does to the process must neither end the run nor move its files.
"""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from collections.abc import Callable, Iterable
from types import TracebackType

from stratoperf.failures import describe, storable
from stratoperf.running.kept_descriptor import DescriptorLost
from stratoperf.running.kept_handlers import KeptHandlers
from stratoperf.running.process_state import KEEPERS, Restore, listed

_LOG = logging.getLogger(__name__)


class Containment:
    """A block of foreign code that can neither end the process nor change it for good.

    On exit, what the block raised is kept in `error` instead of being raised, and the state of the
    process is put back. Signal handlers that were there before still interrupt the block, which is
    noted: so an interrupt of the user differs from a ``KeyboardInterrupt`` of the block's own.

    A process that the block forked and that comes back out of it ends here: it must not go on with
    the work of its parent.

    Parameters
    ----------
    keepers
        What is put back; by default all that is known here.
    finish
        Is called with this object at the end of the block, while interrupts are only noted: it can
        save what the block made with no moment between at which Ctrl-C loses it. What it raises is
        raised.

    Attributes
    ----------
    error
        What the block raised, or ``None``.
    interrupts
        What handlers of signals raised meanwhile, whether or not the block swallowed it.
    changes
        After the block, the names of what it had changed and what was put back.
    losses
        After the block, the names of what it had changed and what cannot be put back.
    threads
        After the block, the names of threads that it left running.
    """

    def __init__(
        self,
        keepers: Iterable[Callable[[], Restore]] | None = None,
        *,
        finish: Callable[[Containment], None] | None = None,
    ) -> None:
        self.error: BaseException | None = None
        self.changes: list[str] = []
        self.losses: list[str] = []
        self.threads: list[str] = []
        self._finish = finish
        self._keepers = tuple(KEEPERS if keepers is None else keepers)
        self._restores: list[Restore] = []
        self._process = 0
        self._threads: set[threading.Thread] = set()
        self._handlers = KeptHandlers()
        self.interrupts: list[BaseException] = self._handlers.interrupts

    def __enter__(self) -> Containment:
        self._process = os.getpid()
        self._threads = set(threading.enumerate())
        # Put back last, so that Ctrl-C is only noted meanwhile.
        self._handlers.install()
        for keeper in self._keepers:
            # Where something cannot be read (in a working directory without permission, say) it
            # cannot be put back either.
            with contextlib.suppress(OSError, ValueError):
                self._restores.append(keeper())
        if self.interrupts:
            self._put_back()
            self._handlers.put_back()
            raise self.interrupts[0]
        self._handlers.are_raising = True
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        self._handlers.are_raising = False
        if os.getpid() != self._process:
            _end_of_fork(error)
        self.error = error
        if error is not None:
            _LOG.debug("foreign code raised", exc_info=True)
        try:
            handlers = self._handlers.take_over()
            self._put_back()
            if handlers:
                self.changes.append(f"the handler of {listed(handlers)}")
            self.threads = [
                storable(thread.name)
                for thread in threading.enumerate()
                if thread not in self._threads
            ]
            if self._finish is not None:
                self._finish(self)
        finally:
            self._handlers.put_back()
        return True

    def _put_back(self) -> None:
        for restore in reversed(self._restores):
            try:
                changed = restore()
            except DescriptorLost as lost:
                self.losses.append(storable(str(lost)))
            except BaseException as problem:
                self.losses.append(f"something ({describe(problem)})")
            else:
                if changed is not None:
                    self.changes.append(storable(changed))

    def pass_on(self) -> None:
        """Raise what ended the block, if anything did."""
        if self.interrupts:
            raise self.interrupts[0]
        if self.error is not None:
            raise self.error

    @property
    def sentences(self) -> list[str]:
        """Notes for the reader of the result."""
        sentences = []
        if self.changes:
            sentences.append(
                "the benchmark changed what other cases share, which was put back: "
                + ", ".join(self.changes)
            )
        if self.losses:
            sentences.append(
                "the benchmark changed what other cases share, which cannot be put back: "
                + ", ".join(self.losses)
            )
        if self.threads:
            sentences.append(
                "the benchmark left threads that still run beside the cases after it: "
                + listed(self.threads)
            )
        return sentences


def _end_of_fork(error: BaseException | None) -> None:
    """End a forked process as Python would; only its parent continues."""
    status = 0
    if isinstance(error, SystemExit):
        status = error.code if isinstance(error.code, int) else int(error.code is not None)
    elif error is not None:
        status = 1
    with contextlib.suppress(BaseException):
        sys.stdout.flush()
    os._exit(status & 0xFF)
