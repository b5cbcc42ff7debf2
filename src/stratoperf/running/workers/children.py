"""Child processes that do not outlive the block that started them."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from types import TracebackType
from typing import IO, TypeVar

from stratoperf import clock
from stratoperf.running.interrupts import deferred_interrupt
from stratoperf.running.workers.guard import guarded
from stratoperf.running.workers.guardian import sweep
from stratoperf.running.workers.output import Output

_ENDED = os.WEXITED | os.WNOWAIT
_LOOK_S = 0.0005
_LONGEST_S = 2e6
"""What the system takes for a timeout, at most, is little more."""


class Child:
    """A process in a session of its own: on any exit it is reaped, and all its group is killed.

    Ctrl-C at the terminal does not reach it. What it started elsewhere ends with the outermost
    `guarded` block, or with this process, however that ends.

    Parameters
    ----------
    argv
        The program and its arguments.
    output
        Where its standard error goes, and its standard output with `keep_stdout`.
    keep_stdout
        Otherwise standard output is dropped.
    stdin
        Where its standard input comes from, as for `subprocess.Popen`; by default it is empty.
    cwd, env
        By default those of this process.
    descriptors
        What it inherits beside the standard ones.

    Attributes
    ----------
    started_ns
        When it was about to be started. `subprocess` copies the arguments and the environment
        after this moment, in some microseconds for both sides alike.

    Raises
    ------
    OSError
        When it cannot be started.
    """

    def __init__(
        self,
        argv: Sequence[str],
        output: Output,
        *,
        keep_stdout: bool,
        stdin: int | IO[bytes] | None = None,
        cwd: str | os.PathLike[str] | None = None,
        env: Mapping[str, str] | None = None,
        descriptors: Sequence[int] = (),
    ) -> None:
        with contextlib.ExitStack() as cleanup:
            guard = cleanup.enter_context(guarded())
            self._place = cleanup.enter_context(guard.place())
            marked = guard.marked(env)
            self.started_ns = clock.now_ns()
            self._process = subprocess.Popen(
                argv,
                stdin=subprocess.DEVNULL if stdin is None else stdin,
                stdout=output.fileno() if keep_stdout else subprocess.DEVNULL,
                stderr=output.fileno(),
                cwd=cwd,
                env=marked,
                pass_fds=descriptors,
                start_new_session=True,
            )
            self._place.note(self._process.pid)
            self._cleanup = cleanup.pop_all()

    def wait(self, timeout_s: float) -> bool:
        """Wait for its end, noticed with a little delay; return whether it came.

        It is left unreaped until `finish`, so that its number cannot name another process's
        group meanwhile.
        """
        if self._process.returncode is not None:
            return True
        deadline = time.monotonic() + timeout_s
        while os.waitid(os.P_PID, self._process.pid, _ENDED | os.WNOHANG) is None:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_LOOK_S)
        return True

    def wait_at_once(self, timeout_s: float) -> bool:
        """Wait for its end without delay; return whether it had to be killed at the timeout.

        It is left unreaped until `finish`, so that the timeout cannot strike another process.
        """
        timeout_s = min(max(timeout_s, 0), _LONGEST_S)
        try:
            descriptor = os.pidfd_open(self._process.pid)
        except (AttributeError, OSError):
            return self._wait_beside_a_thread(timeout_s)
        try:
            end = select.poll()
            end.register(descriptor, select.POLLIN)
            timed_out = not end.poll(timeout_s * 1000)
        finally:
            os.close(descriptor)
        if timed_out:
            self._kill()
            os.waitid(os.P_PID, self._process.pid, _ENDED)
        return timed_out

    def _wait_beside_a_thread(self, timeout_s: float) -> bool:
        """Do so on an old kernel, or in an interpreter that was built for one."""
        timed_out = threading.Event()

        def strike() -> None:
            timed_out.set()
            self._kill()

        watch = threading.Timer(timeout_s, strike)
        watch.daemon = True
        try:
            watch.start()
            os.waitid(os.P_PID, self._process.pid, _ENDED)
        finally:
            watch.cancel()
            # A signal may have come while it was started: then it ends by itself.
            if watch.is_alive():
                watch.join()
        return timed_out.is_set()

    def interrupt(self) -> None:
        """Send it, without the rest of its group, what Ctrl-C sends."""
        if self._process.returncode is None:
            os.kill(self._process.pid, signal.SIGINT)

    def finish(self) -> int:
        """Kill what is left of its process group, reap it and return its exit status."""
        if self._process.returncode is None:
            self._kill()
            self._place.clear()
        return self._process.wait()

    def _kill(self) -> None:
        pid = self._process.pid
        if os.waitid(os.P_PID, pid, _ENDED | os.WNOHANG) is None:
            # While it lives its descendants are known, wherever they went.
            sweep([pid])
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(pid, signal.SIGKILL)

    def __enter__(self) -> Child:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._cleanup:
            self.finish()


_Entered = TypeVar("_Entered")


def entered(
    stack: contextlib.ExitStack, start: Callable[[], AbstractContextManager[_Entered]]
) -> _Entered:
    """Start something that a stack is to end, with no moment between at which Ctrl-C loses it.

    Raises
    ------
    KeyboardInterrupt
        After it was started, when Ctrl-C was pressed meanwhile.
    Exception
        Whatever `start` raises.
    """
    with deferred_interrupt() as pressed:
        result = stack.enter_context(start())
    if pressed:
        raise KeyboardInterrupt
    return result


def ending(status: int) -> str:
    """Describe an exit status: ``"status 1"`` or ``"signal SIGKILL"``."""
    if status >= 0:
        return f"status {status}"
    try:
        return f"signal {signal.Signals(-status).name}"
    except ValueError:
        return f"signal {-status}"
