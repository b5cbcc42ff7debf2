"""A worker, seen from the process that drives it."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import socket
import time
import uuid
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, Literal, TypeAlias, TypeVar

import msgspec

from stratoperf.artifacts.shelf import NOTHING, Handed
from stratoperf.commands import command_text
from stratoperf.door import shortened
from stratoperf.errors import InvalidParameter, PrerequisiteMissing, StratoperfError
from stratoperf.failures import storable
from stratoperf.running.workers.answers import Failure, Hello
from stratoperf.running.workers.children import Child, ending
from stratoperf.running.workers.output import unnamed_output
from stratoperf.running.workers.protocol import PROTOCOL, Channel, Closed, Garbage

QUIT_S = 5.0
"""Seconds that a worker has for its teardown when something went wrong elsewhere."""

LONGEST_REASON = 10_000
"""Characters of the reason for a failure at most."""

# Unlike ``python -m`` it does not look into the current directory, where a checkout would shadow
# what is installed: then both sides of a comparison would measure the same code.
_START = """
import sys
sys.path[:] = sys.argv[3:] or filter(None, sys.path)
try:
    from stratoperf.running.workers.server import main
except ModuleNotFoundError as missing:
    if not str(missing.name).startswith("stratoperf.running"):
        raise
    # Where it was before this package had its name.
    from stratoperf.analysis.live.worker import main
main(sys.argv[1:])
"""

_Answer = TypeVar("_Answer")

Cause: TypeAlias = Literal["raised", "ended", "killed", "timed out", "garbled"]


class WorkerFailed(StratoperfError):
    """A worker did not do what it was asked.

    Attributes
    ----------
    worker
        Its name.
    cause
        ``"raised"``: the code under test did; ``"ended"``: the process, by itself or by a signal;
        ``"killed"``: the same, by a SIGKILL that this process did not send; ``"timed out"``; or
        ``"garbled"``: what it says does not follow the protocol.
    """

    def __init__(self, worker: str, cause: Cause, message: str) -> None:
        super().__init__(message)
        self.worker = worker
        self.cause = cause


class WorkerProcess:
    """A worker, and the conversation with it.

    On exit the conversation is closed, which makes the worker tear down and end; what has not
    ended a little later is killed.

    Parameters
    ----------
    name
        For messages: the side that it is of, for one.
    python
        The interpreter.
    variables
        Environment variables to set for it.
    timeout_s
        How long the process may last.
    budget_end
        By `time.monotonic`: what still runs then is ended, but may tear down.
    remedy
        What a user does about a process that lasts longer.
    options
        Options of the interpreter.
    path
        Where it looks for modules, instead of where it would by itself.
    handed
        From the shelf of artifacts.

    Attributes
    ----------
    process
        Identity for the series.
    version
        Version of stratoperf in the worker; empty until the first answer.

    Raises
    ------
    InvalidParameter
        When the interpreter cannot be started.
    """

    def __init__(
        self,
        name: str,
        python: str,
        variables: Mapping[str, str],
        timeout_s: float,
        budget_end: float = math.inf,
        *,
        remedy: str = "raise timeout_s (--timeout) if it needs longer",
        options: Sequence[str] = (),
        path: Sequence[str] = (),
        handed: Handed = NOTHING,
    ) -> None:
        self.name = name
        self.process = uuid.uuid4().hex[:12]
        self.version = ""
        self._python = python
        self._options = options
        self._path = path
        self._handed = handed
        self._remedy = remedy
        self._timeout_s = timeout_s
        self._budget_end = budget_end
        self._deadline = min(time.monotonic() + timeout_s, budget_end)
        self._is_closed = False
        self._greeted = False
        self._is_busy = False
        with contextlib.ExitStack() as cleanup:
            self._output = cleanup.enter_context(unnamed_output())
            ours, theirs = socket.socketpair()
            self._channel = Channel(ours)
            cleanup.callback(self._channel.close)
            with theirs:
                child = self._started(theirs.fileno(), variables)
            self._child = cleanup.enter_context(child)
            self._cleanup = cleanup.pop_all()

    def _started(self, descriptor: int, variables: Mapping[str, str]) -> Child:
        # The number of this process is for workers of earlier versions.
        numbers = (str(descriptor), str(os.getpid()))
        argv = [self._python, *self._options, "-c", _START, *numbers, *self._path]
        try:
            return Child(
                argv,
                self._output,
                keep_stdout=True,
                env={**os.environ, **variables, **self._handed.variables},
                descriptors=(descriptor, *self._handed.descriptors),
            )
        except OSError as error:
            raise InvalidParameter(
                f"{self.name}: the interpreter {self._python!r} cannot be started: "
                f"{error.strerror or error}; give the path of a Python executable"
            ) from None

    def ask(self, kind: str, **fields: Any) -> None:
        """Send a question; `answer` waits for what it brings."""
        self._is_busy = kind != "quit"
        with contextlib.suppress(Closed):
            # A worker that died or hangs is found out, with the reason, by whoever waits for the
            # answer.
            left_s = max(self._deadline - time.monotonic(), 1e-3)
            self._channel.send(kind, timeout_s=left_s, **fields)

    def answer(self, kind: str, shape: type[_Answer]) -> _Answer:
        """Wait for an answer.

        Parameters
        ----------
        kind, shape
            What is expected.

        Raises
        ------
        WorkerFailed
            When the code under test raised or was wrong, hung, died, or wrote into the
            conversation.
        PrerequisiteMissing
            When there is no stratoperf in the environment.
        StratoperfError
            When the worker speaks another protocol.
        """
        if not self._greeted:
            self._greeted = True
            self.version = self._converted("hello", self._message("hello"), Hello).version
        return self._converted(kind, self._message(kind), shape)

    def _converted(self, kind: str, message: dict[str, Any], shape: type[_Answer]) -> _Answer:
        try:
            return msgspec.convert(message, shape)
        except msgspec.ValidationError as error:
            raise self.garbled(str(error), kind) from None

    def finish(self) -> None:
        """Wait until a worker that was told to quit has torn down.

        Raises
        ------
        WorkerFailed
            When the teardown raised, hung or died.
        """
        if not self._child.wait(max(self._deadline - time.monotonic(), 0)):
            raise self._timed_out("its teardown")
        status = self._child.finish()
        if status != 0:
            raise self._ended(status, f"the worker ended with {ending(status)} in its teardown")

    def interrupt(self, timeout_s: float) -> None:
        """Send what Ctrl-C sends, with a time limit in seconds for the answer and the teardown."""
        self._child.interrupt()
        self._deadline = min(self._deadline, time.monotonic() + timeout_s)

    def close(self) -> None:
        """Close the conversation, upon which the worker tears down and ends."""
        if self._is_busy:
            # Else it would notice only when its question is answered. Once it tears down nothing
            # interrupts it.
            self._is_busy = False
            self._child.interrupt()
        self._channel.close()
        if not self._is_closed:
            self._is_closed = True
            self._deadline = time.monotonic() + QUIT_S

    def _message(self, kind: str) -> dict[str, Any]:
        message = self._received()
        self._is_busy = self._is_busy and message["type"] == "hello"
        if message["protocol"] != PROTOCOL:
            raise StratoperfError(
                f"{self.name}: the worker of {self._python} speaks "
                f"{shortened(message['protocol'])!r}, this version of stratoperf {PROTOCOL!r}; "
                "install the same version on both sides"
            )
        if message["type"] == "error":
            failure = self._converted("error", message, Failure)
            raise self._failed("raised", storable(shortened(failure.message, LONGEST_REASON)))
        if message["type"] != kind:
            raise self._failed(
                "garbled",
                f"the worker answered {shortened(message['type'])!r} where {kind!r} was expected",
            )
        return message

    def _received(self) -> dict[str, Any]:
        try:
            return self._channel.receive(max(self._deadline - time.monotonic(), 1e-3))
        except TimeoutError:
            raise self._timed_out("the worker") from None
        except Garbage as garbage:
            raise self._failed(
                "garbled",
                "something other than the worker wrote to its pipe, beginning with "
                f"{garbage.args[0]!r}; the code under test must leave descriptors alone that it "
                "did not open",
            ) from None
        except Closed:
            raise self._death() from None

    def garbled(self, what: str, kind: str) -> WorkerFailed:
        """Return the error for an answer that is not possible.

        Parameters
        ----------
        what
            In words.
        kind
            Expected type of the answer.
        """
        return self._failed(
            "garbled",
            f"the worker's answer {kind!r} does not follow the protocol: {shortened(what, 200)}",
        )

    def _failed(self, cause: Cause, message: str) -> WorkerFailed:
        return WorkerFailed(self.name, cause, message)

    def _timed_out(self, what: str) -> WorkerFailed:
        if time.monotonic() < self._budget_end:
            # There is nothing to wait for any more.
            self._child.finish()
        return self._failed(
            "timed out",
            f"{what} did not end within {self._timeout_s:g} s of the start and was killed; "
            f"{self._remedy}{self._last_output()}",
        )

    def _death(self) -> StratoperfError:
        ended = self._child.wait(QUIT_S)
        tail = self._output.tail()
        if not self.version and "No module named" in tail and "stratoperf" in tail:
            install = ("-m", "pip", "install", "--upgrade", "stratoperf")
            return PrerequisiteMissing(
                f"{self.name}: {self._python} has no stratoperf that can run live; install it "
                f"with: {command_text(self._python, *install)}"
            )
        if not ended:
            return self._failed("garbled", f"the worker stopped answering{self._nothing_more()}")
        status = self._child.finish()
        return self._ended(status, f"the worker ended with {ending(status)}")

    def _ended(self, status: int, how: str) -> WorkerFailed:
        """Return the error for a worker that ended by itself or was killed from outside."""
        if status == -signal.SIGKILL:
            how += " from outside, probably from the kernel for lack of memory (see dmesg)"
            return self._failed("killed", f"{how}{self._nothing_more()}")
        return self._failed("ended", f"{how}{self._nothing_more()}")

    def _nothing_more(self) -> str:
        return self._last_output() or " and printed nothing"

    @property
    def printed(self) -> str | None:
        """A note about what the worker printed, if there is anything to note."""
        return self._output.remark()

    def _last_output(self) -> str:
        tail = self._output.tail()
        return f"; its last output:\n{tail}" if tail else ""

    def __enter__(self) -> WorkerProcess:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        with self._cleanup:
            self.close()
            self._child.wait(max(self._deadline - time.monotonic(), 0))
