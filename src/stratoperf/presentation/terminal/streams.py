"""The streams of a command: one for results, one for remarks, and foreign prints beside them.

What a benchmark, a plugin or a library prints, in Python, in C or from a child process, goes to
stderr, so that the reader of the results gets nothing else.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import functools
import io
import os
import select
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, ParamSpec, TextIO, TypeVar

from stratoperf.errors import StratoperfError
from stratoperf.running.kept_descriptor import KeptDescriptor

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer

_STDIN, _STDOUT, _STDERR = 0, 1, 2

_results: TextIO | None = None

_Arguments = ParamSpec("_Arguments")
_Returned = TypeVar("_Returned")


class OutputLost(StratoperfError):
    """The results cannot be written to stdout; the message says why."""


def results_stream() -> TextIO:
    """Return the stream of results, even while foreign code sees another stdout."""
    return _results or sys.stdout


@contextlib.contextmanager
def own_streams(*, for_good: bool) -> Iterator[None]:
    """Give the results a private descriptor, and lead descriptor 1 to stderr.

    Streams that a caller has replaced stay as they are.

    Parameters
    ----------
    for_good
        Whether the process ends after this. Else its caller gets its streams back.
    """
    for descriptor in (_STDIN, _STDOUT, _STDERR):
        _fill(descriptor)
    stdout, stderr = sys.stdout, sys.stderr
    with contextlib.ExitStack() as stack:
        if stderr is None or stderr is sys.__stderr__:
            sys.stderr = _stream(_Descriptor(_STDERR, needed=False), stderr)
        if stdout is not None:
            with contextlib.suppress(OSError):
                stdout.flush()
        private = KeptDescriptor(fcntl.fcntl(_STDOUT, fcntl.F_DUPFD_CLOEXEC, _STDERR + 1))
        stack.callback(private.close)
        if stdout is None or stdout is sys.__stdout__:
            sys.stdout = _stream(_Descriptor(private.number, needed=True), stdout)
            stack.callback(_close, sys.stdout)
        os.dup2(_STDERR, _STDOUT)
        try:
            yield
        finally:
            if for_good:
                sys.stdout = sys.stderr
            else:
                if stdout is not None:
                    # What foreign code wrote to it by another way than ``sys.stdout``.
                    with contextlib.suppress(OSError):
                        stdout.flush()
                if private.is_ours():
                    os.dup2(private.number, _STDOUT)
                sys.stdout, sys.stderr = stdout, stderr


def with_private_results(
    command: Callable[_Arguments, _Returned],
) -> Callable[_Arguments, _Returned]:
    """Make a command keep stdout to itself: what foreign code prints goes to stderr.

    Parameters
    ----------
    command
        The function of the command, without the parsing of its options: help is a result.
    """

    @functools.wraps(command)
    def wrapped(*arguments: _Arguments.args, **options: _Arguments.kwargs) -> _Returned:
        global _results
        # Not none where a benchmark uses the command line itself.
        outer, _results = _results, sys.stdout
        try:
            with contextlib.redirect_stdout(sys.stderr):
                return command(*arguments, **options)
        finally:
            _results = outer

    return wrapped


class _Descriptor(io.FileIO):
    """A descriptor that is given up at the first error, and stays open.

    Foreign code may close any number and open a file of its own there, which gets nothing.

    Parameters
    ----------
    descriptor
        Where to.
    needed
        Whether an error is raised. What is written later is dropped in any case: it could only
        fail again, at the latest when the interpreter ends.
    """

    def __init__(self, descriptor: int, *, needed: bool) -> None:
        super().__init__(descriptor, "w", closefd=False)
        self._kept = KeptDescriptor(descriptor)
        self._was_terminal = os.isatty(descriptor)
        self._needed = needed
        self._given_up = False

    def write(self, data: ReadableBuffer, /) -> int:
        """Write at least the beginning."""
        if self._given_up:
            return memoryview(data).nbytes
        if not self._leads_there():
            if not self._needed:
                # It may be put back.
                return memoryview(data).nbytes
            self._given_up = True
            raise OutputLost(
                "cannot write the results to standard output: a benchmark or a library closed its "
                "descriptor; close only descriptors that you opened"
            )
        try:
            # The other end may have made a pipe non-blocking, for both of us.
            while (count := super().write(data)) is None:
                select.select([], [self], [])
        except OSError as error:
            self._given_up = True
            if self._needed and isinstance(error, BrokenPipeError):
                # Without the number, at which click would end the process.
                raise BrokenPipeError("the reader of the results is gone") from error
            if self._needed:
                closed = error.errno == errno.EBADF
                raise OutputLost(
                    "cannot write the results to standard output: "
                    f"{'it is closed' if closed else error.strerror}; redirect it to a file on "
                    "a disk with free space, or to a terminal"
                ) from error
            return memoryview(data).nbytes
        return count

    def _leads_there(self) -> bool:
        """Return whether the number still names the file, or nowhere once a terminal is closed."""
        if self._kept.is_ours():
            return True
        if not self._was_terminal:
            return False
        try:
            return os.path.samestat(os.fstat(self._kept.number), Path(os.devnull).stat())
        except OSError:
            return False


def _stream(raw: _Descriptor, like: Any) -> TextIO:
    return io.TextIOWrapper(
        io.BufferedWriter(raw),
        encoding=getattr(like, "encoding", None) or "utf-8",
        errors="backslashreplace",
        line_buffering=True,
    )


def _close(results: TextIO) -> None:
    # What could not be written was reported when it was printed.
    with contextlib.suppress(OSError, OutputLost):
        results.close()


def _fill(descriptor: int) -> None:
    """Open a standard descriptor that is closed, lest a file of ours should get its number.

    It stays useless: what reads it gets nothing, what writes results to it fails, and what
    writes remarks to it writes them nowhere.
    """
    try:
        os.fstat(descriptor)
    except OSError:
        null = os.open(os.devnull, os.O_WRONLY if descriptor == _STDERR else os.O_RDONLY)
        if null != descriptor:
            os.dup2(null, descriptor)
            os.close(null)
